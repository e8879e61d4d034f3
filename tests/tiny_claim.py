"""A claim whose runs are short: 8 hidden units, with and without BN, trained for two steps."""

from bnlab.claims.measures import ACCURACY
from bnlab.claims.model import Arm, Claim, Condition, Prediction, Size, Topic
from bnlab.specs.run_spec import RunSpec

TINY = RunSpec(hidden_units=(8,), train_examples=8, batch_size=4)
NORMALIZED = TINY.model_copy(update={"placement": "before_activation"})
ARMS = Arm("BN", (NORMALIZED,)), Arm("no BN", (TINY,))
MORE = Prediction(+1, 1, "One point.")
CLAIM = Claim(
    id="X1",
    statement="It is better.",
    topic=Topic.RESULTS,
    question="Is it?",
    conditions=(Condition("small", "small", *ARMS, ACCURACY, MORE),),
    quick=Size({"epochs": 1}, 2),
    full=Size({"epochs": 2}, 4),
)
