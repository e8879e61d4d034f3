"""When the notebook would use batch normalization."""

from collections.abc import Sequence
from typing import Any

from bnlab.claims.claim import Arm, Claim, Condition, Finding, Prediction, Size
from bnlab.claims.depths import counted_layers, deep_pair
from bnlab.claims.measures import ACCURACY, GAIN
from bnlab.spec.parse import revise_spec
from bnlab.spec.run_spec import RunSpec

_SHALLOW, _DEEP = (1, 3, 10), (20, 30)
_KINDS = ("ReLU", "sigmoid")


def _deeper(kind: str, depth: int, others: Sequence[int]) -> Condition:
    shallow = " and ".join(", ".join(map(str, others)).rsplit(", ", 1))
    return Condition(
        f"{counted_layers(kind, depth)} against {shallow}",
        Arm(f"BN's gain in {counted_layers(kind, depth)}", deep_pair(kind, depth)),
        Arm(f"BN's gain in {shallow} {kind} layers", tuple(s for other in others for s in deep_pair(kind, other))),
        GAIN,
        Prediction(+1, 1, "To choose by depth, it must matter to more than one image in a hundred."),
    )


def _at_depth(kind: str, depth: int) -> Condition:
    without, normalized = deep_pair(kind, depth)
    effect = Prediction(+1, 1, "The same as for the gain in deep networks.")
    return Condition(counted_layers(kind, depth), Arm("BN", (normalized,)), Arm("no BN", (without,)), ACCURACY, effect)


_NETWORKS: dict[str, dict[str, Any]] = {
    "the convolutional network": {"architecture": "conv", "hidden_units": (16, 32)},
    "the dense network": {"hidden_units": (300, 100)},
}
_RATES = (0.01, 0.1)


def _kind_pair(network: str, rate: float) -> tuple[RunSpec, RunSpec]:
    """Without and with BN."""
    without = RunSpec(kernel_initializer="he_normal", learning_rate=rate, **_NETWORKS[network])
    return without, revise_spec(without, {"placement": "before_activation"})


def _more_in_convolutions(rate: float) -> Condition:
    convolutional, dense = (Arm(f"BN's gain in {network}", _kind_pair(network, rate)) for network in _NETWORKS)
    effect = Prediction(+1, 1, "To choose by the kind of network, it must matter to more than one image in a hundred.")
    return Condition(f"rate {rate:g}", convolutional, dense, GAIN, effect)


def _in_network(network: str, rate: float) -> Condition:
    without, normalized = _kind_pair(network, rate)
    effect = Prediction(+1, 1, "The same as for the gain in one kind against the other.")
    name = f"{network}, rate {rate:g}"
    return Condition(name, Arm("BN", (normalized,)), Arm("no BN", (without,)), ACCURACY, effect)


WHEN = (
    Claim(
        id="W1",
        statement="Use it in networks deeper than 10 layers.",
        question="Does BN add more to the accuracy of networks deeper than 10 hidden layers than to that of shallower "
        "ones, of ReLUs or of sigmoids? Beside it: the same against 10 layers alone, and the accuracy at each depth, "
        "with BN and without.",
        conditions=tuple(_deeper(kind, depth, _SHALLOW) for kind in _KINDS for depth in _DEEP),
        beside=(
            *(_deeper(kind, depth, _SHALLOW[-1:]) for kind in _KINDS for depth in _DEEP),
            *(_at_depth(kind, depth) for kind in _KINDS for depth in (*_SHALLOW, *_DEEP)),
        ),
        quick=Size({"train_examples": 10_000, "epochs": 2}, 5),
        full=Size({"train_examples": 20_000, "epochs": 4}, 10),
        literature=(
            Finding("No source was found for the number 10.", "bnlab's own search"),
            Finding("BN was first demonstrated on MNIST with 3 hidden layers.", "Ioffe and Szegedy 2015"),
            Finding(
                "In deep networks without skip connections BN itself makes gradients explode at initialization.",
                "Yang et al. 2019, abstract",
            ),
        ),
    ),
    Claim(
        id="W2",
        statement="Use it mostly in CNNs.",
        question="Does BN add more to the accuracy of a small convolutional network (two convolutions of 16 and 32 "
        "filters) than to that of a dense one (300 and 100 units)? Beside it: the accuracy of each, with BN and "
        "without.",
        conditions=tuple(_more_in_convolutions(rate) for rate in _RATES),
        beside=tuple(_in_network(network, rate) for network in _NETWORKS for rate in _RATES),
        quick=Size({"train_examples": 4_000, "epochs": 2}, 5),
        full=Size({"train_examples": 20_000, "epochs": 3}, 10),
        literature=(Finding("BN gave a multilayer perceptron its lowest accuracy.", "Garbin et al. 2020"),),
    ),
)
