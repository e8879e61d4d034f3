"""The registry of normalizers. No other module names one: an entry in `NORMALIZERS` is all it takes to add one.

Notation: x is the layer's input, `[batch, ..., units]`; the units are a dense layer's units or a convolution's
channels, and the axes between are the image's height and width. ε is `epsilon`; γ and β have one value per unit.

Batch normalization (Ioffe and Szegedy 2015, algorithms 1 and 2; arXiv 1502.03167):
    training:  y = γ · (x − μ_B) / √(σ_B² + ε) + β, with the mean μ_B and variance σ_B² of each unit over the batch,
               height and width; moving ← momentum · moving + (1 − momentum) · batch, for mean and variance
    inference: y = γ · (x − moving_mean) / √(moving_variance + ε) + β
Batch renormalization (Ioffe 2017, algorithm 1; arXiv 1702.03275):
    training:  y = γ · ((x − μ_B) / σ_B · r + d) + β, with σ = √(variance + ε), r = clip(σ_B / σ, 1 / r_max, r_max) and
               d = clip((μ_B − μ) / σ, −d_max, d_max) by the moving μ and σ; no gradient passes through r and d
    inference: as batch normalization; the moving variance is the square of a moving average of √(variance + ε), less ε
Layer normalization (Ba, Kiros and Hinton 2016, equation 4; arXiv 1607.06450):
    y = γ · (x − μ) / √(σ² + ε) + β, with μ and σ² of each example (and each position of an image) over its units
Group normalization (Wu and He 2018, equations 1, 2 and 7; arXiv 1803.08494):
    the same, with μ and σ² of each example over the units of one group, height and width
RMS normalization (Zhang and Sennrich 2019, equation 4; arXiv 1910.07467):
    y = γ · x / √(mean of x² + ε), with the mean of each example (and each position of an image) over its units; Keras
    calls γ `scale` and has no option to leave it out
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bnlab.specs.choices import Choice

Shape = tuple[int, ...]
Role = Literal["factor", "offset", "mean", "variance", "internal"]

MAX_GROUPS = 32
"""Wu and He's default number of groups."""
MIN_GROUP_SIZE = 16
"""The minimum number of units in a group; of the sizes in Wu and He's table 3, 16 did best."""


@dataclass(frozen=True)
class NormalizerVariable:
    """One array of a normalization layer, with one value per unit.

    Attributes:
        name: Keras's name.
        title: The name shown to users.
        initial: The value of all elements before training.
        role: The part it plays in the equation; "internal" if only training uses it and no chart shows it.
        field: The RunSpec field that says whether the layer has it; empty if it always has.
    """

    name: str
    title: str
    initial: float
    role: Role
    field: str = ""

    @property
    def trainable(self) -> bool:
        """Whether the optimizer updates it."""
        return self.role in ("factor", "offset")


@dataclass(frozen=True)
class Ramp:
    """A schedule over steps: `start` until step `first`, `end` from step `last` on, linear in between."""

    start: float
    end: float
    first: int
    last: int

    def at(self, step: int) -> float:
        """The value after `step` steps of training."""
        progress = (step - self.first) / (self.last - self.first)
        return self.start + (self.end - self.start) * min(max(progress, 0.0), 1.0)


@dataclass(frozen=True)
class Clipping:
    """The limits of batch renormalization's r (1 / r_max to r_max) and d (−d_max to d_max) over training."""

    r_max: Ramp
    d_max: Ramp


@dataclass(frozen=True)
class Normalizer(Choice):
    """A kind of normalization layer.

    Attributes:
        short: The abbreviation in network diagrams and advice.
        prefix: The start of its layers' names.
        keras_class: The class in `keras.layers`.
        fields: The RunSpec fields that it takes, by the name of the Keras argument.
        defaults: Keras's defaults of its arguments, which printed code leaves out.
        variables: Its arrays, in Keras's order.
        uses_batch_statistics: Whether, in training, an example's output depends on the other examples of its batch. If
            so, the mean of each unit is subtracted, and a bias before it has no effect.
        needs_large_batches: Whether it divides by batch statistics without a correction.
        foldable: Whether at inference it is a fixed factor and offset per unit.
        operations: Multiplications and additions per value at inference, with γ and β.
        statistic_size: The number of values of one example in each mean, from the shape of the layer's input.
        config: Keras arguments that are the same in every spec.
        sized_config: Keras arguments that depend on the number of units.
        clipping: The limits of its correction by step; None if it corrects nothing.
        code_comment: How printed Keras code differs from what bnlab trains.
    """

    short: str
    prefix: str
    keras_class: str
    fields: Mapping[str, str]
    defaults: Mapping[str, Any]
    variables: tuple[NormalizerVariable, ...]
    uses_batch_statistics: bool
    foldable: bool
    operations: int
    statistic_size: Callable[[Shape], int]
    needs_large_batches: bool = False
    config: Mapping[str, Any] = field(default_factory=dict)
    sized_config: Callable[[int], Mapping[str, Any]] = lambda units: {}
    clipping: Clipping | None = None
    code_comment: str = ""

    @property
    def shown_variables(self) -> tuple[NormalizerVariable, ...]:
        """The variables that charts show."""
        return tuple(variable for variable in self.variables if variable.role != "internal")

    @property
    def keeps_moving_statistics(self) -> bool:
        """Whether it normalizes by moving averages at inference."""
        return any(variable.role in ("mean", "variance") for variable in self.variables)

    @property
    def averages_deviations(self) -> bool:
        """Whether its moving variance is made of a moving average of the batches' standard deviations."""
        return any(variable.name == "moving_stddev" for variable in self.variables)


def count_groups(units: int) -> int:
    """The largest number of equal groups, up to `MAX_GROUPS`, with at least `MIN_GROUP_SIZE` units in each; or 1."""
    limit = max(1, min(MAX_GROUPS, units // MIN_GROUP_SIZE))
    return next(groups for groups in range(limit, 0, -1) if units % groups == 0)


def _count_positions(shape: Shape) -> int:
    return math.prod(shape[:-1])


def _count_units(shape: Shape) -> int:
    return shape[-1]


def _count_group_values(shape: Shape) -> int:
    return math.prod(shape) // count_groups(shape[-1])


_GAMMA = NormalizerVariable("gamma", "gamma", 1.0, "factor", "scale")
_BETA = NormalizerVariable("beta", "beta", 0.0, "offset", "center")
_MOVING = (
    NormalizerVariable("moving_mean", "moving mean", 0.0, "mean"),
    NormalizerVariable("moving_variance", "moving variance", 1.0, "variance"),
)
_RENORM = (
    NormalizerVariable("moving_stddev", "moving standard deviation", 1.0, "internal"),
    NormalizerVariable("renorm_mean", "renorm mean", 0.0, "internal"),
    NormalizerVariable("renorm_stddev", "renorm standard deviation", 1.0, "internal"),
)
_AFFINE = {"epsilon": "epsilon", "center": "center", "scale": "scale"}
_AFFINE_DEFAULTS = {"epsilon": 1e-3, "center": True, "scale": True}

_CLIPPING = Clipping(r_max=Ramp(1.0, 3.0, 500, 4_000), d_max=Ramp(0.0, 5.0, 500, 2_500))
"""Ioffe's limits, reached in a tenth of his steps because the notebook trains for 17,190 steps only.

In the paper r_max is 1 and d_max is 0 (batch normalization) for 5,000 steps; then r_max grows to 3 until step 40,000,
and d_max to 5 until step 25,000.
"""

NORMALIZERS: dict[str, Normalizer] = {
    "batch_normalization": Normalizer(
        "Batch normalization",
        "Mean and variance of each unit over the batch; moving averages of them at inference (Ioffe and Szegedy 2015).",
        short="BN",
        prefix="bn",
        keras_class="BatchNormalization",
        fields={"momentum": "momentum", **_AFFINE},
        defaults={"momentum": 0.99, **_AFFINE_DEFAULTS},
        variables=(_GAMMA, _BETA, *_MOVING),
        uses_batch_statistics=True,
        needs_large_batches=True,
        foldable=True,
        operations=2,
        statistic_size=_count_positions,
    ),
    "batch_renormalization": Normalizer(
        "Batch renormalization",
        "Batch normalization that corrects each batch towards the moving averages, within limits that widen over the "
        "first 4,000 steps (Ioffe 2017).",
        short="BRN",
        prefix="bn",
        keras_class="BatchNormalization",
        fields={"momentum": "momentum", **_AFFINE, "renorm_momentum": "momentum"},
        defaults={"momentum": 0.99, **_AFFINE_DEFAULTS, "renorm_momentum": 0.99},
        variables=(_GAMMA, _BETA, *_MOVING, *_RENORM),
        uses_batch_statistics=True,
        foldable=True,
        operations=2,
        statistic_size=_count_positions,
        config={
            "renorm": True,
            "renorm_clipping": {
                "rmax": _CLIPPING.r_max.end, "rmin": 1 / _CLIPPING.r_max.end, "dmax": _CLIPPING.d_max.end
            },
        },
        clipping=_CLIPPING,
        code_comment="bnlab widens the limits: rmin = rmax = 1 and dmax = 0 until step 500, these from step 4,000 on.",
    ),
    "layer_normalization": Normalizer(
        "Layer normalization",
        "Mean and variance of each example over the layer's units, while training and at inference (Ba et al. 2016).",
        short="LN",
        prefix="ln",
        keras_class="LayerNormalization",
        fields=_AFFINE,
        defaults=_AFFINE_DEFAULTS,
        variables=(_GAMMA, _BETA),
        uses_batch_statistics=False,
        foldable=False,
        operations=7,
        statistic_size=_count_units,
    ),
    "group_normalization": Normalizer(
        "Group normalization",
        "Mean and variance of each example over groups of 16 units or more, in a convolution with all their places; "
        "at most 32 groups, and one where the units are few (Wu and He 2018).",
        short="GN",
        prefix="gn",
        keras_class="GroupNormalization",
        fields=_AFFINE,
        defaults={"groups": 32, **_AFFINE_DEFAULTS},
        variables=(_GAMMA, _BETA),
        uses_batch_statistics=False,
        foldable=False,
        operations=7,
        statistic_size=_count_group_values,
        sized_config=lambda units: {"groups": count_groups(units)},
    ),
    "rms_normalization": Normalizer(
        "RMS normalization",
        "The root mean square of each example over the layer's units; no mean is subtracted (Zhang and Sennrich 2019).",
        short="RMSNorm",
        prefix="rms",
        keras_class="RMSNormalization",
        fields={"epsilon": "epsilon"},
        defaults={"epsilon": 1e-6},
        variables=(NormalizerVariable("scale", "scale", 1.0, "factor"),),
        uses_batch_statistics=False,
        foldable=False,
        operations=4,
        statistic_size=_count_units,
    ),
}  # fmt: skip

VARIABLES: dict[str, NormalizerVariable] = {
    variable.name: variable for normalizer in NORMALIZERS.values() for variable in normalizer.shown_variables
}
"""All variables that charts show, by Keras's name."""

NORMALIZER_FIELDS = frozenset(name for entry in NORMALIZERS.values() for name in entry.fields.values())
"""The RunSpec fields that at least one normalizer takes."""

FORMER_FIELDS = {"renorm": "normalizer"}
"""Fields of earlier versions of RunSpec, found in old links and stores, each with the field that replaced it."""


def translate_former_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` of RunSpec's fields with `renorm` (a bool) replaced by `normalizer`."""
    renorm = values.get("renorm")
    if not isinstance(renorm, bool):
        return dict(values)
    translated = {name: value for name, value in values.items() if name != "renorm"}
    if renorm and translated.get("normalizer", "batch_normalization") == "batch_normalization":
        translated["normalizer"] = "batch_renormalization"
    return translated
