"""Pairs of networks, one with BN and one without, that several claims compare: each pair is trained once for all."""

from dataclasses import dataclass

from bnlab.claims.claim import Arm, Condition, Measure, Prediction, Size
from bnlab.spec.parse import revise_spec
from bnlab.spec.presets import PRESETS
from bnlab.spec.run_spec import RunSpec


@dataclass(frozen=True)
class Pair:
    """Two specs under a name."""

    name: str
    treatment: RunSpec
    control: RunSpec

    def condition(self, measure: Measure, prediction: Prediction) -> Condition:
        """The pair compared by `measure`."""
        name = f"{self.name}, {measure.name}"
        return Condition(name, Arm("BN", (self.treatment,)), Arm("no BN", (self.control,)), measure, prediction)


def _at_rate(learning_rate: float) -> Pair:
    control = RunSpec(kernel_initializer="he_normal", learning_rate=learning_rate)
    return Pair(f"rate {learning_rate:g}", revise_spec(control, {"placement": "before_activation"}), control)


_NOTEBOOK = PRESETS["notebook"].comparison
PAIRS = (
    Pair("the notebook's pair", _NOTEBOOK["Approach 2"].spec, _NOTEBOOK["Baseline"].spec),
    _at_rate(0.01),
    _at_rate(0.1),
)
"""The notebook's own, which differ in more than BN, and pairs that differ in BN alone, at two learning rates."""

PAIRS_REMARK = (
    "The notebook's pair is its Approach 2 against its Baseline. The two differ in five things: where BN stands, BN "
    "on the input, use_bias, the initializer and the activation, so that their kernels start from other values and "
    "not all of a difference is due to BN. The pairs named by their rate differ in BN alone."
)
TARGET_REMARK = (
    "A run that never gets to an accuracy counts with its whole length, less than it would have taken. So that few "
    "runs do, 97 % is asked at the rate 0.1 alone: at 0.01 networks without BN do not get there in the quick size's 5"
    " epochs."
)

SECONDS_REMARK = (
    "Training seconds to an accuracy are the steps to it at the pace of the run's fastest epoch, and those of an epoch "
    "the fastest's: the machine's other work only slows an epoch. Compiling and validation do not count."
)

PAIRS_QUICK = Size({"epochs": 5}, 5)
PAIRS_FULL = Size({"epochs": 15}, 10)

FEWER_STEPS = Prediction(-1, 172, "A tenth of an epoch of 1,719 steps; the moments of measurement lie further apart.")
FEWER_SECONDS = Prediction(-1, 0.1, "A tenth of a second: about a fifth of an epoch, and no less is felt.")
MORE_SECONDS = Prediction(+1, 0.05, "Epochs of the same network differ by up to some hundredths of a second.")
MORE_ACCURATE = Prediction(+1, 0.3, "Thirty of the 10,000 test images: three times what seeds of one network vary by.")
