// What a heat map of the event stream does not carry, because it follows from its values: bnlab/live/layers.py.
const MAX_DECADES = 4;            // as in bnlab/charts/heatmaps.py

// The trace for Plotly of one with `cells`, its values: their deviations from the `initial` value as colors, those of a
// variance in decades, and the values themselves for the hover text. With `units` each row of the cells is an evaluation,
// and a row that is drawn is a unit; they are sorted by their last values.
export function heatMapTrace({ cells, units, initial, logarithmic, ...trace }) {
  if (!cells) return trace;
  const deviation = (value) => (logarithmic
    ? Math.log10(Math.min(Math.max(value / initial, 10 ** -MAX_DECADES), 10 ** MAX_DECADES))
    : value - initial);
  let values = cells;
  if (units) {
    const order = sortedBy(cells.findLast((row) => row.every(Number.isFinite)) ?? cells[0]);
    values = order.map((unit) => Float32Array.from(cells, (row) => row[unit]));
    trace.x = Object.values(trace.x);
    trace.y = order.map((unit) => `unit ${units[unit]}`);
  }
  return { ...trace, customdata: values, z: values.map((row) => row.map(deviation)) };
}

// The positions of the values from the lowest to the highest, those that are no numbers last.
function sortedBy(values) {
  const rank = (value) => (Number.isNaN(value) ? Infinity : value);
  return [...values.keys()].sort((a, b) => rank(values[a]) - rank(values[b]) || a - b);
}
