"""The named comparisons: each a list of labelled specs."""

from dataclasses import dataclass

from bnlab.spec.parse import revise_spec
from bnlab.spec.run_spec import RunSpec


@dataclass(frozen=True)
class Variant:
    """One line of a comparison: a spec and what it is called there."""

    label: str
    spec: RunSpec


@dataclass(frozen=True)
class Preset:
    """A named comparison."""

    title: str
    description: str
    variants: tuple[Variant, ...]


_BASELINE = RunSpec(activation="leaky_relu", kernel_initializer="he_normal")
_APPROACH_1 = revise_spec(_BASELINE, {"placement": "after_activation", "input_normalization": True})

PRESETS: dict[str, Preset] = {
    "notebook": Preset(
        "The notebook's comparison",
        "Four networks on MNIST: without batch normalization, after the activation (as the notebook prints "
        "it, with no activation at all, and as it describes it), and before the activation.",
        (
            Variant("Baseline", _BASELINE),
            Variant("Approach 1 (as printed)", revise_spec(_APPROACH_1, {"activation": "linear"})),
            Variant("Approach 1 (as described)", _APPROACH_1),
            Variant(
                "Approach 2",
                RunSpec(placement="before_activation", input_normalization=True, use_bias=False, activation="relu"),
            ),
        ),
    ),
}
