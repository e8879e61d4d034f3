"""When the notebook would use batch normalization."""

from bnlab.claims.claim import Arm, Claim, Condition, Finding, Prediction, Size
from bnlab.claims.measures import ACCURACY, GAIN
from bnlab.spec.parse import revise_spec
from bnlab.spec.run_spec import RunSpec

_SHALLOW, _DEEP = (1, 3, 10), (20, 30)
_KINDS = {"ReLU": ("relu", "he_normal"), "sigmoid": ("sigmoid", "glorot_normal")}
"""Activations with the initializer that suits them: gradients keep their size through ReLUs and vanish in sigmoids."""


def _pair(kind: str, depth: int) -> tuple[RunSpec, RunSpec]:
    """Without and with BN."""
    activation, initializer = _KINDS[kind]
    without = RunSpec(hidden_units=(100,) * depth, activation=activation, kernel_initializer=initializer)
    return without, revise_spec(without, {"placement": "before_activation"})


def _counted(kind: str, depth: int) -> str:
    return f"{depth} {kind} layer{'' if depth == 1 else 's'}"


def _deeper(kind: str, depth: int) -> Condition:
    return Condition(
        f"{_counted(kind, depth)} against 1, 3 and 10",
        Arm(f"BN's gain in {_counted(kind, depth)}", _pair(kind, depth)),
        Arm(f"BN's gain in 1, 3 and 10 {kind} layers", tuple(s for shallow in _SHALLOW for s in _pair(kind, shallow))),
        GAIN,
        Prediction(+1, 1, "To choose by depth, it must matter to more than one image in a hundred."),
    )


def _at_depth(kind: str, depth: int) -> Condition:
    without, normalized = _pair(kind, depth)
    effect = Prediction(+1, 1, "The same as for the gain in deep networks.")
    return Condition(_counted(kind, depth), Arm("BN", (normalized,)), Arm("no BN", (without,)), ACCURACY, effect)


WHEN = (
    Claim(
        id="W1",
        statement="Use it in networks deeper than 10 layers.",
        question="Does BN add more to the accuracy of networks deeper than 10 hidden layers than to that of shallower "
        "ones, of ReLUs or of sigmoids? Beside it: the accuracy at each depth, with BN and without.",
        conditions=tuple(_deeper(kind, depth) for kind in _KINDS for depth in _DEEP),
        beside=tuple(_at_depth(kind, depth) for kind in _KINDS for depth in (*_SHALLOW, *_DEEP)),
        quick=Size({"train_examples": 10_000, "epochs": 2}, 5),
        full=Size({"epochs": 5}, 10),
        literature=(
            Finding("No source was found for the number 10.", "bnlab's own search"),
            Finding("BN was first demonstrated on MNIST with 3 hidden layers.", "Ioffe and Szegedy 2015"),
            Finding(
                "In deep networks without skip connections BN itself makes gradients explode at initialization.",
                "Yang et al. 2019, abstract",
            ),
        ),
    ),
)
