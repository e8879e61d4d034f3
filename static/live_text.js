// A text from the event stream: the script of a component of bnlab/ui/live.py.
import { subscribe, unsubscribe } from "./live_stream.js";

export default function ({ data, parentElement }) {
  const element = parentElement.querySelector(".live-text");
  const show = (text) => {
    element.textContent = `${text} ${data.hint}`.trim().replace(/(\d) %/g, "$1\u00a0%");
    element.hidden = !element.textContent && !data.announced;   // a region must be there before its text changes
  };
  if (data.announced) {
    element.setAttribute("role", "status");
    element.classList.add("announced");
  }
  show(data.text);
  subscribe(element, data.path, show, data.version);
  return () => unsubscribe(element);
}
