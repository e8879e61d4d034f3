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
from bnlab.claims.model import COUNTED_SIZE, Arm, Claim, Condition, Finding, Measure, Prediction
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

_ONE_MORE = Prediction(+1, 1, "These are counted, so one more is more.")
_NO_BN = Arm("no BN", (RunSpec(),))
_BN = Arm("BN", (RunSpec(placement="before_activation"),))
_BN_INSTEAD_OF_BIAS = Arm("BN in the place of the bias", (RunSpec(placement="before_activation", use_bias=False),))


def _counted_condition(identifier: str, title: str, treatment: Arm, measure: Measure) -> Condition:
    return Condition(identifier, title, treatment, _NO_BN, measure, _ONE_MORE)


_TIMED_PAIRS = PAIRS[:2]
"""Without the third pair, which is the second at another learning rate: times do not depend on it."""

_SLOWER = Prediction(+1, 0.01, "A hundredth of a millisecond: about a twentieth of what predicting an image takes.")
_SLOWER_BATCH = Prediction(+1, 0.05, "A twentieth of a millisecond: about a twentieth of what 256 images take.")
_SAME_LOGIT = Prediction(0, 0.001, "A thousandth of a logit changes no prediction but a near tie.")

DISADVANTAGES = (
    Claim(
        id="D1",
        statement="It adds more complexity.",
        question="How many layers and parameters, and how many multiplications and additions for one image, does BN "
        "before the activations add to the notebook's 300 · 100 network?",
        conditions=tuple(_counted_condition(m.id, m.title, _BN, m) for m in (OPERATIONS, PARAMETERS, LAYERS)),
        quick=COUNTED_SIZE,
        full=COUNTED_SIZE,
    ),
    Claim(
        id="D2",
        statement="It has more learnable parameters.",
        question="How many trainable parameters more does the network have with BN, where the Dense layers keep their "
        "bias and where BN, whose beta does the same, takes its place?",
        conditions=(
            _counted_condition("bias_kept", "the bias kept", _BN, TRAINABLE),
            _counted_condition("bias_left_out", "the bias left out", _BN_INSTEAD_OF_BIAS, TRAINABLE),
        ),
        quick=COUNTED_SIZE,
        full=COUNTED_SIZE,
    ),
    Claim(
        id="D3",
        statement="Prediction is slower but more accurate.",
        question="Does a network with BN take longer to predict 1 image and 256 than the same network with BN folded "
        "into its Dense layers, and is it more accurate than one without BN? Beside it: each network's whole time, "
        "which depends on what else the machine does, and how much folding changes what the network says.",
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
                "The slower prediction can be avoided: at inference BN folds into the neighbouring layer.",
                "Jacob et al. 2018",
            ),
        ),
    ),
    Claim(
        id="D4",
        statement="Training takes longer but converges faster.",
        question="Do the steps of an epoch take more seconds with BN than the same network's without it, measured in "
        "turns, and does training need fewer to 97 %? Beside it: the epochs of the runs themselves, which depend on "
        "what else the machine did.",
        conditions=(
            *(pair.condition(ADDED_SECONDS_PER_EPOCH, MORE_SECONDS) for pair in _TIMED_PAIRS),
            PAIRS[-1].condition(SECONDS_TO_97, FEWER_SECONDS),
        ),
        supplementary=tuple(pair.condition(SECONDS_PER_EPOCH, MORE_SECONDS) for pair in PAIRS),
        remarks=(
            "The two halves of the statement are decided on different pairs: the seconds of an epoch do not depend on"
            " the rate, so that a second rate would say nothing new of them.",
            TARGET_REMARK,
            SECONDS_REMARK,
            PAIRS_REMARK,
        ),
        quick=PAIRS_QUICK,
        full=PAIRS_FULL,
        literature=(Finding("BN made training a multilayer perceptron take over 80 % longer.", "Garbin et al. 2020"),),
        discussion=(
            "Garbin et al. measured over 80 % more time; we measure some 60 % more for the notebook's network, which "
            "normalizes the 784 inputs too, and less than a tenth where BN stands before the hidden activations "
            "alone. Our steps are compiled as a whole, which fuses BN's arithmetic with its neighbours'."
        ),
    ),
)
