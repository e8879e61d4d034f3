"""The presets: named comparisons."""

from dataclasses import dataclass
from typing import Any

from bnlab.specs.comparison import Comparison, Variant
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec

RECORDED_SEEDS = 3


@dataclass(frozen=True)
class Preset:
    """A named comparison.

    Attributes:
        title, description: texts for users.
        variants: what is compared.
        question: the question that the comparison answers, empty if it has none.
        asks_about: the name of the field whose effect the question is about, None if there is no single one.
        finding: a sentence that answers the question from the recorded runs where their final accuracy does not.
        look_at: a sentence on where the answer can be seen.
        claim: the id of the claim that tests the answer on more networks, empty if there is none.
    """

    title: str
    description: str
    variants: tuple[Variant, ...]
    question: str = ""
    asks_about: str | None = None
    finding: str = ""
    look_at: str = ""
    claim: str = ""

    @property
    def comparison(self) -> Comparison:
        """The variants with one seed each."""
        return Comparison(self.variants)

    @property
    def recorded_comparison(self) -> Comparison:
        """The variants with the seeds that are recorded where a recording is shipped."""
        return self.comparison.with_seeds(RECORDED_SEEDS)

    @property
    def linked_comparison(self) -> Comparison:
        """What a link with the preset's name alone shows: with a question its recorded seeds, otherwise one seed."""
        return self.recorded_comparison if self.question else self.comparison


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
_SCALES: dict[str, dict[str, Any]] = {
    "Scaled": {},
    "Raw": {"rescale": "raw"},
    "Scaled with input BN": {"input_normalization": True},
    "Raw with input BN": {"input_normalization": True, "rescale": "raw"},
}
_MOMENTA: dict[str, dict[str, Any]] = {
    "No BN": {},
    "BN with momentum 0.99": _BEFORE,
    "BN with momentum 0.9": {**_BEFORE, "momentum": 0.9},
}
_HE = RunSpec(kernel_initializer="he_normal")

PRESETS: dict[str, Preset] = {
    "placement": Preset(
        "Only the placement differs",
        "The same ReLU network three times: no batch normalization, after the activation, before it.",
        _variants(
            _HE,
            No_BN={},
            BN_after_ReLU={"placement": "after_activation"},
            BN_before_ReLU=_BEFORE,
        ),
        question="Before or after the activation?",
        asks_about="placement",
        look_at="Compare the two BN curves with each other, then with the one without BN, in the first two epochs.",
        claim="P1",
    ),
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
        question="Does the bias matter?",
        asks_about="use_bias",
        look_at="With BN before the activation, the curves with and without a bias lie on each other.",
        claim="P2",
    ),
    "gamma_beta": Preset(
        "With and without gamma and beta",
        "BN before the activation with both parameters, with only one of them, and with neither.",
        _variants(
            _HE,
            Gamma_and_beta=_BEFORE,
            Only_gamma={**_BEFORE, "center": False},
            Only_beta={**_BEFORE, "scale": False},
            Neither={**_BEFORE, "center": False, "scale": False},
        ),
        question="What do gamma and beta do?",
        finding="Gamma and beta let each unit choose the scale and the offset of its normalized values; here they move "
        "little: over all 400 units gamma goes from 1 to between 0.96 and 1.27, beta from 0 to between −0.04 and 0.21.",
        look_at="Layers shows gamma and beta of every unit.",
    ),
    "early_validation": Preset(
        "Early validation",
        "2,000 training images: no batch normalization, and BN whose moving averages follow slowly and quickly.",
        _variants(
            revise_spec(_HE, {"train_examples": 2_000, "learning_rate": 0.1, "evaluate_with": "all"}),
            **_MOMENTA,
        ),
        question="Why is validation bad early on?",
        asks_about="momentum",
        finding="Validation uses moving averages, which at momentum 0.99 hold 37 % of their initial values after 100 "
        "steps.",
        look_at="Choose other statistics in View, Evaluated with: the dip of validation accuracy in the first epoch is "
        "gone.",
    ),
    "scaling": Preset(
        "Scaled and raw inputs",
        "Pixels from 0 to 1 and from 0 to 255, without and with batch normalization of the input.",
        _variants(
            revise_spec(_HE, {"epochs": 5}),
            **_SCALES,
        ),
        question="Do I still need to scale inputs?",
        asks_about="rescale",
        look_at="The accuracy of raw pixels without BN stays at chance, while the other three curves rise.",
        claim="A1",
    ),
    "learning_rates": Preset(
        "Small and large learning rates",
        "Learning rates of 0.1 and 2, without and with batch normalization before the activation.",
        _variants(
            revise_spec(_HE, {"epochs": 5}),
            **{
                "No BN at rate 0.1": {"learning_rate": 0.1},
                "BN at rate 0.1": {**_BEFORE, "learning_rate": 0.1},
                "No BN at rate 2": {"learning_rate": 2.0},
                "BN at rate 2": {**_BEFORE, "learning_rate": 2.0},
            },
        ),
        question="Does BN allow larger learning rates?",
        asks_about="placement",
        look_at="Compare the networks with and without BN at the rate of 2.",
        claim="P3",
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
