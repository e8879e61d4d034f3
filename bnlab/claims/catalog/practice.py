"""Common advice on the use of batch normalization that is not the notebook's: P1 to P3."""

import itertools

from bnlab.claims.catalog import placement_rates
from bnlab.claims.catalog.networks import ACTIVATION_KINDS, deep_pair, depth_text
from bnlab.claims.measures import ACCURACY, LARGEST_RATE, LEARNING_RATES, TRAINED
from bnlab.claims.model import (
    Arm,
    Claim,
    ClaimAnswer,
    Condition,
    Finding,
    Prediction,
    QuotedNumber,
    Size,
    Topic,
)
from bnlab.claims.verdicts import Verdict
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec

_SAME_ACCURACY = Prediction(0, 0.3, "Redundant means: leaving it out changes no more than thirty of 10,000 images.")


def _bias_condition(kind_id: str, placement: str) -> Condition:
    """Two hidden layers with BN, without a bias against with one."""
    kind = ACTIVATION_KINDS[kind_id]
    control = RunSpec(
        activation=kind.activation,
        kernel_initializer=kind.kernel_initializer,
        placement=placement,
        learning_rate=0.1,
    )
    return Condition(
        f"{kind_id}_2_{placement}",
        f"{depth_text(kind_id, 2)}, BN {placement.replace('_', ' the ')}",
        Arm("without a bias", (revise_spec(control, {"use_bias": False}),), "no bias"),
        Arm("with a bias", (control,), "bias"),
        ACCURACY,
        _SAME_ACCURACY,
        group=kind.title,
    )


_MORE_ACCURATE = Prediction(+1, 0.5, "Half a point, or fifty of 10,000 images: less would not decide where BN belongs.")


def _placement_condition(kind_id: str, depth: int, shared_rate: float | None = None) -> Condition:
    """BN before the activation against after it, both at a shared learning rate or each at its own best one."""

    def arm(title: str, placement: str) -> Arm:
        rate = shared_rate or placement_rates.best_rate(kind_id, depth, placement)
        spec = placement_rates.placement_spec(kind_id, depth, placement, rate)
        return Arm(title if shared_rate else f"{title}, rate {rate:g}", (spec,), title)

    rates = f"rate {shared_rate:g}" if shared_rate else "best rates"
    return Condition(
        f"{kind_id}_{depth}_{'shared' if shared_rate else 'best'}",
        f"{depth_text(kind_id, depth)}, {rates}",
        arm("before", "before_activation"),
        arm("after", "after_activation"),
        ACCURACY,
        _MORE_ACCURATE,
        group=ACTIVATION_KINDS[kind_id].title,
    )


def _placement_conditions(shared_rate: float | None = None) -> tuple[Condition, ...]:
    networks = itertools.product(placement_rates.KINDS, placement_rates.DEPTHS)
    return tuple(_placement_condition(kind, depth, shared_rate) for kind, depth in networks)


def _largest_rate_condition(kind_id: str, depth: int) -> Condition:
    """The largest of LEARNING_RATES that trains, with BN before the activation against without BN."""
    arms = (
        tuple(revise_spec(spec, {"learning_rate": rate, "momentum": 0.9}) for rate in LEARNING_RATES)
        for spec in deep_pair(kind_id, depth)
    )
    control, treatment = arms
    return Condition(
        f"{kind_id}_{depth}",
        depth_text(kind_id, depth),
        Arm("BN", treatment),
        Arm("no BN", control),
        LARGEST_RATE,
        Prediction(
            +1, 0.1, "Ten times the default learning rate of Keras's SGD: less opens no rate that one would try next."
        ),
        group=ACTIVATION_KINDS[kind_id].title,
    )


PRACTICE = (
    Claim(
        id="P1",
        statement="BN belongs before the activation.",
        topic=Topic.USE,
        answer=ClaimAnswer(
            Verdict.TOO_FEW_SEEDS,
            "Not in general: with each placement at its best learning rate, BN after the activation is more accurate "
            "by 2.6 points in 2 sigmoid layers, 1.5 in 10 ReLU layers, 1.4 in 2 tanh layers and 0.6 in 10 sigmoid "
            "layers, BN before it by 0.4 in 2 ReLU layers; in other networks there is no difference.",
            short="Not in general",
            numbers=(
                QuotedNumber("2.6", "sigmoid_2_best", "less"),
                QuotedNumber("1.5", "relu_10_best", "less"),
                QuotedNumber("1.4", "tanh_2_best", "less"),
                QuotedNumber("0.6", "sigmoid_10_best", "less"),
                QuotedNumber("0.4", "relu_2_best", "more"),
            ),
            verdicts={
                "sigmoid_2_best": Verdict.CONTRADICTED,
                "tanh_2_best": Verdict.CONTRADICTED,
                "leaky_relu_2_best": Verdict.NO_DIFFERENCE,
                "tanh_10_best": Verdict.NO_DIFFERENCE,
                "relu_2_best": Verdict.TOO_FEW_SEEDS,
                "relu_10_best": Verdict.CONTRADICTED,
                "leaky_relu_10_best": Verdict.NO_DIFFERENCE,
                "sigmoid_10_best": Verdict.TOO_FEW_SEEDS,
            },
            shown="sigmoid_2_best",
        ),
        question="Do networks of 2 and 10 hidden layers end more accurate with BN before the activations than after "
        "them, each at its own best learning rate? Also measured: both at the rate 0.01, Keras's default.",
        conditions=_placement_conditions(),
        supplementary=_placement_conditions(0.01),
        remarks=(
            "The best rate of each network is that of the rates "
            + ", ".join(f"{rate:g}" for rate in placement_rates.RATES)
            + " with the highest mean accuracy over seeds "
            + " and ".join(map(str, placement_rates.TUNING_SEEDS))
            + ", which are not among those compared: rates chosen by the runs that are compared would favor what "
            "happened to do well in them.",
            "A shared rate suits one of the two networks better than the other, so that it does not decide.",
            "These are plain networks of 100 units per layer and short trainings with plain SGD in batches of 32.",
            "The recorded result has 80 seeds, the most that are added. Two conditions remain undecided: their "
            "differences are not zero, but may be smaller or larger than the smallest effect of interest.",
        ),
        quick=Size({"train_examples": 3_000, "epochs": 2}, 5),
        full=Size(placement_rates.CHANGES, 10),
        literature=(
            Finding(
                "BN stands before the activation, since the sum of inputs is closer to a normal distribution than the "
                "output of an activation.",
                "Ioffe and Szegedy 2015, section 3.2",
            ),
            Finding(
                "On ImageNet at 128 pixels CaffeNet with BN ends at 47.4 % before and 49.9 % after ReLU, and at 47.8 % "
                "and 49.3 % with a scale and a bias.",
                "D. Mishkin, “caffenet128” benchmark (ducha-aiki)",
            ),
        ),
    ),
    Claim(
        id="P2",
        statement="A bias before BN is redundant.",
        topic=Topic.USE,
        answer=ClaimAnswer(
            Verdict.SUPPORTED,
            "Leaving the biases out changes the accuracy by 0.02 points in ReLU networks and not at all in sigmoid "
            "networks, since BN subtracts what a bias adds.",
            numbers=(
                QuotedNumber("0.02", "relu_2_before_activation", "more"),
                QuotedNumber("not at all", "sigmoid_2_before_activation", "more", -0.005, 0.005),
            ),
            verdicts={
                "relu_2_before_activation": Verdict.SUPPORTED,
                "sigmoid_2_before_activation": Verdict.SUPPORTED,
            },
        ),
        question="Do networks whose Dense layers are directly followed by BN end as accurate without biases as with "
        "them? Also measured: with the activation between the bias and BN.",
        conditions=tuple(_bias_condition(kind, "before_activation") for kind in ("relu", "sigmoid")),
        supplementary=tuple(_bias_condition(kind, "after_activation") for kind in ("relu", "sigmoid")),
        remarks=(
            "BN subtracts the mean of a batch, and a bias that was added to all of it with it: the gradient of the "
            "bias is zero, and beta does its work. Biases start at zero and kernels alike, so that both networks "
            "differ by rounding alone. With the activation in between a bias has an effect.",
        ),
        quick=Size({"train_examples": 10_000, "epochs": 2}, 5),
        full=Size({"train_examples": 20_000, "epochs": 5}, 10),
        literature=(
            Finding(
                "The bias can be ignored, since its effect is canceled by the subtraction of the mean.",
                "Ioffe and Szegedy 2015, section 3.2",
            ),
        ),
    ),
    Claim(
        id="P3",
        statement="BN allows larger learning rates.",
        topic=Topic.CHOICES,
        answer=ClaimAnswer(
            Verdict.SUPPORTED,
            "With BN the largest rate that trains is 3 instead of 0.3 in 2 ReLU layers, 1 instead of at most 0.1 in 10 "
            "ReLU layers, and 10 instead of 1 to 3 in 2 sigmoid layers.",
            numbers=(
                QuotedNumber("3", "relu_2", "treatment"),
                QuotedNumber("0.3", "relu_2", "control"),
                QuotedNumber("1", "relu_10", "treatment"),
                QuotedNumber("at most 0.1", "relu_10", "control", 0, 0.1),
                QuotedNumber("10", "sigmoid_2", "treatment"),
                QuotedNumber("1 to 3", "sigmoid_2", "control", 1, 3),
            ),
        ),
        question="Of the learning rates "
        + ", ".join(f"{rate:g}" for rate in LEARNING_RATES)
        + f", which is the largest at which a network still ends at {TRAINED:g} % or more, with BN before the "
        "activations and without BN?",
        conditions=tuple(itertools.starmap(_largest_rate_condition, (("relu", 2), ("relu", 10), ("sigmoid", 2)))),
        remarks=(
            f"A network that trains at {LEARNING_RATES[-1]:g}, the end of the grid, might train at larger rates, and "
            "the difference is then understated. A network that trains at no rate of the grid counts as 0.",
            "Plain SGD in batches of 32. The momentum of BN's moving averages is 0.9, so that validation follows these "
            "short trainings.",
            "That a network trains does not mean that it trains best: the accuracy falls long before. 10 ReLU layers "
            "without BN count as 0 in two of five seeds, where they end at 67 % and 72 % at the rate 0.1.",
            "The recorded result has 5 of the 10 seeds of the full size.",
        ),
        quick=Size({"train_examples": 1_500, "epochs": 2}, 5),
        full=Size({"train_examples": 4_000, "epochs": 2}, 10),
        literature=(
            Finding(
                "At small learning rates accuracy is the same; what BN brings comes from the larger rates it allows.",
                "Bjorck et al. 2018",
            ),
            Finding(
                "BN makes training tolerate larger rates, since scaling the weights does not change a layer's output.",
                "Ioffe and Szegedy 2015, section 3.3",
            ),
        ),
    ),
)
