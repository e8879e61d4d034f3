"""What the notebook observes of batch normalization's variables."""

from typing import Any

from bnlab.claims.claim import Arm, Claim, Condition, Measure, Prediction, Size
from bnlab.claims.measures import NON_TRAINABLE_A_UNIT, TRAINABLE_A_UNIT
from bnlab.spec.parse import revise_spec
from bnlab.spec.run_spec import RunSpec

COUNTED = Size({}, 1)
"""Nothing is trained, and no seed makes a difference."""

_ONE = Prediction(+1, 1, "Half a parameter a unit does not exist, and one would make the statement true.")
_PLACES: dict[str, dict[str, Any]] = {
    "before the activation": {"placement": "before_activation"},
    "after the activation": {"placement": "after_activation"},
    "on the input": {"input_normalization": True},
}


def _wherever_it_stands(measure: Measure) -> tuple[Condition, ...]:
    without = Arm("no BN", (RunSpec(),))
    return tuple(
        Condition(place, Arm("BN", (revise_spec(RunSpec(), changes),)), without, measure, _ONE)
        for place, changes in _PLACES.items()
    )


OBSERVATIONS = (
    Claim(
        id="O1",
        statement="gamma and beta are new trainable parameters.",
        question="How many trainable parameters do the BN layers have for each unit they normalize?",
        conditions=_wherever_it_stands(TRAINABLE_A_UNIT),
        quick=COUNTED,
        full=COUNTED,
    ),
    Claim(
        id="O2",
        statement="Mean and standard deviation are not trainable.",
        question="How many parameters of the BN layers, for each unit they normalize, does the optimizer leave alone? "
        "(Keras keeps a moving mean and a moving variance, not a standard deviation.)",
        conditions=_wherever_it_stands(NON_TRAINABLE_A_UNIT),
        quick=COUNTED,
        full=COUNTED,
    ),
)
