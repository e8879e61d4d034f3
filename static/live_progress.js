// A text above a progress bar, both from the event stream: the script of a component of bnlab/ui/live.py.
import { subscribe, unsubscribe } from "./live_stream.js";

export default function ({ data, parentElement }) {
  const element = parentElement.querySelector(".live-progress");
  const [text, bar] = element.children;
  const show = (progress) => {
    text.textContent = text.title = progress.text; // a long one is cut off
    bar.value = progress.share;
  };
  if (data.text) show(data);
  subscribe(element, data.path, show);
  return () => unsubscribe(element);
}
