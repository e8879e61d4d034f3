// Loads Plotly, once for all charts of the page, and has the page's theme for them.
const RETRY_DELAY = 5000;         // ms until Plotly is loaded again after a failure

let loading;
export function loadPlotly(url) {
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
export function themeTemplate(element) {
  const style = getComputedStyle(element);
  const css = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const text = css("text-color");
  const background = css("background-color");       // not transparent: Plotly picks contrasting colors for it
  const line = css("border-color");
  const page = getComputedStyle(document.documentElement);    // larger for a projector
  const size = Math.round(0.875 * (parseFloat(page.fontSize) || 16));
  const axis = {
    automargin: true, exponentformat: "power", gridcolor: line, linecolor: line, zerolinecolor: line, zeroline: false,
    ticklabelstandoff: 4,  // or the lowest label of one axis would touch the first of the other
    ticklabeloverflow: "allow",  // or every label is measured, at each drawing
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
