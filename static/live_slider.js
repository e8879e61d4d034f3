// A slider over the steps at which a run was evaluated, and a button that plays through them: the script of a component of
// bnlab/ui/live.py. The steps come over the event stream. While the slider is dragged or plays, it shows the stream's
// document for another value of a parameter; the page's script runs when the reader lets go.
import { showInstead, subscribe, unsubscribe } from "./live_stream.js";

const FRAME = 600;                // ms
const sliders = new WeakMap();    // element -> { data, steps, perEpoch, position, isLatest, timer, choose }

function title(step, perEpoch) {
  if (!step) return "start";
  return step % perEpoch ? `step ${step.toLocaleString("en")}` : `epoch ${(step / perEpoch).toLocaleString("en")}`;
}

// The position's epoch as a parameter; that of the last position is empty, and follows training.
function epoch({ steps, perEpoch, position }) {
  return position < steps.length - 1 ? String(Number((steps[position] / perEpoch).toPrecision(6))) : "";
}

function draw(element) {
  const slider = sliders.get(element);
  const { steps, perEpoch, position, isLatest, timer } = slider;
  const [button, label, output] = element.children;
  const input = label.querySelector("input");
  button.textContent = timer ? "❚❚ Pause" : "▶ Play";
  button.disabled = input.disabled = steps.length < 2;
  input.max = Math.max(steps.length - 1, 0);
  input.value = position;
  output.textContent = steps.length ? title(steps[position], perEpoch) : "";
  input.ariaValueText = isLatest && !timer ? `${output.textContent}, the latest` : output.textContent;
}

function move(element, position) {
  const slider = sliders.get(element);
  slider.position = position;
  slider.isLatest = position === slider.steps.length - 1;
  draw(element);
  showInstead(slider.data.parameter, epoch(slider));
}

function stop(slider) {
  clearInterval(slider.timer);
  slider.timer = 0;
}

function choose(element) {
  const slider = sliders.get(element);
  stop(slider);
  draw(element);
  slider.choose(epoch(slider));
}

function play(element) {
  const slider = sliders.get(element);
  slider.timer = setInterval(() => {
    if (!element.isConnected) return stop(slider);
    move(element, slider.position + 1);
    if (slider.position >= slider.steps.length - 1) choose(element);
  }, FRAME);
  move(element, slider.isLatest ? 0 : slider.position);
}

function update(element, { steps, per_epoch: perEpoch }) {
  const slider = sliders.get(element);
  const chosen = Number(slider.data.epoch) * perEpoch;
  slider.steps = [...steps];
  slider.perEpoch = perEpoch;
  if (slider.timer || slider.isDragged) return draw(element);
  const distances = slider.steps.map((step) => Math.abs(step - chosen));
  slider.position = slider.isLatest ? steps.length - 1 : distances.indexOf(Math.min(...distances));
  draw(element);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const element = parentElement.querySelector(".live-slider");
  const [button, label] = element.children;
  const input = label.querySelector("input");
  const before = sliders.get(element);
  if (before) stop(before);                         // the page has been rendered again, with its own value
  sliders.set(element, {
    data, steps: [], perEpoch: 1, position: 0, isLatest: data.epoch === "", isDragged: false, timer: 0,
    choose: (value) => setTriggerValue("chosen", value),
  });
  button.onclick = () => sliders.get(element).timer ? choose(element) : play(element);
  input.oninput = () => {
    stop(sliders.get(element));
    sliders.get(element).isDragged = true;
    move(element, Number(input.value));
  };
  input.onchange = () => {
    sliders.get(element).isDragged = false;
    choose(element);
  };
  update(element, data.evaluations);
  subscribe(element, data.path, (evaluations) => update(element, evaluations));
  return () => unsubscribe(element);
}
