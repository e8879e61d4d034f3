"""The presets: named comparisons."""

from dataclasses import dataclass
from typing import Any

from bnlab.specs.comparison import Comparison, Variant
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec


@dataclass(frozen=True)
class Preset:
    """A named comparison with a title and a description for users."""

    title: str
    description: str
    variants: tuple[Variant, ...]

    @property
    def comparison(self) -> Comparison:
        """The variants with one seed each."""
        return Comparison(self.variants)


def _variants(base: RunSpec, **changes_by_label: dict[str, Any]) -> tuple[Variant, ...]:
    """One variant of `base` per keyword, which is its label with underscores for spaces, with those changes."""
    return tuple(
        Variant(label.replace("_", " "), revise_spec(base, changes), colour)
        for colour, (label, changes) in enumerate(changes_by_label.items())
    )


_BASELINE = RunSpec(activation="leaky_relu", kernel_initializer="he_normal")
_APPROACH_1 = revise_spec(_BASELINE, {"placement": "after_activation", "input_normalization": True})
_APPROACH_2 = RunSpec(placement="before_activation", input_normalization=True, use_bias=False, activation="relu")
_DEEP = RunSpec(hidden_units=(100,) * 10, activation="sigmoid", kernel_initializer="glorot_normal")
_BEFORE: dict[str, Any] = {"placement": "before_activation"}

PRESETS: dict[str, Preset] = {
    "notebook": Preset(
        "The notebook's comparison",
        "Four networks on MNIST: without batch normalization, after the activation (as the notebook prints "
        "it, with no activation at all, and as it describes it), and before the activation.",
        (
            Variant("Baseline", _BASELINE, 0),
            Variant("Approach 1 (as printed)", revise_spec(_APPROACH_1, {"activation": "linear"}), 1),
            Variant("Approach 1 (as described)", _APPROACH_1, 2),
            Variant("Approach 2", _APPROACH_2, 3),
        ),
    ),
    "placement": Preset(
        "Only the placement differs",
        "The same ReLU network three times: no batch normalization, after the activation, before it.",
        _variants(
            RunSpec(kernel_initializer="he_normal"),
            No_BN={},
            BN_after_ReLU={"placement": "after_activation"},
            BN_before_ReLU=_BEFORE,
        ),
    ),
    "bias": Preset(
        "Is the bias redundant?",
        "With BN before the activation the bias is subtracted again; after it, and without BN, it is not.",
        _variants(
            RunSpec(),
            BN_before={**_BEFORE},
            BN_before_without_bias={**_BEFORE, "use_bias": False},
            No_BN={},
            No_BN_without_bias={"use_bias": False},
        ),
    ),
    "initializers": Preset(
        "Good and bad initializers",
        "Weights that start well and far too large, without and with batch normalization before the activation.",
        _variants(
            RunSpec(initializer_stddev=1.0),
            He={"kernel_initializer": "he_normal"},
            Stddev_1={"kernel_initializer": "random_normal"},
            He_with_BN={**_BEFORE, "kernel_initializer": "he_normal"},
            Stddev_1_with_BN={**_BEFORE, "kernel_initializer": "random_normal"},
        ),
    ),
    "depth": Preset(
        "Ten sigmoid layers",
        "A deep network of sigmoids, whose gradients vanish on the way down, without and with batch normalization.",
        _variants(
            _DEEP,
            No_BN={},
            BN_before={**_BEFORE},
            BN_after={"placement": "after_activation"},
        ),
    ),
}
