"""Networks, predictions and remarks that several claims share."""

from dataclasses import dataclass

from bnlab.claims.model import Arm, Condition, Measure, Prediction, Size
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec


@dataclass(frozen=True)
class ActivationKind:
    """An activation with a suitable initializer."""

    title: str
    activation: str
    kernel_initializer: str


ACTIVATION_KINDS = {
    "relu": ActivationKind("ReLU", "relu", "he_normal"),
    "leaky_relu": ActivationKind("Leaky ReLU", "leaky_relu", "he_normal"),
    "sigmoid": ActivationKind("sigmoid", "sigmoid", "glorot_normal"),
    "tanh": ActivationKind("tanh", "tanh", "glorot_normal"),
}
"""By id. Without BN, gradients keep their size through ReLU layers and vanish in sigmoid layers."""


def deep_pair(kind: str, depth: int) -> tuple[RunSpec, RunSpec]:
    """Specs of `depth` hidden layers of 100 units, without and with BN."""
    activation, initializer = ACTIVATION_KINDS[kind].activation, ACTIVATION_KINDS[kind].kernel_initializer
    control = RunSpec(hidden_units=(100,) * depth, activation=activation, kernel_initializer=initializer)
    return control, revise_spec(control, {"placement": "before_activation"})


def depth_text(kind: str, depth: int) -> str:
    """The layers of a deep network as text: `20 ReLU layers`."""
    return f"{depth} {ACTIVATION_KINDS[kind].title} layer{'' if depth == 1 else 's'}"


@dataclass(frozen=True)
class NetworkPair:
    """Two specs to be compared. Its id is the prefix of its conditions' ids."""

    id: str
    title: str
    treatment: RunSpec
    control: RunSpec

    def condition(self, measure: Measure, prediction: Prediction) -> Condition:
        """The condition that compares the pair by `measure`."""
        treatment, control = Arm("BN", (self.treatment,)), Arm("no BN", (self.control,))
        title = f"{self.title}, {measure.title}"
        return Condition(f"{self.id}_{measure.id}", title, treatment, control, measure, prediction)


def _pair_at_rate(identifier: str, learning_rate: float) -> NetworkPair:
    control = RunSpec(kernel_initializer="he_normal", learning_rate=learning_rate)
    treatment = revise_spec(control, {"placement": "before_activation"})
    return NetworkPair(identifier, f"rate {learning_rate:g}", treatment, control)


NOTEBOOK_PAIR = NetworkPair(
    "notebook",
    "the notebook's pair",
    treatment=RunSpec(placement="before_activation", input_normalization=True, use_bias=False),
    control=RunSpec(activation="leaky_relu", kernel_initializer="he_normal"),
)
"""Approach 2 and Baseline of the preset, which differ in more than BN."""

PAIRS = (NOTEBOOK_PAIR, _pair_at_rate("rate_0_01", 0.01), _pair_at_rate("rate_0_1", 0.1))
"""The notebook's pair, and pairs that differ in BN alone, at two learning rates."""

PAIRS_REMARK = (
    "The notebook's pair is its Approach 2 against its Baseline. They differ in five settings: placement, BN on the "
    "input, use_bias, initializer and activation. Their kernels start from different values, and not all of a "
    "difference is due to BN. The pairs named by their rate differ in BN alone."
)

TARGET_REMARK = (
    "A run that never reaches an accuracy counts with its whole length, which is less than it would have needed. To "
    "have few such runs, 97 % is measured at the rate 0.1 alone: at 0.01 networks without BN do not reach it within "
    "the 5 epochs of the quick size."
)

SECONDS_REMARK = (
    "Training seconds to an accuracy are the steps to it at the speed of the run's fastest epoch, and seconds per "
    "epoch are those of the fastest one, since other work on the machine only slows an epoch. Compilation and "
    "validation are not included."
)

PAIRS_QUICK = Size({"epochs": 5}, 5)
PAIRS_FULL = Size({"epochs": 15}, 10)

FEWER_STEPS = Prediction(
    -1, 172, "A tenth of an epoch of 1,719 steps, which is less than the distance between evaluations."
)
FEWER_SECONDS = Prediction(-1, 0.1, "A tenth of a second: about a fifth of an epoch; less is not noticed.")
MORE_SECONDS = Prediction(+1, 0.05, "Epochs of the same network differ by up to some hundredths of a second.")
MORE_ACCURATE = Prediction(
    +1, 0.3, "Thirty of the 10,000 test images: three times the variation between seeds of one network."
)
