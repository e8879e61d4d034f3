// A line of text from the event stream: the script of a component of bnlab/ui/live.py.
import { subscribe, unsubscribe } from "./live_stream.js";

export default function ({ data, parentElement }) {
  const element = parentElement.querySelector(".live-text");
  const [text, hint] = element.children;
  text.textContent = data.text;
  hint.textContent = data.hint;
  subscribe(element, data.path, (value) => { text.textContent = value; });
  return () => unsubscribe(element);
}
