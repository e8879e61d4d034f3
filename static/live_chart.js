// One Plotly chart for each key, redrawn in place (a Streamlit Custom Component v2; its other half is
// bnlab/ui/live_chart.py). Streamlit calls the default export for every new figure and every change of theme, and
// sometimes gives it a new place on the page. The chart's own element is kept and moved there, so whatever the reader
// did to it stays done.
const CONFIG = {
  displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"],
  showSendToCloud: false,         // on by default in plotly.js 4: it would offer to upload the runs
};
const NARROW = 480;               // px: the mode bar would cover the title; a double tap resets the axes all the same
const KEPT_AWAY_FROM_PAGE = 12;   // charts off the page whose view is remembered
const NARROWEST = 60;             // px: narrower is a place that is just being laid out
const RETRY_AFTER = 5000;         // ms until a Plotly that did not load is asked for again
const charts = new Map();         // key -> chart, the one mounted last at the end

let loading;
function loadPlotly(url) {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  return (loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    // An address that serves nothing answers 200 with a web page, which "loads": look for Plotly itself.
    script.onload = script.onerror = () => {
      if (window.Plotly) return resolve(window.Plotly);
      script.remove();
      setTimeout(() => { loading = undefined; }, RETRY_AFTER);
      reject(new Error(`no Plotly at ${url}`));
    };
    script.src = new URL(url, document.baseURI).href;
    document.head.append(script);
  }));
}

// The theme as a Plotly template, which is what lies under everything that a figure sets itself.
function themeTemplate(element) {
  const style = getComputedStyle(element);
  const css = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const text = css("text-color");
  const background = css("background-color");       // not clear: Plotly picks contrasting colours against it
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

// Evenly spaced values travel as start, step and length.
function unpack(trace) {
  for (const [name, value] of Object.entries(trace)) {
    if (!value?.even) continue;
    const [start, step, length] = value.even;
    trace[name] = Float32Array.from({ length }, (_, i) => start + i * step);
  }
}

function draw(chart) {
  const { element, data, Plotly } = chart;
  clearTimeout(chart.retry);
  if (element.clientWidth < NARROWEST || !chart.near) return;  // hidden or far below: the observers draw it in time
  if (element._dragging) {                          // not under the reader's hand
    chart.retry = setTimeout(draw, 100, chart);
    return;
  }
  chart.stale = false;
  chart.width = element.clientWidth;
  const template = themeTemplate(element);
  const drawn = JSON.stringify([data.figure, data.height, chart.width, template]);
  if (drawn === chart.drawn) return;                // a tick that brought this chart nothing new
  // Parsed anew each time: Plotly writes the reader's zoom into the objects it is given.
  const figure = JSON.parse(data.figure);
  figure.data.forEach(unpack);
  const layout = { ...figure.layout, template, width: chart.width, height: data.height };
  const displayModeBar = chart.width < NARROW ? false : "hover";
  const config = { ...CONFIG, displayModeBar, toImageButtonOptions: { filename: data.chart, scale: 2 } };
  const done = Plotly.react(element, figure.data, layout, config);
  chart.drawn = drawn;                              // only now: what failed is tried again
  return done;
}

function createChart(Plotly) {
  const element = document.createElement("div");
  const chart = { element, Plotly, data: null, stale: true, drawn: "", near: false, width: 0, retry: 0, observers: [] };
  element.setAttribute("role", "img");
  const sized = new ResizeObserver(() => {
    chart.stale ||= element.clientWidth !== chart.width;      // also off the screen: drawn anew when it comes near
    if (chart.stale) draw(chart);
  });
  const seen = new IntersectionObserver((entries) => {
    chart.near = entries.at(-1).isIntersecting;
    if (chart.near && chart.stale) draw(chart);
  }, { scrollMargin: "100% 0px" });                 // a screen ahead, in whatever element the page scrolls
  chart.observers = [sized, seen];
  for (const observer of chart.observers) observer.observe(element);
  return chart;
}

function dispose(chart) {
  clearTimeout(chart.retry);
  for (const observer of chart.observers) observer.disconnect();
  chart.Plotly.purge(chart.element);
}

function forgetOldest() {
  const away = [...charts].filter(([, chart]) => !chart.element.isConnected);
  for (const [key, chart] of away.slice(0, -KEPT_AWAY_FROM_PAGE)) {
    charts.delete(key);
    dispose(chart);
  }
}

function mount(chart, place, data) {
  charts.delete(data.chart);
  charts.set(data.chart, chart);
  if (chart.element.parentElement !== place) place.replaceChildren(chart.element);
  chart.element.dataset.chart = data.chart;
  chart.element.ariaLabel = data.alt;
  chart.element.style.minHeight = `${data.height}px`;
  chart.data = data;
  chart.stale = true;
  return draw(chart);
}

export default async function ({ data, parentElement }) {
  const place = parentElement.querySelector(".live-chart");
  place.style.minHeight = `${data.height}px`;       // nothing jumps when the chart arrives
  place.latest = data;
  let Plotly;
  try {
    Plotly = await loadPlotly(data.plotly);
  } catch {
    place.textContent = "This chart cannot be drawn: Plotly did not load. Reload the page, or ask whoever runs it.";
    return;
  }
  if (!place.isConnected || place.latest !== data) return;   // overtaken while Plotly loaded
  await mount(charts.get(data.chart) ?? createChart(Plotly), place, data);
  return forgetOldest;                              // Streamlit calls it when it has taken the place off the page
}
