// A button that plays the page's document through the values of a parameter in its stream's address: the script of a
// component of bnlab/ui/live.py. No script of the page runs until it ends or is paused.
import { showInstead } from "./live_stream.js";

const FRAME = 600;                // ms
const players = new WeakMap();    // button -> { data, setTriggerValue, position, timer }

function stop(player) {
  clearInterval(player.timer);
  player.timer = 0;
}

function label(button, { timer }) {
  button.textContent = timer ? "❚❚ Pause" : "▶ Play";
}

function show(button, player) {
  const { data: { parameter, values }, position } = player;
  showInstead(parameter, values[position]);
  if (position >= values.length - 1) press(button);
}

function press(button) {
  const player = players.get(button);
  if (player.timer) {
    stop(player);
    player.setTriggerValue("stopped", player.position);
  } else {
    const { data } = player;
    player.position = data.start < data.values.length - 1 ? data.start : 0;
    player.timer = setInterval(() => {
      if (!button.isConnected) return stop(player);
      player.position += 1;
      show(button, player);
    }, FRAME);
    show(button, player);
  }
  label(button, player);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const button = parentElement.querySelector(".live-player");
  if (players.has(button)) stop(players.get(button));     // the page has been rendered again, with its own value
  players.set(button, { data, setTriggerValue, position: 0, timer: 0 });
  button.disabled = data.values.length < 2;
  button.onclick = () => press(button);
  label(button, players.get(button));
}
