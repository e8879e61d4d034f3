// The figures of How it works: each function takes the values of its controls and the theme's colors, and returns charts
// for plotly.js with a sentence each, and tables. Nothing here touches the page.
import {
  EPSILON, activate, dense, descent, foldIntoNext, foldIntoPrevious, histogram, maxDifference, mean,
  movingAverages, normalize, normalizeBatch, normalizeMatrix, normalizeRows, normalizeUnits, normals, statisticsSets, std,
  stepsUntilBelow, uniforms, variance,
} from "./normalization.js";

const range = (count, from = 0) => Array.from({ length: count }, (_, i) => i + from);
const chunks = (values, size) => range(Math.ceil(values.length / size)).map((i) => values.slice(i * size, (i + 1) * size));
const column = (rows, j) => rows.map((row) => row[j]);

// Values that stay the same while the reader drags.
const remembered = new Map();
function remember(key, compute) {
  if (!remembered.has(key)) remembered.set(key, compute());
  return remembered.get(key);
}

// Numbers as text, with a real minus and without −0

const clean = (text) => (/^-0(\.0*)?$/.test(text) ? text.slice(1) : text).replace("-", "−");
export const fixed = (value, decimals = 2) => clean(value.toFixed(decimals));
export function digits(value, count = 3) {
  if (Math.abs(value) < 1e-9) return "0";
  const size = Math.abs(value);
  return size < 1e-4 || size >= 1e6 ? power(value) : clean(String(Number(value.toPrecision(count))));
}
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
function power(value) {
  if (value === 0) return "0";
  const [mantissa, exponent] = value.toExponential(0).split("e");
  const raised = exponent.replace("+", "").replace("-", "⁻").replace(/\d/g, (digit) => SUPERSCRIPTS[digit]);
  return `${clean(mantissa)} × 10${raised}`;
}
const whole = (value) => value.toLocaleString("en");
export const percent = (share) => share > 0 && share < 0.001 ? "less than 0.1 %" : `${fixed(100 * share, share < 0.1 ? 1 : 0)} %`;

// Parts of charts

const GREY = "#7f7f7f";
const titled = (text, properties = {}) => ({ title: { text }, ...properties });
const layout = (xaxis, yaxis, properties = {}) => ({
  dragmode: false,                  // no zoom, which would catch a finger that scrolls
  hovermode: "closest",
  legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom" },
  margin: { l: 8, r: 8, t: 8, b: 8 },
  xaxis: { fixedrange: true, ...xaxis },
  yaxis: { fixedrange: true, ...yaxis },
  ...properties,
});
const line = (name, x, y, properties, hovertemplate) =>
  ({ type: "scatter", mode: "lines", name, x, y, line: properties, hovertemplate });
const verticalLine = (x, dash = "dash") =>
  ({ type: "line", x0: x, x1: x, y0: 0, y1: 1, yref: "paper", line: { color: GREY, width: 2, dash } });

// A batch of one feature on its way through the stages, from top to bottom; below each stage mean ± standard deviation.
function stagesChart(stages, colors) {
  const names = Object.keys(stages), rows = Object.values(stages);
  const heights = names.map((_, i) => names.length - 1 - i);
  const reach = Math.max(6, Math.ceil(Math.max(...rows.flat().map(Math.abs)) + 0.5));
  const path = (examples, name, color) => ({
    type: "scatter", name, mode: "lines+markers", line: { color, width: 1.5 }, marker: { size: 11 },
    x: examples.flatMap((i) => [...column(rows, i), null]), y: examples.flatMap(() => [...heights, null]),
    hovertemplate: "%{x:.4g}<extra></extra>",
  });
  const spread = {
    type: "scatter", mode: "markers", name: "mean ± standard deviation", x: rows.map(mean),
    y: heights.map((height) => height - 0.24), hovertemplate: "mean %{x:.4f}<extra></extra>",
    marker: { color: GREY, size: 11, symbol: "diamond" },
    error_x: { type: "data", array: rows.map(std), color: GREY, thickness: 3, width: 6 },
  };
  const yaxis = { range: [-0.6, names.length - 0.6], tickvals: heights, ticktext: names, showgrid: false };
  return {
    data: [
      path(range(rows[0].length - 1, 1), "the other examples", colors[0]), path([0], "example 1", colors[1]), spread,
    ],
    layout: layout(titled("value", { range: [-reach, reach], zeroline: true }), yaxis),
  };
}

function statistics({ size, mean: center, spread, moved, epsilon, batch }) {
  const x = normals(32, batch).slice(0, size).map((z) => center + spread * z);
  x[0] += moved;
  const mu = mean(x), sigma2 = variance(x);
  const stages = { "x": x, "x − μ": x.map((value) => value - mu), "x̂": normalizeBatch(x, { epsilon }) };
  const text = size === 1
    ? "One example is its own mean: nothing is left of it but 0, whatever it was."
    : `${size} values with mean ${digits(mu)} and standard deviation ${digits(std(x))} become values with mean 0 and ` +
      `standard deviation ${digits(std(stages["x̂"]))}.`;
  return (colors) => ({
    charts: { batch: { ...stagesChart(stages, colors), text } },
    numbers: [
      ["μ", digits(mu)], ["σ²", digits(sigma2)], ["√(σ² + ε)", digits(Math.sqrt(sigma2 + epsilon))],
      ["x̂ of example 1", digits(stages["x̂"][0])],
    ],
  });
}

// A batch with μ = 2 and √(σ² + ε) = 1.5 exactly.
export const IDENTITY = { gamma: 1.5, beta: 2 };

function gammaBeta({ gamma, beta }) {
  const x = remember("identity", () => {
    const z = normalizeBatch(normals(6, 4), { epsilon: 0 });
    return z.map((value) => IDENTITY.beta + Math.sqrt(IDENTITY.gamma ** 2 - EPSILON) * value);
  });
  const y = normalizeBatch(x, { gamma, beta });
  const difference = maxDifference(x, y);
  const result = difference < 1e-9
    ? "gamma = √(σ² + ε) = 1.5 and beta = μ = 2 give the input back, y = x: BN can undo itself, so it takes nothing away."
    : gamma === 0
      ? `With gamma = 0 the unit is switched off: it gives beta, ${digits(beta)}, for every example.`
      : `The output has mean ${digits(beta)} and standard deviation ${digits(std(y))}, whatever came in. From the input, ` +
        `which has μ = 2 and √(σ² + ε) = 1.5, it differs by up to ${digits(difference)}.`;
  return (colors) => ({
    charts: { identity: { ...stagesChart({ "x": x, "x̂": normalizeBatch(x), "γ x̂ + β": y }, colors), text: result } },
  });
}

const BATCHES = 30;
const OTHERS = { mean: 2, std: 2 }; // the distribution of the examples that share the batches

// After a long training on batches of size m, moving_variance is their average variance, (m − 1) / m of the distribution's.
function modes({ value, "modes-size": size }) {
  const noise = remember("modes", () => chunks(normals(BATCHES * 255, 0), 255));
  const batches = noise.map((row) => [value, ...row.slice(0, size - 1).map((z) => OTHERS.mean + OTHERS.std * z)]);
  const training = batches.map((batch) => normalizeBatch(batch)[0]);
  const [inference] = normalize([value], OTHERS.mean, OTHERS.std ** 2 * (size - 1) / size);
  const low = Math.min(...training), high = Math.max(...training);
  const text = size === 1
    ? `Alone in its batch, the example is the batch's mean and comes out as ${fixed(low)} in training mode; in inference ` +
      `mode as ${fixed(inference)}: moving_variance has come to 0, and epsilon alone is left to divide by.`
    : `In training mode the same example comes out between ${fixed(low)} and ${fixed(high)}, depending on its batch; ` +
      `in inference mode always as ${fixed(inference)}.`;
  const limit = Math.abs(inference) > 4.5 ? 200 : 4.5;
  const x = range(BATCHES, 1);
  return (colors) => ({
    charts: {
      modes: {
        text,
        data: [
          line("inference mode", x, x.map(() => inference), { color: colors[0], width: 4 }, "%{y:.3f}"),
          {
            ...line("training mode", x, training, { color: colors[1], width: 1 }, "%{y:.3f}"),
            mode: "lines+markers", marker: { size: 11 },
          },
        ],
        layout: layout(titled("batch"), titled("output for the same example", { range: [-limit, limit] })),
      },
    },
  });
}

const STREAM = { mean: 3, variance: 6, size: 32, steps: 1000 }; // the batches of the figure
const FORGOTTEN = 0.01;

function momentum({ momentum: m, steps, images, "batch-size": batchSize }) {
  const batches = remember("stream", () => chunks(
    normals(STREAM.steps * STREAM.size, 0).map((z) => STREAM.mean + Math.sqrt(STREAM.variance) * z), STREAM.size));
  const [means, variances] = remember("statistics", () => [batches.map(mean), batches.map(variance)]);
  const x = range(steps + 1);
  const moving = {
    moving_mean: movingAverages(0, means.slice(0, steps), m), moving_variance: movingAverages(1, variances.slice(0, steps), m),
  };
  const target = STREAM.variance * (STREAM.size - 1) / STREAM.size;
  const movingText = `After ${whole(steps)} steps: moving_mean ${fixed(moving.moving_mean.at(-1))} (from 0, towards ` +
    `${STREAM.mean}), moving_variance ${fixed(moving.moving_variance.at(-1))} (from 1, towards ${fixed(target)}, which is ` +
    `31/32 of ${STREAM.variance}: what a batch of 32 has on average).`;
  return (colors) => {
    const dots = (name, y, color) => ({
      type: "scatter", mode: "markers", name, x: x.slice(1), y: y.slice(0, steps),
      marker: { size: 5, color, opacity: 0.4 }, hovertemplate: "step %{x}: %{y:.3g}",
    });
    const thick = (name, color) => line(name, x, moving[name], { color, width: 4 }, "step %{x}: %{y:.3g}");
    return {
      charts: {
        moving: {
          text: movingText,
          data: [
            dots("each batch's mean", means, colors[0]), dots("each batch's variance", variances, colors[1]),
            thick("moving_mean", colors[0]), thick("moving_variance", colors[1]),
          ],
          layout: layout(titled("step"), titled("value", { range: [-0.5, 12] })),
        },
        weight: weightChart(m, steps, images, batchSize),
      },
    };
  };
}

function weightChart(m, steps, images, batchSize) {
  const forgotten = stepsUntilBelow(FORGOTTEN, m);
  const perEpoch = Math.ceil(images / batchSize);
  const epochs = forgotten / perEpoch;
  const x = range(steps + 1);
  const text = `With momentum ${m} less than 1 % of the initial value is left after ${whole(forgotten)} ` +
    `step${forgotten === 1 ? "" : "s"}. With ${whole(images)} images in batches of ${whole(batchSize)}, ${whole(perEpoch)} ` +
    `steps per epoch, that is ${epochs < 100 ? digits(epochs, 2) : whole(Math.round(epochs))} epochs. PyTorch calls this momentum ${digits(1 - m)}.`;
  return {
    text,
    data: [{
      ...line("", x, x.map((step) => m ** step), { color: GREY, width: 4 }, "step %{x}: %{y:.1%}<extra></extra>"),
      fill: "tozeroy",
    }],
    layout: layout(
      titled("step", { range: [0, 1.02 * steps] }),
      titled("weight of the initial value", { range: [0, 1.05], tickformat: ".0%" }),
      { showlegend: false, shapes: forgotten <= steps ? [verticalLine(forgotten)] : [], annotations: forgotten <= steps ? [{
        x: forgotten, y: 0.9, yref: "paper", text: "1 % left", showarrow: false,
        xanchor: forgotten > steps / 2 ? "right" : "left", xshift: forgotten > steps / 2 ? -6 : 6,
      }] : [] },
    ),
  };
}

const SHARED = {
  batch: (columns, rows) => `Batch normalization: the ${rows} numbers of a column, one feature of all examples, share a ` +
    "mean and a variance.",
  layer: (columns) => `Layer normalization: the ${columns} numbers of a row, all features of one example, share a mean and ` +
    "a variance.",
  group: (columns, _rows, groups) => `Group normalization: ${columns / groups} neighboring features of one example ` +
    "share a mean and a variance" + (groups === 1 ? ", which is layer normalization." : groups === columns
      ? ", so that nothing is left of any number." : "."),
  rms: (columns) => `RMS normalization: the ${columns} numbers of a row share a mean square; no mean is subtracted.`,
};

function normalizers({ normalizer, groups, shift }) {
  const original = remember("matrix", () => chunks(normals(48, 11).map((z) => Number((1 + 2 * z).toFixed(1))), 8));
  const matrix = original.map((row, i) => i ? row : row.map((value) => value + shift));
  const sets = statisticsSets(matrix, normalizer, groups);
  const before = normalizeMatrix(original, normalizer, groups), after = normalizeMatrix(matrix, normalizer, groups);
  const moved = after.map((row, i) => row.map((value, j) => Math.abs(value - before[i][j]) > 0.005));
  const count = (rows) => rows.flat().filter(Boolean).length;
  const shared = SHARED[normalizer](8, 6, groups);
  const effect = shift
    ? ` Adding ${digits(shift)} to example 1 changes ${count(moved.slice(0, 1))} of its own 8 outputs and ` +
      `${count(moved.slice(1))} of the 40 outputs of the other examples.`
    : " Move example 1 to see whose outputs depend on it.";
  const tables = [
    matrixTable("Input: numbers of one color share their statistics", matrix, sets),
    matrixTable("Output: what has changed with example 1 is bold and underlined", after, sets, moved),
  ];
  return () => ({ charts: {}, text: shared + effect, tables });
}

// A table of numbers, colored by their sets: neighbouring sets get colors far apart.
function matrixTable(caption, matrix, sets, marked = null) {
  const cell = (value, i, j) => {
    const mark = marked?.[i][j] ? ' class="changed"' : "";
    return `<td${mark} style="background: hsl(${(sets[i][j] * 137.5) % 360} 70% 50% / 0.3)">${fixed(value, 1)}</td>`;
  };
  const rows = matrix.map((row, i) => `<tr><th scope="row">${i + 1}</th>${row.map((v, j) => cell(v, i, j)).join("")}</tr>`);
  const head = matrix[0].map((_, j) => `<th scope="col">${j + 1}</th>`).join("");
  return `<table class="matrix"><caption>${caption}</caption><thead><tr><th><span>example, feature</span></th>${head}</tr>` +
    `</thead><tbody>${rows.join("")}</tbody></table>`;
}

const LAYER = { examples: 200, inputs: 60, units: 30 };
const BINS = 61;

// A Dense layer's values, [unit][example], for random inputs in [0, 1); its He-normal kernel is scaled by `size`.
function denseUnits(size) {
  const units = remember("dense", () => {
    const inputs = chunks(uniforms(LAYER.examples * LAYER.inputs, 1), LAYER.inputs);
    const kernel = chunks(normals(LAYER.inputs * LAYER.units, 2), LAYER.units)
      .map((row) => row.map((z) => Math.sqrt(2 / LAYER.inputs) * z));
    const rows = dense(inputs, { kernel, bias: new Array(LAYER.units).fill(0) });
    return range(LAYER.units).map((unit) => column(rows, unit));
  });
  return units.map((values) => values.map((value) => size * value));
}

const STEPS = {
  none: ["activation"], before_activation: ["BN", "activation"], after_activation: ["activation", "BN"],
};
const ACTIVATION_TITLES = { relu: "ReLU", leaky_relu: "Leaky ReLU", sigmoid: "Sigmoid", tanh: "Tanh", linear: "Linear" };

function placement({ placement: order, activation, weights }) {
  const stages = [["Dense", denseUnits(weights)]];
  for (const step of STEPS[order]) {
    const before = stages.at(-1)[1];
    stages.push(step === "BN" ? ["BN", normalizeUnits(before)] : [ACTIVATION_TITLES[activation], activate(before, activation)]);
  }
  const values = stages.map(([name, units]) => [name, units.flat()]);
  const reach = Math.max(...values.map(([, numbers]) => numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0))) || 1;
  const texts = values.map(([name, numbers]) => `after ${name} mean ${fixed(mean(numbers))}, standard deviation ${fixed(std(numbers))}`);
  const middles = range(BINS).map((bin) => ((bin + 0.5) / BINS * 2 - 1) * reach);
  return (colors) => {
    const stageColors = { Dense: GREY, BN: colors[0] };
    const drawn = layout(titled("value", { anchor: `y${values.length}` }), {}, { bargap: 0, showlegend: false, annotations: [] });
    const data = values.map(([name, numbers], i) => {
      const shares = histogram(numbers, reach, BINS);
      const top = 1 - i / values.length;
      const [first, second] = shares.toSorted((a, b) => b - a);
      drawn[i ? `yaxis${i + 1}` : "yaxis"] = {       // a column far above the others is cut off, so that they stay visible
        domain: [Math.max(top - 0.9 / values.length, 0), top - 0.2 / values.length], fixedrange: true, showgrid: false,
        range: [0, 1.05 * (second ? Math.min(first, 2.5 * second) : first)], showticklabels: false,
      };
      drawn.annotations.push({
        text: `<b>${name}</b>  mean ${fixed(mean(numbers))}, std ${fixed(std(numbers))}`, showarrow: false,
        x: 0, xref: "paper", xanchor: "left", y: top, yref: "paper", yanchor: "top",
      });
      return {
        type: "bar", name, x: middles, y: shares, yaxis: i ? `y${i + 1}` : "y", hovertemplate: "%{x:.2f}: %{y:.1%}<extra></extra>",
        marker: { color: stageColors[name] ?? colors[1] },
      };
    });
    const text = `The values of all units, ${texts.join("; ")}. A column far above the others is cut off.`;
    return { charts: { stages: { data, layout: drawn, text } } };
  };
}

const BIASES = range(61).map((i) => (i - 30) / 10);

// The largest change of the output when each bias is added to every unit of a small layer, by the order of BN and activation.
function biasChanges(activation) {
  return remember(`bias ${activation}`, () => {
    const units = denseUnits(1).slice(0, 10).map((values) => values.slice(0, 100));
    const orders = {
      before: (values) => activate(normalizeUnits(values), activation).flat(),
      after: (values) => normalizeUnits(activate(values, activation)).flat(),
    };
    return Object.fromEntries(Object.entries(orders).map(([name, output]) => {
      const without = output(units);
      return [name, BIASES.map((bias) => maxDifference(output(units.map((values) => values.map((z) => z + bias))), without))];
    }));
  });
}

function bias({ bias: chosen, "bias-activation": activation }) {
  const { before, after } = biasChanges(activation);
  const nearest = Math.round(chosen * 10) + 30;
  const text = `A bias of ${digits(chosen)} changes the output by at most ${digits(before[nearest])} where BN comes first, ` +
    `and by up to ${digits(after[nearest], 2)} where ${ACTIVATION_TITLES[activation]} comes first.`;
  return (colors) => ({
    charts: {
      bias: {
        text,
        data: [
          line("Dense → activation → BN", BIASES, after, { color: colors[1], width: 3, dash: "dash" }, "%{y:.3g}"),
          line("Dense → BN → activation", BIASES, before, { color: colors[0], width: 4 }, "%{y:.3g}"),
        ],
        layout: layout(titled("bias added to every unit"), titled("largest change of the output"), { shapes: [verticalLine(chosen)] }),
      },
    },
  });
}

const FACTORS = range(81).map((i) => 10 ** (-7 + i / 10));
const PIXELS = { images: 256, count: 8, steps: 100 };
const DIVERGED = 1e4;

function scale({ factor, rate }) {
  const raw = remember("pixels", () => chunks(
    uniforms(PIXELS.images * PIXELS.count, 5).map((u) => Math.floor(256 * u)), PIXELS.count));
  const target = remember("target", () => {
    const weights = normals(PIXELS.count, 6);
    return normalizeBatch(raw.map((row) => row.reduce((total, value, i) => total + value * weights[i], 0)), { epsilon: 0 });
  });
  const spreads = remember("spreads", () => {
    const pixel = column(raw, 0);
    return FACTORS.map((f) => pixel.map((value) => f * value)).map((values) => [std(values), std(normalizeBatch(values))]);
  });
  const inputs = raw.map((row) => row.map((value) => factor * value));
  const features = range(PIXELS.count).map((j) => normalizeBatch(column(inputs, j)));
  const losses = [inputs, inputs.map((_, i) => column(features, i))].map((x) => descent(x, target, rate, PIXELS.steps, DIVERGED));
  const restored = FACTORS[spreads.findIndex(([, after]) => after > 0.9)];
  const end = (values) => {
    const finite = values.filter(Number.isFinite).length;
    return finite > PIXELS.steps ? digits(values.at(-1), 2) : `diverged after ${finite} step${finite === 1 ? "" : "s"}`;
  };
  return (colors) => {
    const styles = [{ color: colors[1], width: 3, dash: "dash" }, { color: colors[0], width: 4 }];
    const label = (x, text) => ({
      text, x: Math.log10(x), y: 0.02, yref: "paper", xanchor: "right", yanchor: "bottom", textangle: -90, showarrow: false,
    });
    const steps = range(PIXELS.steps + 1);
    const lossLine = (values, name, style) => {
      const lost = values.findIndex(Number.isNaN);
      const y = values.map((value, i) => i === lost ? 100 * DIVERGED : value);     // up and out of the figure
      return line(lost < 0 ? name : `${name} (diverged)`, steps, y, style, "step %{x}: %{y:.3g}");
    };
    return {
      charts: {
        spread: {
          text: `BN brings every pixel to a standard deviation of about 1 from a factor of ${digits(restored, 1)} up; below ` +
            "it the variance is smaller than epsilon, and the pixels stay small.",
          data: [
            line("without BN", FACTORS, column(spreads, 0), styles[0], "× %{x:.2g}: %{y:.3g}"),
            line("after BN", FACTORS, column(spreads, 1), styles[1], "× %{x:.2g}: %{y:.3g}"),
          ],
          layout: layout(
            titled("pixels are multiplied by", { type: "log", exponentformat: "power", dtick: 2 }),
            titled("standard deviation", { type: "log", exponentformat: "power", range: [-4.2, 3.2], dtick: 1 }),
            {
              shapes: [verticalLine(factor), verticalLine(1 / 255, "dot"), verticalLine(1, "dot")],
              annotations: [label(1 / 255, "scaled, × 1/255"), label(1, "raw")],
            },
          ),
        },
        descent: {
          text: `Loss after ${PIXELS.steps} steps: without BN ${end(losses[0])}, with BN on the input ${end(losses[1])}.`,
          data: [lossLine(losses[0], "without BN", styles[0]), lossLine(losses[1], "BN on the input", styles[1])],
          layout: layout(
            titled("step", { range: [-1, PIXELS.steps + 1] }),
            titled("loss", { type: "log", exponentformat: "power", range: [-4.2, Math.log10(DIVERGED) + 0.2], dtick: 2 }),
          ),
        },
      },
    };
  };
}

const NUMBERS = { inputs: 3, units: 2, examples: 6 };

function folding({ order, numbers: seed }) {
  const { inputs, units, examples } = NUMBERS;
  const features = order === "previous" ? units : inputs;
  const rounded = (values) => values.map((value) => Math.round(10 * value) / 10);
  const drawn = rounded(normals(inputs * units + units + 2 * features, seed));
  const spreads = uniforms(2 * features, seed + 1);
  const layer = { kernel: chunks(drawn.slice(0, inputs * units), units), bias: drawn.slice(inputs * units, inputs * units + units) };
  const bn = {
    gamma: rounded(spreads.slice(0, features).map((u) => 0.5 + 1.5 * u)), beta: drawn.slice(-features),
    mean: drawn.slice(-2 * features, -features), variance: rounded(spreads.slice(features).map((u) => 0.2 + 3.8 * u)),
  };
  const x = chunks(normals(examples * inputs, seed + 2), inputs);
  const isPrevious = order === "previous";
  const folded = isPrevious ? foldIntoPrevious(layer, bn) : foldIntoNext(bn, layer);
  const two = (isPrevious ? normalizeRows(dense(x, layer), bn) : dense(normalizeRows(x, bn), layer)).flat();
  const one = dense(x, folded).flat();
  const positions = range(examples * units).map((i) => Math.floor(i / units) + 1 + 0.24 * (i % units - (units - 1) / 2));
  const names = range(examples * units).map((i) => `example ${Math.floor(i / units) + 1}, unit ${i % units + 1}`);
  const marks = (name, y, marker) =>
    ({ type: "scatter", mode: "markers", name, x: positions, y, text: names, marker, hovertemplate: "%{text}: %{y:.6f}<extra></extra>" });
  return (colors) => ({
    charts: {
      folding: {
        text: `Over ${two.length} outputs, two layers and one folded layer differ by at most ${power(maxDifference(two, one))}: rounding.`,
        data: [
          marks("two layers", two, { symbol: "circle-open", size: 20, color: colors[0], line: { width: 3 } }),
          marks("one folded layer", one, { symbol: "x-thin", size: 11, line: { width: 3, color: colors[1] } }),
        ],
        layout: layout(titled("example", { dtick: 1 }), titled("output")),
      },
    },
    tables: [
      numbersTable("Dense", { W: layer.kernel, b: [layer.bias] }),
      numbersTable("BN", { "γ": [bn.gamma], "β": [bn.beta], "μ": [bn.mean], "σ²": [bn.variance] }),
      numbersTable("Folded Dense", { "W′": folded.kernel, "b′": [folded.bias] }),
    ],
  });
}

function numbersTable(name, variables) {
  const count = Object.values(variables).flat(2).length;
  const rows = Object.entries(variables).flatMap(([symbol, values]) => values.map((row, i) => {
    const head = i ? "" : `<th scope="rowgroup" rowspan="${values.length}">${symbol}</th>`;
    return `<tr>${head}${row.map((value) => `<td>${digits(value)}</td>`).join("")}</tr>`;
  }));
  return `<table class="numbers"><caption>${name}, ${count} numbers</caption><tbody>${rows.join("")}</tbody></table>`;
}

// By the id that the page gives a figure: a function of the values that returns a function of the theme's colors.
export const FIGURES = {
  statistics, gamma_beta: gammaBeta, modes, momentum, normalizers, placement, bias, scale, folding,
};
