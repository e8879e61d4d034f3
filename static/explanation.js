// A figure of How it works with its controls: a Streamlit Custom Component v2, whose Python half is
// bnlab/ui/how_it_works/figure.py. Figures are computed in the browser, once per frame while a control moves; no script
// runs. The settings are in the page's address, and handed to the server when the reader asks for a link to share.
import { FIGURES } from "./explanation_figures.js";
import { loadPlotly, themeTemplate } from "./plotly_theme.js";

const CONFIG = { displayModeBar: false, showSendToCloud: false };
const PREFIX = "how-";            // of the settings' names in the address
const settings = new Map();       // the values that differ from the defaults, by the ids of their controls
const figures = new Map();        // the figures on the page, by their ids
// Equations that are wider than the page scroll, so the keyboard has to reach them.
function reachWideEquations() {
  for (const equation of document.querySelectorAll(".katex-display")) {
    if (equation.scrollWidth <= equation.clientWidth) {
      equation.removeAttribute("tabindex");
      continue;
    }
    equation.tabIndex = 0;
    equation.setAttribute("role", "group");
    equation.ariaLabel = "Equation";
  }
}
const pageSize = new ResizeObserver(reachWideEquations);
document.fonts.addEventListener("loadingdone", reachWideEquations);    // which changes their widths alone
let handedOver = "";

// Settings and their addresses

function parse(control, text) {
  const value = control.kind === "choice" ? text : Number(text);
  const isValid = control.options
    ? control.options.some(([option]) => option === value)
    : text.trim() !== "" && value >= control.low && value <= control.high;
  return isValid ? value : control.value;
}

function setting({ id, value }) {
  return settings.get(id) ?? value;
}

function set(control, value) {
  if (value === control.value) settings.delete(control.id);
  else settings.set(control.id, value);
}

function readAddress(controls) {
  const address = new URLSearchParams(location.search);
  for (const control of controls) {
    const text = address.get(PREFIX + control.id);
    if (text !== null) set(control, parse(control, text));
  }
}

function writeAddress() {
  const address = new URL(location.href);
  const controls = [...figures.values()].flatMap(({ data }) => data.controls);
  for (const { id } of controls) {
    if (settings.has(id)) address.searchParams.set(PREFIX + id, settings.get(id));
    else address.searchParams.delete(PREFIX + id);
  }
  if (address.href !== location.href) history.replaceState(history.state, "", address);
}

// The link that Share shows is made by the server.
document.addEventListener("click", ({ target }) => {
  const [figure] = [...figures.values()].filter(({ root }) => root.isConnected);
  const values = JSON.stringify(Object.fromEntries([...settings].map(([id, value]) => [PREFIX + id, String(value)])));
  if (!figure || !target.closest?.(".st-key-share button") || values === handedOver) return;
  handedOver = values;
  figure.component.setTriggerValue("settings", values);
}, { capture: true });

// Controls

const element = (tag, properties = {}, ...children) => {
  const created = Object.assign(document.createElement(tag), properties);
  created.append(...children);
  return created;
};

// Each kind makes a control's element, which calls `moved` with a new value, and a function that shows a value.
const KINDS = {
  slider(control, moved) {
    const { label, options, low, high, step } = control;
    const input = element("input", { type: "range", min: options ? 0 : low, max: options ? options.length - 1 : high });
    input.step = options ? 1 : step;
    const output = element("span", { className: "value", ariaHidden: "true" });   // an <output> would take the label
    input.oninput = () => moved(options ? options[input.value][0] : Number(input.value));
    return [element("label", { className: "control" }, element("span", {}, label), output, input), (value) => {
      const position = options ? options.findIndex(([option]) => option === value) : value;
      input.value = position;
      output.textContent = input.ariaValueText = options ? options[position][1] : String(value).replace("-", "−");
    }];
  },
  number({ label, low, high }, moved) {
    const input = element("input", { type: "number", min: low, max: high, step: 1, inputMode: "numeric" });
    input.oninput = () => {
      input.ariaInvalid = String(!input.validity.valid || input.value === "");
      if (input.validity.valid && input.value !== "") moved(Number(input.value));
    };
    return [element("label", { className: "control" }, element("span", {}, label), input), (value) => {
      if (document.activeElement !== input) input.value = value;
    }];
  },
  choice({ id, label, options }, moved) {
    const inputs = options.map(([value]) => element("input", { type: "radio", name: PREFIX + id, value }));
    const labels = options.map(([, title], i) => element("label", {}, inputs[i], element("span", {}, title)));
    inputs.forEach((input) => { input.onchange = () => moved(input.value); });
    const group = element("fieldset", { className: "control" }, element("legend", {}, label), element("div", {}, ...labels));
    return [group, (value) => inputs.forEach((input) => { input.checked = input.value === value; })];
  },
  // Draws new random numbers, or sets other controls.
  button({ label, sets, high }, moved, current) {
    const press = () => moved(sets ?? (current() + 1) % (high + 1));
    return [element("button", { type: "button", onclick: press }, label), () => {}];
  },
};

// Figures

function createFigure(data, component, container) {
  const figure = { data, component, frame: 0, charts: new Map(), show: [], root: null };
  const byId = new Map(data.controls.map((control) => [control.id, control]));
  const parts = data.controls.map((control) => {
    const [part, show] = KINDS[control.kind](control, (value) => {
      if (typeof value === "object") for (const [id, other] of Object.entries(value)) set(byId.get(id), other);
      else set(control, value);
      drawSoon(figure);
      if (control.kind === "button") settled(figure);
    }, () => setting(control));
    figure.show.push(() => show(setting(control)));
    return part;
  });
  const controls = element("div", { className: "controls", onchange: () => settled(figure) }, ...parts);
  const drawings = data.charts.map(({ id, title, height }) => {
    const caption = element("figcaption", { id: `how-caption-${id}` }, data.fallback);   // until it is drawn
    const chart = element("div", { className: "chart" });
    chart.style.minHeight = `${height}px`;
    chart.dataset.chart = `how-chart-${id}`;
    chart.setAttribute("role", "img");
    chart.setAttribute("aria-labelledby", caption.id);
    figure.charts.set(id, { chart, caption, height });
    return element("figure", {}, ...(title ? [element("h3", {}, title)] : []), chart, caption);
  });
  figure.numbers = element("dl");
  figure.tables = element("div", { className: "tables" });
  figure.text = element("p");
  figure.status = element("p", { className: "status" });
  figure.status.setAttribute("role", "status");
  const results = element("div", { className: "results" }, ...drawings, figure.text, figure.tables, figure.numbers);
  figure.root = element("div", { className: `explanation${data.wide ? " wide" : ""}` }, controls, results, figure.status);
  const redraw = () => drawSoon(figure);
  new ResizeObserver(redraw).observe(results);
  new IntersectionObserver((entries) => {
    figure.isNear = entries.at(-1).isIntersecting;
    redraw();
  }, { scrollMargin: "100% 0px" }).observe(figure.root);
  container.replaceChildren(figure.root);
  return figure;
}

// The reader has let go of a control: the address is written, and the result is said aloud.
function settled(figure) {
  writeAddress();
  draw(figure);
  const texts = [figure.text, ...[...figure.charts.values()].map(({ caption }) => caption)].map((part) => part.textContent);
  figure.status.textContent = texts.filter(Boolean).join(" ");
}

function drawSoon(figure) {
  figure.frame ||= requestAnimationFrame(() => draw(figure));
}

function draw(figure) {
  cancelAnimationFrame(figure.frame);
  figure.frame = 0;
  for (const show of figure.show) show();
  if (!figure.isNear || !figure.root.isConnected) return;   // its observer draws it
  const { data, template } = figure;
  const values = Object.fromEntries(data.controls.map((control) => [control.id, setting(control)]));
  const drawn = FIGURES[data.id](values)(template.layout.colorway);
  figure.text.textContent = drawn.text ?? "";
  figure.tables.innerHTML = (drawn.tables ?? []).join("");
  figure.numbers.replaceChildren(...(drawn.numbers ?? []).map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value))));
  for (const [id, { chart, caption, height }] of figure.charts) {
    const { data: traces, layout, text } = drawn.charts[id];
    caption.textContent = text;
    const width = chart.clientWidth;
    if (window.Plotly && width) window.Plotly.react(chart, traces, { ...layout, template, width, height }, CONFIG);
  }
}

export default async function (component) {
  const { data, parentElement } = component;
  const container = parentElement.querySelector(".explanation-container");
  let figure = figures.get(data.id);
  if (!figure || figure.root.parentElement !== container) {
    readAddress(data.controls);
    figure = createFigure(data, component, container);
    figures.set(data.id, figure);
  }
  pageSize.observe(figure.root.closest(".stMainBlockContainer"));
  figure.component = component;
  figure.template = themeTemplate(figure.root);             // Streamlit calls this function for another theme, too
  writeAddress();
  drawSoon(figure);
  try {
    await loadPlotly(data.plotly);
    drawSoon(figure);
  } catch {
    for (const { chart } of figure.charts.values()) {
      chart.style.minHeight = "0";
      chart.textContent = "The chart cannot be drawn, because Plotly did not load. What it shows:";
    }
  }
}
