// Batch normalization's equations, as Keras computes them, for the figures of How it works. Pure functions of numbers and
// arrays; tests/static/test_normalization.py compares them with NumPy.

export const EPSILON = 0.001;     // Keras's default

// Statistics

export const sum = (values) => values.reduce((total, value) => total + value, 0);
export const mean = (values) => sum(values) / values.length;

// Divides by the number of values, as Keras and algorithm 1 of Ioffe & Szegedy 2015 do.
export function variance(values) {
  const center = mean(values);
  return mean(values.map((value) => (value - center) ** 2));
}

export const std = (values) => Math.sqrt(variance(values));
export const maxDifference = (a, b) => Math.max(0, ...a.map((value, i) => Math.abs(value - b[i])));

// The share of `values` in each bin of `count` equal ones from -reach to reach, both included.
export function histogram(values, reach, count) {
  const shares = new Array(count).fill(0);
  for (const value of values) {
    const bin = Math.floor((value + reach) / (2 * reach) * count);
    shares[Math.min(Math.max(bin, 0), count - 1)] += 1 / values.length;
  }
  return shares;
}

// Normally distributed numbers; the first ones of a longer array are the same (mulberry32 and Box-Muller).
export function normals(count, seed) {
  const uniform = uniforms(2 * count, seed);
  return Array.from({ length: count }, (_, i) =>
    Math.sqrt(-2 * Math.log(1 - uniform[2 * i])) * Math.cos(2 * Math.PI * uniform[2 * i + 1]));
}

// Numbers in [0, 1).
export function uniforms(count, seed) {
  let state = (seed + 1) * 0x9e3779b9;
  return Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  });
}

// Normalization of one feature

// Inference mode: the moving statistics are given. Ioffe & Szegedy 2015, algorithm 2.
export function normalize(values, center, spread, { gamma = 1, beta = 0, epsilon = EPSILON } = {}) {
  const factor = gamma / Math.sqrt(spread + epsilon);
  return values.map((value) => factor * (value - center) + beta);
}

// Training mode: the batch's own statistics.
export const normalizeBatch = (values, options) => normalize(values, mean(values), variance(values), options);

// Moving statistics

// The initial value, and the moving average after each of `values`: momentum · moving + (1 − momentum) · value.
export function movingAverages(initial, values, momentum) {
  const averages = [initial];
  for (const value of values) averages.push(momentum * averages.at(-1) + (1 - momentum) * value);
  return averages;
}

// The first number of steps after which the initial value's weight, momentum to the power of the steps, is below `weight`.
export function stepsUntilBelow(weight, momentum) {
  if (momentum <= 0) return 1;
  let steps = Math.max(1, Math.floor(Math.log(weight) / Math.log(momentum)));
  while (momentum ** steps >= weight) steps += 1;
  return steps;
}

// Normalizers on a matrix of examples (rows) and features (columns)

// For each number of a row the index of its set: the numbers that share a mean and a variance.
const SETS = {
  batch: (row, column) => column,
  layer: (row) => row,
  group: (row, column, { groups, columns }) => row * groups + Math.floor(column * groups / columns),
  rms: (row) => row,
};

export function statisticsSets(matrix, normalizer, groups) {
  const columns = matrix[0].length;
  return matrix.map((values, row) => values.map((_, column) => SETS[normalizer](row, column, { groups, columns })));
}

// The matrix with each set normalized; RMS normalization subtracts no mean and divides by the root of the mean square.
export function normalizeMatrix(matrix, normalizer, groups, epsilon = EPSILON) {
  const sets = statisticsSets(matrix, normalizer, groups);
  const members = new Map();
  matrix.forEach((values, row) => values.forEach((value, column) => {
    const set = sets[row][column];
    members.set(set, [...(members.get(set) ?? []), value]);
  }));
  const statistics = new Map([...members].map(([set, values]) => [
    set, normalizer === "rms" ? [0, mean(values.map((value) => value ** 2))] : [mean(values), variance(values)],
  ]));
  return matrix.map((values, row) => values.map((value, column) => {
    const [center, spread] = statistics.get(sets[row][column]);
    return (value - center) / Math.sqrt(spread + epsilon);
  }));
}

// Activations

export const ACTIVATIONS = {
  relu: (z) => Math.max(z, 0),
  leaky_relu: (z) => z < 0 ? 0.3 * z : z,
  sigmoid: (z) => 1 / (1 + Math.exp(-z)),
  tanh: Math.tanh,
  linear: (z) => z,
};

// The units of a layer, each with its values over the batch, after the stages of a placement.
export const normalizeUnits = (units) => units.map((values) => normalizeBatch(values));
export const activate = (units, activation) => units.map((values) => values.map(ACTIVATIONS[activation]));

// Dense layers: kernels as Keras stores them, [inputs][units], and biases [units]

export const dense = (x, { kernel, bias }) =>
  x.map((row) => bias.map((b, unit) => b + sum(row.map((value, input) => value * kernel[input][unit]))));

export const normalizeRows = (x, bn) => {
  const factor = factors(bn);
  return x.map((row) => row.map((value, i) => factor[i] * (value - bn.mean[i]) + bn.beta[i]));
};

// What inference multiplies each feature by.
export const factors = ({ gamma, variance: spread }) => gamma.map((value, i) => value / Math.sqrt(spread[i] + EPSILON));

// The Dense layer equal to Dense → BN. Jacob et al. 2018.
export function foldIntoPrevious({ kernel, bias }, bn) {
  const factor = factors(bn);
  return {
    kernel: kernel.map((row) => row.map((weight, unit) => weight * factor[unit])),
    bias: bias.map((b, unit) => (b - bn.mean[unit]) * factor[unit] + bn.beta[unit]),
  };
}

// The Dense layer equal to BN → Dense.
export function foldIntoNext(bn, { kernel, bias }) {
  const factor = factors(bn);
  const shift = bn.beta.map((beta, input) => beta - bn.mean[input] * factor[input]);
  return {
    kernel: kernel.map((row, input) => row.map((weight) => weight * factor[input])),
    bias: bias.map((b, unit) => b + sum(shift.map((value, input) => value * kernel[input][unit]))),
  };
}

// Half the mean squared error of a linear unit with a bias before each of `steps` steps of gradient descent and after the
// last; NaN once it is above `limit`. `inputs` are rows of features; weights start at zero.
export function descent(inputs, target, rate, steps, limit) {
  const rows = inputs.map((row) => [...row, 1]);
  const weights = new Array(rows[0].length).fill(0);
  const losses = new Array(steps + 1).fill(NaN);
  for (let step = 0; step <= steps; step += 1) {
    const errors = rows.map((row, i) => {
      let output = -target[i];
      for (let j = 0; j < weights.length; j += 1) output += row[j] * weights[j];
      return output;
    });
    const loss = mean(errors.map((error) => error ** 2)) / 2;
    if (!(loss <= limit)) break;
    losses[step] = loss;
    for (let j = 0; j < weights.length; j += 1) {
      let gradient = 0;
      for (let i = 0; i < rows.length; i += 1) gradient += rows[i][j] * errors[i];
      weights[j] -= rate * gradient / rows.length;
    }
  }
  return losses;
}
