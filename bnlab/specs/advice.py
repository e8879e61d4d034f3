"""Advice on a spec before it is trained: settings that cancel out, hide an effect, or are likely to fail.

Each rule is a function from a spec to `Advice` or None; `RULES`, at the end, lists them in the order in which their
advice is shown. The thresholds were measured by training with bnlab on MNIST: 2,000 examples for 3 epochs in batches of
32 (sigmoids: 10,000 examples), hidden layers of 300 and 100 units, seed 0, unless noted otherwise. Percentages are
validation accuracies.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bnlab.specs.choices import RESCALINGS
from bnlab.specs.dataset_statistics import statistics_of
from bnlab.specs.network import describe_network
from bnlab.specs.normalizers import NORMALIZERS, Normalizer
from bnlab.specs.run_spec import RunSpec

Topic = Literal["statistics", "modes", "momentum", "placement", "scale", "folding"]
Severity = Literal["note", "warning"]


@dataclass(frozen=True)
class Advice:
    """Advice on one setting of a spec.

    Attributes:
        title: A few words.
        sentence: One sentence with the spec's numbers.
        topic: The anchor on the page How it works.
        severity: "warning" if it is likely to spoil the run, else "note".
    """

    title: str
    sentence: str
    topic: Topic
    severity: Severity


def advise(spec: RunSpec) -> tuple[Advice, ...]:
    """The advice of all rules that apply to `spec`; most specs get none."""
    return tuple(advice for rule in RULES if (advice := rule(spec)) is not None)


def _no_nonlinearity(spec: RunSpec) -> Advice | None:
    if spec.activation != "linear":
        return None
    layers = len(spec.hidden_units)
    hidden = "hidden layer" if layers == 1 else _format_count(layers, "hidden layer")
    return Advice(
        "No nonlinearity",
        f"Without an activation the {hidden} and the output layer together are one linear map followed by softmax, so "
        "no boundary between two classes can bend.",
        "placement",
        "warning",
    )


def _redundant_bias(spec: RunSpec) -> Advice | None:
    follows_kernel = spec.placement == "before_activation" or (
        spec.placement == "after_activation" and spec.activation == "linear"
    )
    if not (spec.use_bias and follows_kernel and _normalizer(spec).uses_batch_statistics):
        return None
    kind = "Dense layer" if spec.architecture == "dense" else "convolution"
    biases = _format_count(sum(spec.hidden_units), "bias", "biases")
    return Advice(
        "Redundant bias",
        f"{_normalizer(spec).short} directly follows each hidden {kind} and subtracts the mean, so the {biases} there "
        "cancel out and can be omitted.",
        "placement",
        "note",
    )


DIVERGING_RATES = {"sgd": 0.003, "sgd_momentum": 0.0003, "nesterov": 0.0003}
"""The learning rates from which a network without normalization is likely to diverge on raw pixels, by optimizer.

SGD: ReLU reaches 72 % at 0.001, 49 % at 0.003 and 11 % (chance) at 0.01; Leaky ReLU diverges at 0.003, linear
layers at 0.001; ten layers of 100 only at 0.1. Momentum 0.9 makes steps ten times as long: 38 and 57 % at 0.0003, at
most 20 % at 0.001. Adam and RMSprop, whose steps do not grow with the gradient, still learn at 0.01 (65 and 59 %).
"""

BOUNDED_ACTIVATIONS = ("sigmoid", "tanh")
"""They saturate on raw pixels and learn slowly (64 and 79 % at 0.01), but do not diverge."""


def _raw_pixels(spec: RunSpec) -> Advice | None:
    threshold = DIVERGING_RATES.get(spec.optimizer, math.inf)
    unscaled = spec.rescale == "raw" and not _has_normalization(spec)
    if not unscaled or spec.activation in BOUNDED_ACTIVATIONS or spec.learning_rate < threshold:
        return None
    return Advice(
        "Likely to diverge",
        f"Raw pixels go up to 255 and nothing evens out their scale, so steps with learning rate "
        f"{spec.learning_rate:g} are likely to overshoot; below {threshold:g} it usually trains.",
        "scale",
        "warning",
    )


def _identical_units(spec: RunSpec) -> Advice | None:
    zero_stddev = spec.kernel_initializer == "random_normal" and spec.initializer_stddev == 0
    if not zero_stddev and spec.kernel_initializer not in ("zeros", "ones"):
        return None
    weight = 1 if spec.kernel_initializer == "ones" else 0
    return Advice(
        "All units start alike",
        f"Every hidden weight starts at {weight}, so the units of a layer start as copies of one another and usually "
        "stay copies or learn nothing.",
        "scale",
        "warning",
    )


LARGE_WEIGHTS = 5
"""The ratio to He normal's standard deviation from which initial weights are too large.

At 0.3 (6 times, for 784 inputs) tanh falls from 80 to 53 %, BN before the activation from 84 to 47 %, five ReLU layers
of 100 from 70 to 56 %, and at 0.5 these diverge.
"""


def _large_weights(spec: RunSpec) -> Advice | None:
    kernels = [v.shape for layer in describe_network(spec).layers[:-1] for v in layer.variables if v.name == "kernel"]
    inputs = max(math.prod(shape[:-1]) for shape in kernels)
    he_stddev = (2 / inputs) ** 0.5
    ratio = spec.initializer_stddev / he_stddev
    if spec.kernel_initializer != "random_normal" or ratio < LARGE_WEIGHTS:
        return None
    effect = "values grow from layer to layer" if spec.placement == "none" else "each step hardly changes them"
    return Advice(
        "Large initial weights",
        f"Weights with a standard deviation of {spec.initializer_stddev:g} are {ratio:,.0f} times as large as He "
        f"normal's ({he_stddev:.2g} for {inputs:,} inputs), so {effect} and training may fail.",
        "scale",
        "warning",
    )


DEEP_SIGMOIDS = 4
"""The number of sigmoid layers from which a network without BN hardly learns.

Four stay at chance with SGD at 0.01, 0.1 and even 1 (three reach 48 % at 0.1 and 81 % at 1). Adam still trains them,
but eight only to 38 %; ten tanh layers reach 89 % as one does.
"""


def _vanishing_gradient(spec: RunSpec) -> Advice | None:
    depth = len(spec.hidden_units)
    if spec.activation != "sigmoid" or spec.placement != "none" or depth < DEEP_SIGMOIDS:
        return None
    return Advice(
        "Vanishing gradient",
        f"Each of the {depth} sigmoids lets at most a quarter of the gradient through and no normalization stands "
        "between them, so the first layers hardly learn.",
        "placement",
        "warning",
    )


SMALL_BATCH = 8
"""The batch size below which batch statistics are noisy."""


def _small_batch(spec: RunSpec) -> Advice | None:
    batch = min(spec.batch_size, spec.examples)
    if not _has_single_batch_values(spec) or batch >= SMALL_BATCH:
        return None
    if batch == 1:
        return Advice(
            "One example per batch",
            f"In a batch of 1 the mean is the example itself, so while training BN outputs {_constant_output(spec)} "
            "whatever the image shows.",
            "statistics",
            "warning",
        )
    return Advice(
        "Noisy statistics",
        f"BN takes mean and variance from only {batch} examples, so they change much from one batch to the next.",
        "statistics",
        "note",
    )


def _no_gradient(spec: RunSpec) -> Advice | None:
    normalizer = _normalizer(spec)
    corrects_batch = normalizer.uses_batch_statistics and not normalizer.needs_large_batches
    if not corrects_batch or min(spec.batch_size, spec.examples) > 1 or not _has_single_values(spec):
        return None
    return Advice(
        "No gradient through the normalization",
        f"In a batch of 1 the mean is the example itself and the variance 0, so no gradient passes back through "
        f"{normalizer.short}, the layers before it do not learn, and the moving variance falls towards 0.",
        "statistics",
        "warning",
    )


def _single_unit(spec: RunSpec) -> Advice | None:
    normalizer = _normalizer(spec)
    if normalizer.uses_batch_statistics or not _has_single_values(spec):
        return None
    return Advice(
        "One value to normalize",
        f"Where {normalizer.title.lower()} has only one unit or channel to normalize by, that value's size is lost and "
        "nearly the same is put out for every image.",
        "statistics",
        "warning",
    )


def _single_last_example(spec: RunSpec) -> Advice | None:
    full_batches, rest = divmod(spec.examples, spec.batch_size)
    if not _has_single_batch_values(spec) or rest != 1 or full_batches == 0:
        return None
    return Advice(
        "One example in the last batch",
        f"{spec.examples:,} examples in batches of {spec.batch_size:,} leave 1 for the last batch of each epoch, for "
        f"which BN outputs {_constant_output(spec)}.",
        "statistics",
        "note",
    )


MAX_INITIAL_AT_END, MAX_INITIAL_AFTER_EPOCH = 0.05, 0.2
"""The largest acceptable weight of the initial values in the moving statistics, at the end and after one epoch."""


def _slow_moving_statistics(spec: RunSpec) -> Advice | None:
    if not (_has_normalization(spec) and _normalizer(spec).keeps_moving_statistics):
        return None
    if spec.momentum**spec.total_steps >= MAX_INITIAL_AT_END:
        return _slow_statistics_advice(spec, spec.total_steps, "the training", "warning")
    # With pixels that never vary, validation gets worse as the initial variance fades.
    if spec.momentum**spec.steps_per_epoch > MAX_INITIAL_AFTER_EPOCH and _constant_pixels(spec) is None:
        return _slow_statistics_advice(spec, spec.steps_per_epoch, "the first epoch", "note")
    return None


def _slow_statistics_advice(spec: RunSpec, steps: int, period: str, severity: Severity) -> Advice:
    return Advice(
        "Slow moving statistics",
        f"With BN momentum {spec.momentum} the moving mean and variance still hold "
        f"{_format_percent(spec.momentum**steps)} of their initial values after the {_format_count(steps, 'step')} of "
        f"{period}, so until then validation looks too bad.",
        "momentum",
        severity,
    )


LARGE_EPSILON = 0.1
"""The ratio to the input's variance from which epsilon is too large."""


def _large_epsilon(spec: RunSpec) -> Advice | None:
    statistics = statistics_of(spec.dataset)
    by_batch = spec.input_normalization and _normalizer(spec).uses_batch_statistics
    if not by_batch or statistics is None:
        return None
    raw_variance = statistics.pixel_variance if spec.architecture == "dense" else statistics.channel_variance
    variance = raw_variance * RESCALINGS[spec.rescale].factor ** 2
    if spec.epsilon < LARGE_EPSILON * variance:
        return None
    return Advice(
        "Large epsilon",
        f"Epsilon {spec.epsilon:g} is {_format_percent(spec.epsilon / variance)} of a pixel's typical variance "
        f"({variance:.2g}), so {_normalizer(spec).short} on the input does not bring the pixels to the same scale.",
        "scale",
        "warning",
    )


MAX_CONSTANT_OUTPUT = 100
"""The largest acceptable output for a pixel that was the same in all training images; other pixels put out a few units.

It is white there (255), and its moving variance has fallen from 1 to momentum to the power of the steps. With 500
examples for 20 epochs in batches of 4, input normalization alone, the validation loss ends at 0.66 with epsilon 1e-3
(32 for a white pixel), 0.82 with 1e-4 (100), 1.5 with 1e-5 (316), 31 with 1e-8 (10,000), and at 25 on raw pixels with
1e-3 (8,000).
"""


def _constant_pixel_factor(spec: RunSpec) -> float:
    """What a pixel that is the same in all training images is multiplied by at inference, after the training."""
    initial: float = spec.momentum**spec.total_steps
    if _normalizer(spec).averages_deviations:
        return 1 / (initial + (1 - initial) * math.sqrt(spec.epsilon))
    return 1 / math.sqrt(initial + spec.epsilon)


def _constant_pixels(spec: RunSpec) -> Advice | None:
    statistics = statistics_of(spec.dataset)
    is_on_pixels = spec.input_normalization and spec.architecture == "dense"
    if not is_on_pixels or not _normalizer(spec).keeps_moving_statistics or statistics is None:
        return None
    pixels = statistics.constant_pixels(spec.examples)
    factor = _constant_pixel_factor(spec)
    if pixels == 0 or factor * 255 * RESCALINGS[spec.rescale].factor < MAX_CONSTANT_OUTPUT:
        return None
    count = _format_count(pixels, "pixel is", "pixels are")
    examples = _format_count(spec.examples, "training image")
    varies_elsewhere = pixels > statistics.constant_pixels(spec.data.train)
    return Advice(
        "Pixels that never vary in training",
        f"{count} the same in {examples} and multiplied by up to {factor:,.0f} at inference, which spoils images that "
        "differ there; a larger epsilon prevents it.",
        "scale",
        "warning" if varies_elsewhere else "note",
    )


def _has_normalization(spec: RunSpec) -> bool:
    return bool(describe_network(spec).normalizations)


def _normalizer(spec: RunSpec) -> Normalizer:
    return NORMALIZERS[spec.normalizer]


def _has_single_batch_values(spec: RunSpec) -> bool:
    """Whether a layer divides by batch statistics alone, taken from one value per example."""
    return _normalizer(spec).needs_large_batches and _has_single_values(spec)


def _has_single_values(spec: RunSpec) -> bool:
    """Whether a normalization layer takes a statistic from one value per example (a channel has height × width)."""
    layers = describe_network(spec).normalizations
    return any(_normalizer(spec).statistic_size(layer.output_shape) == 1 for layer in layers)


def _constant_output(spec: RunSpec) -> str:
    return "only its beta" if spec.center else "only 0"


def _format_count(count: int, singular: str, plural: str = "") -> str:
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def _format_percent(fraction: float) -> str:
    return f"{100 * fraction:.0f} %"


RULES: tuple[Callable[[RunSpec], Advice | None], ...] = (
    _no_nonlinearity,
    _redundant_bias,
    _raw_pixels,
    _identical_units,
    _large_weights,
    _vanishing_gradient,
    _small_batch,
    _no_gradient,
    _single_unit,
    _single_last_example,
    _slow_moving_statistics,
    _large_epsilon,
    _constant_pixels,
)
"""All rules, in the order in which their advice is shown."""
