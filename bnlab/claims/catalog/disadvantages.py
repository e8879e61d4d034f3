"""The notebook's statements against batch normalization: D1 to D4."""

from bnlab.claims.catalog.networks import (
    FEWER_SECONDS,
    MORE_ACCURATE,
    MORE_SECONDS,
    PAIRS,
    PAIRS_FULL,
    PAIRS_QUICK,
    PAIRS_REMARK,
    SECONDS_REMARK,
    TARGET_REMARK,
)
from bnlab.claims.measures import (
    ACCURACY,
    LAYERS,
    OPERATIONS,
    PARAMETERS,
    SECONDS_PER_EPOCH,
    SECONDS_TO_97,
    TRAINABLE,
)
from bnlab.claims.model import (
    COUNTED_SIZE,
    Arm,
    Claim,
    ClaimAnswer,
    Condition,
    Finding,
    Measure,
    Prediction,
    QuotedNumber,
    Topic,
)
from bnlab.claims.verdicts import Verdict
from bnlab.claims.worker_measures import (
    ADDED_MILLISECONDS_1,
    ADDED_MILLISECONDS_256,
    ADDED_SECONDS_PER_EPOCH,
    FOLDED_MILLISECONDS_1,
    FOLDED_MILLISECONDS_256,
    LOGIT_CHANGE,
    MILLISECONDS_1,
    MILLISECONDS_256,
)
from bnlab.specs.run_spec import RunSpec

_ONE_MORE = Prediction(+1, 1, "These are counted: one more is more.")
_NO_BN = Arm("no BN", (RunSpec(),))
_BN = Arm("BN", (RunSpec(placement="before_activation"),))
_BN_INSTEAD_OF_BIAS = Arm("BN instead of biases", (RunSpec(placement="before_activation", use_bias=False),))


def _counted_condition(identifier: str, title: str, treatment: Arm, measure: Measure) -> Condition:
    return Condition(identifier, title, treatment, _NO_BN, measure, _ONE_MORE)


_TIMED_PAIRS = PAIRS[:2]
"""Without the third pair, which is the second at another learning rate: times do not depend on it."""

_SLOWER = Prediction(+1, 0.01, "A hundredth of a millisecond: about a twentieth of the time to predict an image.")
_SLOWER_BATCH = Prediction(
    +1, 0.05, "A twentieth of a millisecond: about a twentieth of the time to predict 256 images."
)
_SAME_LOGIT = Prediction(0, 0.001, "A thousandth of a logit changes only predictions that are nearly tied.")

DISADVANTAGES = (
    Claim(
        id="D1",
        statement="It adds more complexity.",
        topic=Topic.PARTS,
        answer=ClaimAnswer(
            Verdict.SUPPORTED,
            "In a network of 300 and 100 units BN adds 1,600 parameters to 266,610, and 800 operations per image to "
            "532,810.",
            numbers=(
                QuotedNumber("1,600", "parameters", "more"),
                QuotedNumber("266,610", "parameters", "control"),
                QuotedNumber("800", "operations", "more"),
                QuotedNumber("532,810", "operations", "control"),
            ),
            shown="parameters",
        ),
        question="How many layers and parameters, and how many multiplications and additions for one image, does BN "
        "before the activations add to the notebook's 300 · 100 network?",
        conditions=tuple(_counted_condition(m.id, m.title, _BN, m) for m in (OPERATIONS, PARAMETERS, LAYERS)),
        quick=COUNTED_SIZE,
        full=COUNTED_SIZE,
    ),
    Claim(
        id="D2",
        statement="It has more learnable parameters.",
        topic=Topic.PARTS,
        answer=ClaimAnswer(
            Verdict.SUPPORTED,
            "BN adds 800 learnable parameters to a network of 300 and 100 units, or 400 if it replaces the biases.",
            numbers=(QuotedNumber("800", "bias_kept", "more"), QuotedNumber("400", "bias_left_out", "more")),
        ),
        question="How many more trainable parameters does the network have with BN if the Dense layers keep their "
        "biases, and if BN, whose beta does the same, replaces them?",
        conditions=(
            _counted_condition("bias_kept", "biases kept", _BN, TRAINABLE),
            _counted_condition("bias_left_out", "biases replaced by BN", _BN_INSTEAD_OF_BIAS, TRAINABLE),
        ),
        quick=COUNTED_SIZE,
        full=COUNTED_SIZE,
    ),
    Claim(
        id="D3",
        statement="Prediction is slower but more accurate.",
        topic=Topic.COST,
        answer=ClaimAnswer(
            Verdict.CONDITIONAL,
            "BN adds 0.02 ms to the prediction of one image, which merging it into the Dense layers avoids; the "
            "accuracy is 0.7 points higher at the rate 0.01 and about equal at 0.1.",
            short="Slower yes, more accurate at small rates",
            numbers=(
                QuotedNumber("0.02", "rate_0_01_added_milliseconds_1", "more"),
                QuotedNumber("0.02", "notebook_added_milliseconds_1", "more"),
                QuotedNumber("0.7", "rate_0_01_final_accuracy", "more"),
            ),
            verdicts={
                "rate_0_01_added_milliseconds_1": Verdict.SUPPORTED,
                "rate_0_01_added_milliseconds_256": Verdict.SUPPORTED,
                "rate_0_1_final_accuracy": Verdict.NO_DIFFERENCE,
            },
            shown="rate_0_01_milliseconds_1",
        ),
        question="Does a network with BN take longer to predict 1 image and 256 than the same network with BN merged "
        "into its Dense layers, and is it more accurate than one without BN? Also measured: each network's whole time, "
        "which depends on the machine's other work, and how much merging BN changes the outputs.",
        conditions=(
            *(pair.condition(ADDED_MILLISECONDS_1, _SLOWER) for pair in _TIMED_PAIRS),
            *(pair.condition(ADDED_MILLISECONDS_256, _SLOWER_BATCH) for pair in _TIMED_PAIRS),
            *(pair.condition(ACCURACY, MORE_ACCURATE) for pair in PAIRS),
        ),
        supplementary=(
            *(pair.condition(MILLISECONDS_1, _SLOWER) for pair in _TIMED_PAIRS),
            *(pair.condition(FOLDED_MILLISECONDS_1, _SLOWER) for pair in _TIMED_PAIRS),
            *(pair.condition(MILLISECONDS_256, _SLOWER_BATCH) for pair in _TIMED_PAIRS),
            *(pair.condition(FOLDED_MILLISECONDS_256, _SLOWER_BATCH) for pair in _TIMED_PAIRS),
            *(pair.condition(LOGIT_CHANGE, _SAME_LOGIT) for pair in _TIMED_PAIRS),
        ),
        remarks=(PAIRS_REMARK,),
        quick=PAIRS_QUICK,
        full=PAIRS_FULL,
        literature=(
            Finding(
                "The slower prediction can be avoided: at inference BN is merged into the neighboring layer.",
                "Jacob et al. 2018",
            ),
        ),
    ),
    Claim(
        id="D4",
        statement="Training takes longer but converges faster.",
        topic=Topic.COST,
        answer=ClaimAnswer(
            Verdict.CONDITIONAL,
            "An epoch takes 0.29 s longer in the notebook's network, which normalizes its input too, and 0.035 s with "
            "BN before the activations alone; at the rate 0.1 training reaches 97 % accuracy 0.4 s earlier.",
            short="Longer with BN on the input, and faster",
            numbers=(
                QuotedNumber("0.29", "notebook_added_seconds_per_epoch", "more"),
                QuotedNumber("0.035", "rate_0_01_added_seconds_per_epoch", "more"),
                QuotedNumber("0.4", "rate_0_1_seconds_to_97", "less"),
            ),
            verdicts={
                "notebook_added_seconds_per_epoch": Verdict.SUPPORTED,
                "rate_0_01_added_seconds_per_epoch": Verdict.NO_DIFFERENCE,
                "rate_0_1_seconds_to_97": Verdict.SUPPORTED,
            },
            shown="rate_0_1_seconds_to_97",
        ),
        question="Do the steps of an epoch take more seconds with BN than the same network's without it, measured in "
        "turns, and does training need fewer to 97 %? Also measured: the epochs of the runs themselves, which depend "
        "on the machine's other work.",
        conditions=(
            *(pair.condition(ADDED_SECONDS_PER_EPOCH, MORE_SECONDS) for pair in _TIMED_PAIRS),
            PAIRS[-1].condition(SECONDS_TO_97, FEWER_SECONDS),
        ),
        supplementary=tuple(pair.condition(SECONDS_PER_EPOCH, MORE_SECONDS) for pair in PAIRS),
        remarks=(
            "The two halves of the statement are tested on different pairs: the seconds of an epoch do not depend on "
            "the rate, so a second rate would add nothing.",
            TARGET_REMARK,
            SECONDS_REMARK,
            PAIRS_REMARK,
        ),
        quick=PAIRS_QUICK,
        full=PAIRS_FULL,
        literature=(Finding("BN made training a multilayer perceptron take over 80 % longer.", "Garbin et al. 2020"),),
        discussion=(
            "Garbin et al. measured over 80 % more time. Here it is some 60 % more for the notebook's network, which "
            "normalizes the 784 inputs as well, and less than a tenth with BN before the hidden activations alone. The "
            "steps are compiled as a whole, which fuses BN's arithmetic with that of its neighbors."
        ),
    ),
)
