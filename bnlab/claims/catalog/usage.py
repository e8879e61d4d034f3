"""The notebook's statements on when to use batch normalization."""

from collections.abc import Sequence
from typing import Any

from bnlab.claims.catalog.networks import ACTIVATION_KINDS, deep_pair, depth_text
from bnlab.claims.measures import ACCURACY, GAIN
from bnlab.claims.model import Arm, Claim, ClaimAnswer, Condition, Finding, Prediction, QuotedNumber, Size, Topic
from bnlab.claims.verdicts import Verdict
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec

_SHALLOW, _DEEP = (1, 3, 10), (20, 30)
_KINDS = ("relu", "sigmoid")


def _depth_gain_condition(kind: str, depth: int, shallow: Sequence[int]) -> Condition:
    """The gain from BN at a depth against its mean gain at smaller depths."""
    depths = " and ".join(", ".join(map(str, shallow)).rsplit(", ", 1))
    shallow_specs = tuple(spec for shallow_depth in shallow for spec in deep_pair(kind, shallow_depth))
    return Condition(
        f"{kind}_{depth}_against_{'_'.join(map(str, shallow))}",
        f"{depth_text(kind, depth)} against {depths}",
        Arm(f"BN's gain in {depth_text(kind, depth)}", deep_pair(kind, depth)),
        Arm(f"BN's gain in {depths} {ACTIVATION_KINDS[kind].title} layers", shallow_specs),
        GAIN,
        Prediction(+1, 1, "To choose by depth, it must matter to more than one image in a hundred."),
        group=ACTIVATION_KINDS[kind].title,
    )


def _depth_condition(kind: str, depth: int) -> Condition:
    control, treatment = deep_pair(kind, depth)
    return Condition(
        f"{kind}_{depth}",
        depth_text(kind, depth),
        Arm("BN", (treatment,)),
        Arm("no BN", (control,)),
        ACCURACY,
        Prediction(+1, 1, "The same as for the gain in deep networks."),
        group=ACTIVATION_KINDS[kind].title,
    )


_NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "conv": ("the convolutional network", {"architecture": "conv", "hidden_units": (16, 32)}),
    "dense": ("the dense network", {"hidden_units": (300, 100)}),
}
"""Title and fields of the spec by id."""

_RATES = {"rate_0_01": 0.01, "rate_0_1": 0.1}


def _pair(network: str, rate: str) -> tuple[RunSpec, RunSpec]:
    """The specs without and with BN."""
    _, fields = _NETWORKS[network]
    control = RunSpec(kernel_initializer="he_normal", learning_rate=_RATES[rate], **fields)
    return control, revise_spec(control, {"placement": "before_activation"})


def _network_gain_condition(rate: str) -> Condition:
    """The gain from BN in the convolutional network against that in the dense one."""
    conv, dense = (Arm(f"BN's gain in {title}", _pair(network, rate)) for network, (title, _) in _NETWORKS.items())
    effect = Prediction(+1, 1, "To choose by the kind of network, it must matter to more than one image in a hundred.")
    return Condition(rate, f"rate {_RATES[rate]:g}", conv, dense, GAIN, effect)


def _network_condition(network: str, rate: str) -> Condition:
    control, treatment = _pair(network, rate)
    return Condition(
        f"{network}_{rate}",
        f"{_NETWORKS[network][0]}, rate {_RATES[rate]:g}",
        Arm("BN", (treatment,)),
        Arm("no BN", (control,)),
        ACCURACY,
        Prediction(+1, 1, "The same as for the gain in one kind against the other."),
    )


USAGE = (
    Claim(
        id="W1",
        statement="Use it in networks deeper than 10 layers.",
        topic=Topic.USE,
        answer=ClaimAnswer(
            Verdict.CONDITIONAL,
            "Plain ReLU networks of 30 layers end 18 points lower with BN; plain sigmoid networks learn nothing "
            "without it, but already from 3 layers on, so 10 is no threshold.",
            short="In sigmoid networks, not in ReLU networks",
            numbers=(
                QuotedNumber("18", "relu_30", "less"),
                QuotedNumber("nothing", "sigmoid_3", "control", 9, 12),
                QuotedNumber("nothing", "sigmoid_30", "control", 9, 12),
                QuotedNumber("learn", "sigmoid_3", "treatment", 85, 100),
            ),
            verdicts={
                "relu_20_against_1_3_10": Verdict.CONTRADICTED,
                "relu_30_against_1_3_10": Verdict.CONTRADICTED,
                "sigmoid_20_against_1_3_10": Verdict.SUPPORTED,
                "sigmoid_30_against_1_3_10": Verdict.SUPPORTED,
            },
            shown="relu_30",
        ),
        question="Does BN add more to the accuracy of networks deeper than 10 hidden layers than to that of shallower "
        "ones, with ReLU or with sigmoids? Also measured: the same against 10 layers alone, and the accuracy at each "
        "depth, with BN and without.",
        conditions=tuple(_depth_gain_condition(kind, depth, _SHALLOW) for kind in _KINDS for depth in _DEEP),
        supplementary=(
            *(_depth_gain_condition(kind, depth, _SHALLOW[-1:]) for kind in _KINDS for depth in _DEEP),
            *(_depth_condition(kind, depth) for kind in _KINDS for depth in (*_SHALLOW, *_DEEP)),
        ),
        quick=Size({"train_examples": 10_000, "epochs": 2}, 5),
        full=Size({"train_examples": 20_000, "epochs": 4}, 10),
        literature=(
            Finding(
                "BN dramatically increases the largest depth at which residual networks can be trained.",
                "De and Smith 2020, abstract",
            ),
            Finding(
                "Plain networks of more than 8 convolutional layers hardly converge with weights of a fixed standard "
                "deviation; with He normal 30 layers do, without BN.",
                "He et al. 2015, “Delving Deep into Rectifiers”",
            ),
            Finding("No source was found for the number 10.", "bnlab's search"),
            Finding("BN was first demonstrated on MNIST with 3 hidden layers.", "Ioffe and Szegedy 2015"),
            Finding(
                "In deep networks without skip connections BN itself makes gradients explode at initialization.",
                "Yang et al. 2019, abstract",
            ),
        ),
        discussion=(
            "The networks tested here are plain ones, without the skip connections for which De and Smith show that BN "
            "allows greater depth. That 20 and 30 plain ReLU layers learn worse with BN than without agrees with the "
            "exploding gradients of Yang et al. (see A3), and that they learn without it agrees with He et al. Deep "
            "sigmoid networks do need BN: from 3 layers on nothing is learned without it. But that is so at 3 and 10 "
            "layers as well; the mean over 1, 3 and 10 layers is low because a single layer learns without BN. Against "
            "10 layers alone the gain of 20 and 30 sigmoid layers is less than a point larger, which is too small to "
            "matter. Nothing here sets 10 layers apart."
        ),
    ),
    Claim(
        id="W2",
        statement="Use it mostly in CNNs.",
        topic=Topic.USE,
        answer=ClaimAnswer(
            Verdict.NO_DIFFERENCE,
            "BN adds as much to a dense network as to a convolutional one: 2.5 and 2.7 points at the learning rate "
            "0.01, and less than a point to each at 0.1.",
            numbers=(
                QuotedNumber("2.5", "rate_0_01", "control"),
                QuotedNumber("2.7", "rate_0_01", "treatment"),
                QuotedNumber("less than a point", "rate_0_1", "control", 0, 1),
                QuotedNumber("less than a point", "rate_0_1", "treatment", 0, 1),
            ),
        ),
        question="Does BN add more to the accuracy of a small convolutional network (two convolutions of 16 and 32 "
        "filters) than to that of a dense one (300 and 100 units)? Also measured: the accuracy of each, with BN and "
        "without.",
        conditions=tuple(_network_gain_condition(rate) for rate in _RATES),
        supplementary=tuple(_network_condition(network, rate) for network in _NETWORKS for rate in _RATES),
        quick=Size({"train_examples": 4_000, "epochs": 2}, 5),
        full=Size({"train_examples": 20_000, "epochs": 3}, 10),
        literature=(
            Finding("BN gave a multilayer perceptron its lowest accuracy.", "Garbin et al. 2020"),
            Finding(
                "BN improved the accuracy of convolutional networks without other observable side effects, and should "
                "be one of the first steps to optimize one.",
                "Garbin et al. 2020",
            ),
        ),
        discussion=(
            "Garbin et al. recommend BN for CNNs and not for multilayer perceptrons. Here, too, it helps the "
            "convolutional network, but as much the dense one: at the rate 0.01 both gain two to three points, and at "
            "0.1 little. Their networks and training differ from these and have not been repeated here."
        ),
    ),
)
