"""The notebook's observations of batch normalization's variables: O1 to O3."""

from typing import Any

from bnlab.claims.measures import NON_TRAINABLE_PER_UNIT, TRAINABLE_PER_UNIT
from bnlab.claims.model import (
    COUNTED_SIZE,
    Arm,
    Claim,
    ClaimAnswer,
    Condition,
    Measure,
    Prediction,
    QuotedNumber,
    Size,
    Topic,
)
from bnlab.claims.verdicts import Verdict
from bnlab.claims.worker_measures import LOSS_CHANGES, QUANTITIES
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec

_NO_BN = Arm("no BN", (RunSpec(),))
_BN = Arm("BN", (RunSpec(placement="before_activation"),))
_AT_LEAST_ONE = Prediction(+1, 1, "There are no half parameters, and one per unit would make the statement true.")
_FOUR_PER_UNIT_REMARK = (
    "Together that is the notebook's 4 × units, as 784 · 4 = 3,136 on the input, 300 · 4 = 1,200 and 100 · 4 = 400: "
    "gamma and beta are trained, the moving mean and variance are kept."
)
_PLACEMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "before_activation": ("before the activation", {"placement": "before_activation"}),
    "after_activation": ("after the activation", {"placement": "after_activation"}),
    "input": ("on the input", {"input_normalization": True}),
}
"""Title and changes of the spec by condition id."""


def _placement_conditions(measure: Measure) -> tuple[Condition, ...]:
    return tuple(
        Condition(identifier, title, Arm("BN", (revise_spec(RunSpec(), changes),)), _NO_BN, measure, _AT_LEAST_ONE)
        for identifier, (title, changes) in _PLACEMENTS.items()
    )


_DEPENDENCE = Prediction(
    +1, 0.0001, "Rounding changes the loss by a millionth; a hundred times that is a dependence, however weak."
)


def _quantity_conditions() -> tuple[Condition, ...]:
    """One condition per quantity and mode; in the control without BN, the loss cannot change."""
    return tuple(
        Condition(f"{quantity}_{mode}", f"{QUANTITIES[quantity]}, {mode} mode", _BN, _NO_BN, measure, _DEPENDENCE)
        for (quantity, mode), measure in LOSS_CHANGES.items()
    )


OBSERVATIONS = (
    Claim(
        id="O1",
        statement="gamma and beta are new trainable parameters.",
        topic=Topic.PARTS,
        answer=ClaimAnswer(
            Verdict.SUPPORTED,
            "BN has two trainable parameters per unit, gamma and beta.",
            numbers=(
                QuotedNumber("two", "before_activation", "treatment", 2, 2),
                QuotedNumber("two", "after_activation", "treatment", 2, 2),
                QuotedNumber("two", "input", "treatment", 2, 2),
            ),
        ),
        question="How many trainable parameters do the BN layers have for each unit they normalize?",
        conditions=_placement_conditions(TRAINABLE_PER_UNIT),
        remarks=(_FOUR_PER_UNIT_REMARK,),
        quick=COUNTED_SIZE,
        full=COUNTED_SIZE,
    ),
    Claim(
        id="O2",
        statement="Mean and standard deviation are not trainable.",
        topic=Topic.PARTS,
        answer=ClaimAnswer(
            Verdict.SUPPORTED,
            "Two more per unit, the moving mean and the moving variance, are not trained.",
            numbers=(
                QuotedNumber("Two", "before_activation", "treatment", 2, 2),
                QuotedNumber("Two", "after_activation", "treatment", 2, 2),
                QuotedNumber("Two", "input", "treatment", 2, 2),
            ),
        ),
        question="How many parameters of the BN layers, for each unit they normalize, does the optimizer not train? "
        "(Keras keeps a moving mean and a moving variance, not a standard deviation.)",
        conditions=_placement_conditions(NON_TRAINABLE_PER_UNIT),
        remarks=(_FOUR_PER_UNIT_REMARK,),
        quick=COUNTED_SIZE,
        full=COUNTED_SIZE,
    ),
    Claim(
        id="O3",
        statement="The cost depends on these four (gamma, beta, mean, variance).",
        topic=Topic.PARTS,
        answer=ClaimAnswer(
            Verdict.CONDITIONAL,
            "The loss depends on gamma and beta always, on the batch's mean and variance in training mode only, and on "
            "the moving mean and variance in inference mode only.",
            short="Yes, each in its mode",
            verdicts={
                "gamma_training": Verdict.SUPPORTED,
                "gamma_inference": Verdict.SUPPORTED,
                "beta_training": Verdict.SUPPORTED,
                "beta_inference": Verdict.SUPPORTED,
                "batch_mean_training": Verdict.SUPPORTED,
                "batch_mean_inference": Verdict.NO_DIFFERENCE,
                "batch_variance_training": Verdict.SUPPORTED,
                "batch_variance_inference": Verdict.NO_DIFFERENCE,
                "moving_mean_training": Verdict.NO_DIFFERENCE,
                "moving_mean_inference": Verdict.SUPPORTED,
                "moving_variance_training": Verdict.NO_DIFFERENCE,
                "moving_variance_inference": Verdict.SUPPORTED,
            },
        ),
        question="After 100 steps, does the loss on one batch change if gamma, beta, the mean or the variance of every "
        "BN layer is changed a little: in training mode, which takes mean and variance from the batch, and in "
        "inference mode, which takes the moving ones?",
        conditions=_quantity_conditions(),
        remarks=(
            "These four are gamma, beta, mean and variance. Mean and variance are two pairs of numbers: the batch's "
            "own, by which training mode normalizes, and the moving ones, by which inference mode does.",
            "The training loss does not depend on the moving statistics at all: training mode only updates them.",
            "A little is a tenth: gamma and the variances are multiplied by 1.1, 0.1 is added to beta, which starts at "
            "0, and a tenth of the standard deviation to the means. These changes are not of equal size, so the rows "
            "tell whether the loss depends on a quantity, not on which it depends most.",
            "The control is the same network without BN, which has none of these: its loss does not change.",
        ),
        quick=Size({}, 5),
        full=Size({}, 10),
    ),
)
