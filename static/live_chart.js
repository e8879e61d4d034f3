// One Plotly chart per key, redrawn in place: a Streamlit Custom Component v2, whose Python half is
// bnlab/ui/live_chart.py. Streamlit calls the default export for every new figure and every change of theme, sometimes
// with a new container. The chart's element is kept and moved there, so zoom, hidden traces and hover are kept too.
// A chart with a `source` is fed by the event stream and not by its component's data.
import { heatMapTrace } from "./heat_map.js";
import { subscribe, unsubscribe } from "./live_stream.js";
import { loadPlotly, themeTemplate } from "./plotly_theme.js";

const CONFIG = {
  displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d", "toImage"],
  showSendToCloud: false,         // on by default in plotly.js 4: a button that uploads the data
};
const NARROW = 480;               // px: no mode bar below, it would cover the title; a double tap also resets the axes
const MAX_DETACHED_CHARTS = 12;   // charts that are not on the page but keep their zoom
const MIN_WIDTH = 60;             // px: narrower containers are still being laid out
const SUBTITLE_LINES = 3;         // at most; what does not fit into them is cut off
const LEGEND_HEIGHT = 30;         // px, of the legend in a downloaded picture
const BELOW = 24;                 // px below a chart that fills the window
const REST = 3;                   // how many times longer than a chart's drawing is the pause after it
let nextDraw = 0, restUntil = 0;
const waiting = new Set();        // charts of the event stream that have changed since they were drawn
const charts = new Map();         // key -> chart, in the order in which they were last mounted
const hidden = new Set();         // the legend groups that the reader has hidden, by a click on a variant's name

// Evenly spaced values are sent as start, step and length.
function unpack(trace) {
  for (const [name, value] of Object.entries(trace)) {
    if (!value?.even) continue;
    const [start, step, length] = value.even;
    trace[name] = Float32Array.from({ length }, (_, i) => start + i * step);
  }
}

// The figure of the event stream's chart; its arrays are shared, the rest is copied, since Plotly writes into it.
function streamedFigure({ order, traces, layout, shared }) {
  const isArray = (value) => value instanceof Float32Array || value?.[0] instanceof Float32Array;
  const copy = (value) => isArray(value) ? value : value?.shared ? shared[value.shared] : structuredClone(value);
  const trace = (uid) => Object.fromEntries(Object.entries(traces[uid]).map(([name, value]) => [name, copy(value)]));
  return { data: order.map((uid) => heatMapTrace(trace(uid))), layout: structuredClone(layout) };
}

// Breaks a subtitle that is wider than the plot into lines, which Plotly does not, and makes room for them.
function wrapSubtitle({ title, margin, width, height }, template) {
  const text = title?.subtitle?.text;
  if (!text) return;
  const size = Math.round(0.7 * template.layout.title.font.size);                  // of a subtitle in Plotly
  const context = (wrapSubtitle.context ??= document.createElement("canvas").getContext("2d"));
  context.font = `${size}px ${template.layout.font.family}`;
  const room = width - (margin?.l ?? template.layout.margin.l) - (margin?.r ?? template.layout.margin.r);
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (lines.at(-1) && lines.length < SUBTITLE_LINES && context.measureText(longer).width > room) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  if (lines.length === 1) return;
  title.subtitle.text = lines.join("<br>");
  Object.assign(title, { y: 1 - margin.t / 2 / height, yanchor: "bottom" });       // where it would be without them
  margin.t += Math.ceil((lines.length - 1) * 1.3 * size);
}

// A chart that fills the window ends above its lower edge, however far the page is scrolled.
function heightOf({ element, data }) {
  if (!data.fills) return data.height;
  const scrolled = element.closest(".stMain")?.scrollTop ?? 0;
  return Math.max(data.height, Math.floor(innerHeight - element.getBoundingClientRect().top - scrolled - BELOW));
}

addEventListener("resize", () => {
  for (const chart of charts.values()) if (chart.data.fills && chart.element.isConnected) draw(chart);
});

function draw(chart) {
  const { element, data, Plotly } = chart;
  clearTimeout(chart.retry);
  if (data.source && !chart.streamed) return;       // the stream brings it
  // Hidden or off screen: the observers draw it later. Its first drawing is ready before it is scrolled to; updates wait
  // until it is in sight, because a drawing takes tens of milliseconds.
  if (element.clientWidth < MIN_WIDTH || !(chart.drawn ? chart.visible : chart.near)) return;
  if (element._dragging) {                          // do not redraw during a drag
    chart.retry = setTimeout(draw, 100, chart);
    return;
  }
  chart.stale = false;
  chart.width = element.clientWidth;
  const template = themeTemplate(element);
  const height = heightOf(chart);
  showHidden();
  const drawn = JSON.stringify([data.figure ?? chart.revision, height, chart.width, template, [...hidden]]);
  if (drawn === chart.drawn) return;                // unchanged
  // Parsed each time, since Plotly writes the reader's zoom into the objects it is given.
  const figure = data.source ? streamedFigure(chart.streamed) : JSON.parse(data.figure);
  figure.data.forEach(unpack);
  for (const trace of figure.data) if (hidden.has(trace.legendgroup)) trace.visible = "legendonly";
  figure.layout.annotations = figure.layout.annotations?.filter(({ name }) => !hidden.has(name));
  const layout = { ...figure.layout, template, width: chart.width, height };
  const displayModeBar = chart.width < NARROW ? false : "hover";
  wrapSubtitle(layout, template);
  const config = { ...CONFIG, displayModeBar, modeBarButtonsToAdd: chart.buttons };
  const done = Plotly.react(element, figure.data, layout, config);
  // The label says what is seen; the numbers at the ticks would be read out one by one.
  for (const svg of element.querySelectorAll(".main-svg")) svg.ariaHidden = "true";
  // Its tools are named by the chart: the page has others with the same ones.
  const title = [figure.layout.title?.text, data.panel].filter(Boolean).join(", ");
  for (const tool of element.querySelectorAll(".modebar-btn")) tool.ariaLabel = `${tool.dataset.title}: ${title}`;
  chart.curves = String(chart.streamed?.order);
  chart.drawn = drawn;                              // set last, so that a failed draw is retried
  return done;
}

// On a picture the names are in a legend, which the page has outside of its charts.
const downloadButton = (chart) => ({
  name: "Download as PNG",
  icon: chart.Plotly.Icons.camera,
  click: ({ data, layout }) => chart.Plotly.downloadImage(
    { data, layout: { ...layout, showlegend: true } },
    { format: "png", filename: chart.data.chart, scale: 2, width: layout.width, height: layout.height + LEGEND_HEIGHT },
  ),
});

// A click on a variant's name hides its curves in all charts, or shows them again.
function toggle(uid) {
  if (!hidden.delete(uid)) hidden.add(uid);
  showHidden();
  for (const chart of charts.values()) {
    chart.stale = true;
    if (chart.element.isConnected) draw(chart);
  }
}

function showHidden() {
  for (const name of document.querySelectorAll(".variant-name")) name.ariaPressed = !hidden.has(name.dataset.uid);
}

addEventListener("click", (event) => {
  const name = event.target.closest?.(".variant-name");
  if (name) toggle(name.dataset.uid);
});

// Draws a chart of the event stream, or waits: what arrives meanwhile is drawn together. Drawing again takes at most a
// quarter of the browser's time, so that a slow machine shows fewer updates and still answers its reader. Curves of another
// comparison are drawn at once: until then the chart shows what the rest of the page no longer speaks of.
function drawSoon(chart) {
  if (chart.drawn && chart.streamed && chart.curves !== String(chart.streamed.order)) return draw(chart);
  waiting.add(chart);
  scheduleNext();
}

function scheduleNext() {
  clearTimeout(nextDraw);
  const isFirst = [...waiting].some((chart) => !chart.drawn);
  if (waiting.size) nextDraw = setTimeout(drawNext, isFirst ? 0 : restUntil - performance.now());
}

// One chart at a time, so that the first one is on screen before the others are drawn: those without a drawing come
// first, among them those in sight, from the top of the page down. The others are drawn in the order of their changes.
function drawNext() {
  const urgency = ({ drawn, visible }) => drawn ? 0 : visible ? 2 : 1;
  const isBelow = (a, b) => b.element.compareDocumentPosition(a.element) & Node.DOCUMENT_POSITION_FOLLOWING;
  const [chart] = [...waiting].sort((a, b) => urgency(b) - urgency(a) || (a.drawn ? 0 : isBelow(a, b) ? 1 : -1));
  waiting.delete(chart);
  const began = performance.now();
  try {
    draw(chart);
  } finally {                                       // whatever becomes of this one, the others are drawn
    const ended = performance.now();
    restUntil = ended + REST * (ended - began);
    scheduleNext();
  }
}

function createChart(Plotly) {
  const element = document.createElement("div");
  const chart = { element, Plotly, data: null, stale: true, drawn: "", near: false, width: 0, retry: 0, observers: [] };
  chart.buttons = [downloadButton(chart)];          // the same at every drawing: another configuration resets the zoom
  chart.streamed = null;
  chart.revision = 0;
  element.setAttribute("role", "figure");   // not "img", whose parts could not be focused
  const resizeObserver = new ResizeObserver(() => {
    chart.stale ||= element.clientWidth !== chart.width;      // off screen it is drawn when it comes near
    if (chart.stale) draw(chart);
  });
  chart.visible = false;
  const watch = (property, scrollMargin) => new IntersectionObserver((entries) => {
    chart[property] = entries.at(-1).isIntersecting;
    if (chart[property] && chart.stale) drawSoon(chart);
  }, { scrollMargin });
  // One screen ahead, and in sight, in any scroll container.
  chart.observers = [resizeObserver, watch("near", "100% 0px"), watch("visible", "0px")];
  for (const observer of chart.observers) observer.observe(element);
  return chart;
}

function dispose(chart) {
  clearTimeout(chart.retry);
  unsubscribe(chart.element);
  waiting.delete(chart);
  for (const observer of chart.observers) observer.disconnect();
  chart.Plotly.purge(chart.element);
}

function disposeOldest() {
  const detached = [...charts].filter(([, chart]) => !chart.element.isConnected);
  for (const [key, chart] of detached.slice(0, -MAX_DETACHED_CHARTS)) {
    charts.delete(key);
    dispose(chart);
  }
}

function mount(chart, container, data) {
  charts.delete(data.chart);
  charts.set(data.chart, chart);
  if (chart.element.parentElement !== container) container.replaceChildren(chart.element);
  chart.element.dataset.chart = data.chart;
  if (data.alt) chart.element.ariaLabel = data.alt;
  if (data.description) chart.element.setAttribute("aria-describedby", data.description);
  else chart.element.removeAttribute("aria-describedby");
  chart.element.style.minHeight = `${data.height}px`;
  chart.data = data;
  chart.stale = true;
  if (!data.source) return draw(chart);
  subscribe(chart.element, data.source, (streamed) => {
    chart.streamed = streamed;
    chart.revision += 1;
    chart.element.ariaLabel = typeof streamed.alt === "string" ? streamed.alt : Object.values(streamed.alt).join("");
    chart.stale = true;
    drawSoon(chart);
  });
}

export default async function ({ data, parentElement }) {
  const container = parentElement.querySelector(".live-chart");
  container.style.minHeight = `${data.height}px`;       // so that nothing moves when the chart is drawn
  container.latest = data;
  let Plotly;
  try {
    Plotly = await loadPlotly(data.plotly);
  } catch {
    container.textContent = "This chart cannot be drawn: Plotly did not load. Reload the page, or ask whoever runs it.";
    return;
  }
  if (!container.isConnected || container.latest !== data) return;   // replaced while Plotly was loading
  await mount(charts.get(data.chart) ?? createChart(Plotly), container, data);
  return disposeOldest;                             // Streamlit calls it after removing the container
}
