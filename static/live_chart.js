// One Plotly chart per key, redrawn in place: a Streamlit Custom Component v2, whose Python half is
// bnlab/ui/live_chart.py. Streamlit calls the default export for every new figure and every change of theme, sometimes
// with a new container. The chart's element is kept and moved there, so zoom, hidden traces and hover are kept too.
// A chart with a `source` is fed by the event stream and not by its component's data.
import { subscribe, unsubscribe } from "./live_stream.js";

const CONFIG = {
  displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"],
  showSendToCloud: false,         // on by default in plotly.js 4: a button that uploads the data
};
const NARROW = 480;               // px: no mode bar below, it would cover the title; a double tap also resets the axes
const MAX_DETACHED_CHARTS = 12;   // charts that are not on the page but keep their zoom
const MIN_WIDTH = 60;             // px: narrower containers are still being laid out
const RETRY_DELAY = 5000;         // ms until Plotly is loaded again after a failure
const REST = 3;                   // how many times longer than a chart's drawing is the pause after it
let nextDraw = 0, restUntil = 0;
const waiting = new Set();        // charts of the event stream that have changed since they were drawn
const charts = new Map();         // key -> chart, in the order in which they were last mounted

let loading;
function loadPlotly(url) {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  return (loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    // Streamlit answers unknown URLs with status 200 and a web page, so look for Plotly itself.
    script.onload = script.onerror = () => {
      if (window.Plotly) return resolve(window.Plotly);
      script.remove();
      setTimeout(() => { loading = undefined; }, RETRY_DELAY);
      reject(new Error(`no Plotly at ${url}`));
    };
    script.src = new URL(url, document.baseURI).href;
    document.head.append(script);
  }));
}

// The theme as a Plotly template: the defaults of all properties that a figure does not set itself.
function themeTemplate(element) {
  const style = getComputedStyle(element);
  const css = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const text = css("text-color");
  const background = css("background-color");       // not transparent: Plotly picks contrasting colors for it
  const line = css("border-color");
  const page = getComputedStyle(document.documentElement);    // larger for a projector
  const size = Math.round(0.875 * (parseFloat(page.fontSize) || 16));
  const axis = {
    automargin: true, exponentformat: "power", gridcolor: line, linecolor: line, zerolinecolor: line, zeroline: false,
    tickfont: { size }, title: { font: { size: size + 1 }, standoff: 8 },
  };
  return {
    layout: {
      font: { color: text, family: css("font"), size },
      title: { font: { size: size + 3 }, x: 0, xref: "paper" },
      colorway: css("chart-categorical-colors").split(","),
      paper_bgcolor: background, plot_bgcolor: background, margin: { l: 60, r: 16, t: 40, b: 48 },
      hoverlabel: {
        bgcolor: css("secondary-background-color"), bordercolor: line, font: { color: text, size }, namelength: -1,
      },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: css("gray-text-color"), activecolor: css("primary-color") },
      annotationdefaults: { arrowcolor: text },
      shapedefaults: { line: { color: text } },
      xaxis: axis,
      yaxis: axis,
    },
  };
}

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
  return { data: order.map(trace), layout: structuredClone(layout) };
}

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
  const drawn = JSON.stringify([data.figure ?? chart.revision, data.height, chart.width, template]);
  if (drawn === chart.drawn) return;                // unchanged
  // Parsed each time, since Plotly writes the reader's zoom into the objects it is given.
  const figure = data.source ? streamedFigure(chart.streamed) : JSON.parse(data.figure);
  figure.data.forEach(unpack);
  const layout = { ...figure.layout, template, width: chart.width, height: data.height };
  const displayModeBar = chart.width < NARROW ? false : "hover";
  const config = { ...CONFIG, displayModeBar, toImageButtonOptions: { filename: data.chart, scale: 2 } };
  const done = Plotly.react(element, figure.data, layout, config);
  chart.drawn = drawn;                              // set last, so that a failed draw is retried
  return done;
}

// Draws a chart of the event stream, or waits: what arrives meanwhile is drawn together. Drawing takes at most a quarter of
// the browser's time, so that a slow machine shows fewer updates and still answers its reader.
function drawSoon(chart) {
  if (!chart.drawn) return draw(chart);
  waiting.add(chart);
  nextDraw ||= setTimeout(drawNext, restUntil - performance.now());
}

function drawNext() {
  const [chart] = waiting;
  const began = performance.now();
  if (chart && waiting.delete(chart)) draw(chart);
  const ended = performance.now();
  restUntil = ended + REST * (ended - began);
  nextDraw = waiting.size ? setTimeout(drawNext, restUntil - ended) : 0;
}

function createChart(Plotly) {
  const element = document.createElement("div");
  const chart = { element, Plotly, data: null, stale: true, drawn: "", near: false, width: 0, retry: 0, observers: [] };
  chart.streamed = null;
  chart.revision = 0;
  element.setAttribute("role", "img");
  const resizeObserver = new ResizeObserver(() => {
    chart.stale ||= element.clientWidth !== chart.width;      // off screen it is drawn when it comes near
    if (chart.stale) draw(chart);
  });
  chart.visible = false;
  const watch = (property, scrollMargin) => new IntersectionObserver((entries) => {
    chart[property] = entries.at(-1).isIntersecting;
    if (chart[property] && chart.stale) draw(chart);
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
  chart.element.style.minHeight = `${data.height}px`;
  chart.data = data;
  chart.stale = true;
  if (!data.source) return draw(chart);
  subscribe(chart.element, data.source, (streamed) => {
    chart.streamed = streamed;
    chart.revision += 1;
    chart.element.ariaLabel = typeof streamed.alt === "string" ? streamed.alt : Object.values(streamed.alt).join("; ");
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
