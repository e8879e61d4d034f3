"""What to say of a spec before it is trained: settings that cancel out, hide something, or are likely to fail."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bnlab.specs.choices import RESCALINGS
from bnlab.specs.network import describe_network
from bnlab.specs.normalizers import NORMALIZERS, Normalizer
from bnlab.specs.run_spec import RunSpec

HELD_AT_THE_END, HELD_AFTER_ONE_EPOCH = 0.05, 0.2  # of the moving statistics' initial values


SMALL_BATCH = 8


LARGE_EPSILON = 0.1  # of the input's variance


PIXEL_VARIANCE = {"mnist": 4373.40}
"""The mean over the pixels of each raw pixel's variance (0 to 255), in all training images; 0.0673 for pixels / 255."""


CHANNEL_VARIANCE = {"mnist": 6174.91}
"""The variance of all raw pixels together, which is what BN by channel sees."""


# The thresholds below were found by training with bnlab on MNIST: 2,000 examples for 3 epochs in batches of 32
# (sigmoids: 10,000), 300 · 100 units, seed 0, unless said otherwise; percentages are validation accuracies.

DIVERGING_RATES = {"sgd": 0.003, "sgd_momentum": 0.0003, "nesterov": 0.0003}
"""From which learning rate on raw pixels are likely to end in failure where no BN evens out their scale.

SGD: ReLU reaches 72 % at 0.001, 49 % at 0.003 and 11 % (chance) at 0.01; Leaky ReLU diverges at 0.003, linear
layers at 0.001; ten layers of 100 only at 0.1. Momentum 0.9 makes steps ten times as long: 38 and 57 % at 0.0003, at
most 20 % at 0.001. Adam and RMSprop, whose steps do not grow with the gradient, still learn at 0.01 (65 and 59 %).
"""


BOUNDED_ACTIVATIONS = ("sigmoid", "tanh")
"""They saturate on raw pixels and learn slowly (64 and 79 % at 0.01), but do not blow up."""


LARGE_WEIGHTS = 5
"""From how many times He normal's stddev on weights are too large.

At 0.3 (6 times, for 784 inputs) tanh falls from 80 to 53 %, BN before the activation from 84 to 47 %, five ReLU layers
of 100 from 70 to 56 %, and at 0.5 these diverge.
"""


DEEP_SIGMOIDS = 4
"""From how many sigmoid layers on without BN: four stay at chance with SGD at 0.01, 0.1 and even 1 (three reach 48 %
at 0.1 and 81 % at 1). Adam still trains them, but eight only to 38 %; ten tanh layers reach 89 % as one does."""


Topic = Literal["statistics", "modes", "momentum", "placement", "scale", "folding"]


Severity = Literal["note", "warning"]


@dataclass(frozen=True)
class Advice:
    """One thing to know of a spec: a short `title`, one `sentence` with the spec's own numbers.

    `topic` is the anchor on the page How it works; a "warning" is likely to spoil the run, a "note" is not.
    """

    title: str
    sentence: str
    topic: Topic
    severity: Severity


def advise(spec: RunSpec) -> tuple[Advice, ...]:
    """What each rule has to say of `spec`; nothing for most."""
    return tuple(advice for rule in RULES if (advice := rule(spec)) is not None)


def _no_nonlinearity(spec: RunSpec) -> Advice | None:
    if spec.activation != "linear":
        return None
    layers = len(spec.hidden_units)
    hidden = "hidden layer" if layers == 1 else _counted(layers, "hidden layer")
    return Advice(
        "No nonlinearity",
        f"Without an activation the {hidden} and the output layer together are one linear map followed by softmax, so "
        "no boundary between two classes can bend.",
        "placement",
        "warning",
    )


def _redundant_bias(spec: RunSpec) -> Advice | None:
    follows = spec.placement == "before_activation" or (
        spec.placement == "after_activation" and spec.activation == "linear"
    )
    if not (spec.use_bias and follows and _normalizer(spec).uses_batch_statistics):
        return None
    kind = "Dense layer" if spec.architecture == "dense" else "convolution"
    biases = _counted(sum(spec.hidden_units), "bias", "biases")
    return Advice(
        "Redundant bias",
        f"{_normalizer(spec).short} directly follows each hidden {kind} and subtracts the mean, so the {biases} there "
        "cancel out and can be left away.",
        "placement",
        "note",
    )


def _slow_momentum(spec: RunSpec) -> Advice | None:
    if not (_normalizes(spec) and _normalizer(spec).keeps_moving_statistics):
        return None
    if spec.momentum**spec.total_steps >= HELD_AT_THE_END:
        return _held(spec, spec.total_steps, "the training", "warning")
    if spec.momentum**spec.steps_per_epoch > HELD_AFTER_ONE_EPOCH:
        return _held(spec, spec.steps_per_epoch, "the first epoch", "note")
    return None


def _held(spec: RunSpec, steps: int, when: str, severity: Severity) -> Advice:
    return Advice(
        "Slow moving statistics",
        f"With BN momentum {spec.momentum} the moving mean and variance still hold {_percent(spec.momentum**steps)} of "
        f"their initial values after the {_counted(steps, 'step')} of {when}, so until then validation looks too bad.",
        "momentum",
        severity,
    )


def _small_batch(spec: RunSpec) -> Advice | None:
    batch = min(spec.batch_size, spec.examples)
    if not _takes_single_values(spec) or batch >= SMALL_BATCH:
        return None
    if batch == 1:
        return Advice(
            "One example a batch",
            f"In a batch of 1 the mean is the example itself, so while training BN puts out {_nothing_but(spec)} "
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


def _without_gradient(spec: RunSpec) -> Advice | None:
    normalizer = _normalizer(spec)
    corrects = normalizer.uses_batch_statistics and not normalizer.needs_large_batches
    if not corrects or min(spec.batch_size, spec.examples) > 1 or not _has_single_values(spec):
        return None
    return Advice(
        "No gradient through the normalization",
        f"In a batch of 1 the mean is the example itself, so no gradient passes back through {normalizer.short} and "
        "the layers before it do not learn.",
        "statistics",
        "warning",
    )


def _lone_last_example(spec: RunSpec) -> Advice | None:
    full, rest = divmod(spec.examples, spec.batch_size)
    if not _takes_single_values(spec) or rest != 1 or full == 0:
        return None
    return Advice(
        "One example in the last batch",
        f"{spec.examples:,} examples in batches of {spec.batch_size:,} leave 1 for the last batch of each epoch, for "
        f"which BN puts out {_nothing_but(spec)}.",
        "statistics",
        "note",
    )


def _large_epsilon(spec: RunSpec) -> Advice | None:
    by_batch = spec.input_normalization and _normalizer(spec).uses_batch_statistics
    if not by_batch or spec.dataset not in PIXEL_VARIANCE:
        return None
    variances = PIXEL_VARIANCE if spec.architecture == "dense" else CHANNEL_VARIANCE
    variance = variances[spec.dataset] * RESCALINGS[spec.rescale].factor ** 2
    if spec.epsilon < LARGE_EPSILON * variance:
        return None
    return Advice(
        "Large epsilon",
        f"Epsilon {spec.epsilon:g} is {_percent(spec.epsilon / variance)} of a pixel's typical variance "
        f"({variance:.2g}), so {_normalizer(spec).short} on the input does not bring the pixels to the same scale.",
        "scale",
        "warning",
    )


def _raw_pixels(spec: RunSpec) -> Advice | None:
    threshold = DIVERGING_RATES.get(spec.optimizer, math.inf)
    unscaled = spec.rescale == "raw" and not _normalizes(spec)
    if not unscaled or spec.activation in BOUNDED_ACTIVATIONS or spec.learning_rate < threshold:
        return None
    return Advice(
        "Likely to diverge",
        f"Raw pixels go up to 255 and nothing evens out their scale, so steps with learning rate "
        f"{spec.learning_rate:g} are likely to overshoot; below {threshold:g} it usually trains.",
        "scale",
        "warning",
    )


def _alike_units(spec: RunSpec) -> Advice | None:
    without_spread = spec.kernel_initializer == "random_normal" and spec.initializer_stddev == 0
    if not without_spread and spec.kernel_initializer not in ("zeros", "ones"):
        return None
    weight = 1 if spec.kernel_initializer == "ones" else 0
    return Advice(
        "All units start alike",
        f"Every hidden weight starts at {weight}, so the units of a layer start as copies of one another and usually "
        "stay copies or learn nothing.",
        "scale",
        "warning",
    )


def _large_weights(spec: RunSpec) -> Advice | None:
    kernels = [v.shape for layer in describe_network(spec).layers[:-1] for v in layer.variables if v.name == "kernel"]
    inputs = max(math.prod(shape[:-1]) for shape in kernels)
    usual = (2 / inputs) ** 0.5
    times = spec.initializer_stddev / usual
    if spec.kernel_initializer != "random_normal" or times < LARGE_WEIGHTS:
        return None
    effect = "values grow from layer to layer" if spec.placement == "none" else "each step hardly changes them"
    return Advice(
        "Large initial weights",
        f"Weights with a standard deviation of {spec.initializer_stddev:g} are {times:,.0f} times as large as He "
        f"normal's ({usual:.2g} for {inputs:,} inputs), so {effect} and training may fail.",
        "scale",
        "warning",
    )


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


def _normalizes(spec: RunSpec) -> bool:
    return bool(describe_network(spec).normalizations)


def _normalizer(spec: RunSpec) -> Normalizer:
    return NORMALIZERS[spec.normalizer]


def _takes_single_values(spec: RunSpec) -> bool:
    """Whether some layer divides by the batch's statistics alone, taken from one value of each of its examples.

    A convolution's channel has as many values of each example as the image has places there.
    """
    return _normalizer(spec).needs_large_batches and _has_single_values(spec)


def _has_single_values(spec: RunSpec) -> bool:
    layers = describe_network(spec).normalizations
    return any(_normalizer(spec).statistic_size(layer.output_shape) == 1 for layer in layers)


def _nothing_but(spec: RunSpec) -> str:
    return "only its beta" if spec.center else "only 0"


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.0f} %"


RULES: tuple[Callable[[RunSpec], Advice | None], ...] = (
    _no_nonlinearity,
    _redundant_bias,
    _raw_pixels,
    _alike_units,
    _large_weights,
    _vanishing_gradient,
    _small_batch,
    _without_gradient,
    _single_unit,
    _lone_last_example,
    _slow_momentum,
    _large_epsilon,
)
"""Every rule, in the order in which its advice is shown: it gives None where it has nothing to say."""
