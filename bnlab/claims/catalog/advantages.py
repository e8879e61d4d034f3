"""The notebook's statements in favor of batch normalization: A1 to A5."""

import itertools
import math
from collections.abc import Iterable
from typing import Any

from bnlab.claims.catalog.networks import (
    ACTIVATION_KINDS,
    FEWER_SECONDS,
    FEWER_STEPS,
    MORE_ACCURATE,
    PAIRS,
    PAIRS_FULL,
    PAIRS_QUICK,
    PAIRS_REMARK,
    SECONDS_REMARK,
    TARGET_REMARK,
    NetworkPair,
    deep_pair,
    depth_text,
)
from bnlab.claims.measures import (
    ACCURACY,
    LOWEST,
    SECONDS_TO_95,
    SECONDS_TO_97,
    SPREAD,
    STEPS_TO_95,
    STEPS_TO_97,
)
from bnlab.claims.model import Arm, Claim, ClaimAnswer, Condition, Finding, Prediction, QuotedNumber, Size, Topic
from bnlab.claims.verdicts import Verdict
from bnlab.claims.worker_measures import DECADES_APART, GRADIENT_STEPS, LARGEST_GRADIENT, MAX_DECADES, SHIFTS, TURNS
from bnlab.specs.choices import ACTIVATIONS, INITIALIZERS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec

_HE_NORMAL = RunSpec(kernel_initializer="he_normal")


def _scaled_spec(rescale: str, input_normalization: bool) -> RunSpec:
    return revise_spec(_HE_NORMAL, {"rescale": rescale, "input_normalization": input_normalization})


def _scaling_conditions(input_normalization: bool) -> tuple[Condition, ...]:
    """Raw and tiny pixels against pixels / 255, either all with BN on the input or all without BN."""
    network = "BN on the input" if input_normalization else "no BN"
    id_suffix, title_suffix = ("", "") if input_normalization else ("_without_bn", ", no BN")
    scales = {"raw": "raw pixels", "thousandth": "pixels × 0.001"}
    no_loss = Prediction(0, 1, "A claim of no need allows no loss anybody would notice: one image in a hundred.")
    return tuple(
        Condition(
            rescale + id_suffix,
            title + title_suffix,
            Arm(f"{network}, {title}", (_scaled_spec(rescale, input_normalization),)),
            Arm(f"{network}, pixels / 255", (_scaled_spec("unit", input_normalization),)),
            ACCURACY,
            no_loss,
        )
        for rescale, title in scales.items()
    )


_INITIALIZERS: dict[str, dict[str, Any]] = {
    "he_normal": {"kernel_initializer": "he_normal"},
    "glorot_uniform": {"kernel_initializer": "glorot_uniform"},
    "random_normal_1": {"kernel_initializer": "random_normal", "initializer_stddev": 1.0},
    "random_normal_5": {"kernel_initializer": "random_normal", "initializer_stddev": 5.0},
}
_SETTINGS: dict[str, dict[str, Any]] = {
    f"{activation}_{initializer}": {"activation": activation} | changes
    for activation, (initializer, changes) in itertools.product(("relu", "sigmoid", "tanh"), _INITIALIZERS.items())
}
"""The spec fields for each activation and initializer, by condition id."""


def _specs_of_all_settings(placement: str) -> tuple[RunSpec, ...]:
    return tuple(revise_spec(RunSpec(placement=placement), setting) for setting in _SETTINGS.values())


def _setting_condition(identifier: str) -> Condition:
    """One setting, with and without BN."""
    setting = _SETTINGS[identifier]
    stddev = f" {setting['initializer_stddev']:g}" if "initializer_stddev" in setting else ""
    initializer = INITIALIZERS[setting["kernel_initializer"]].title
    control, treatment = (
        revise_spec(RunSpec(placement=placement), setting) for placement in ("none", "before_activation")
    )
    return Condition(
        identifier,
        f"{ACTIVATIONS[setting['activation']].title}, {initializer}{stddev}",
        Arm("BN", (treatment,)),
        Arm("no BN", (control,)),
        ACCURACY,
        Prediction(+1, 1, "One image in a hundred."),
        group=ACTIVATIONS[setting["activation"]].title,
    )


_ALL_WITH_BN = Arm("BN, all 12 choices", _specs_of_all_settings("before_activation"), "BN")
_ALL_WITHOUT_BN = Arm("no BN, all 12 choices", _specs_of_all_settings("none"), "no BN")
_BEST_WITH_BN = Arm("BN, ReLU and He normal", (revise_spec(_HE_NORMAL, {"placement": "before_activation"}),))

_GRADIENT_KINDS = ("relu", "sigmoid", "tanh")
_FEWER_DECADES = Prediction(-1, 0.5, "A factor of 3: layers of other shapes differ by as much if nothing vanishes.")
_LESS_SHIFT = Prediction(-1, 5, "A twentieth of the gradient: two batches' gradients differ by far more.")
_LESS_TURN = Prediction(-1, 0.005, "A gradient turned by 6 degrees, about a tenth of its own length.")


def _gradient_condition(kind: str, depth: int, step: int) -> Condition:
    control, treatment = deep_pair(kind, depth)
    return Condition(
        f"{kind}_{depth}_step_{step}",
        f"{depth_text(kind, depth)}, {GRADIENT_STEPS[step]}",
        Arm("BN", (treatment,)),
        Arm("no BN", (control,)),
        DECADES_APART[step],
        _FEWER_DECADES,
        group=ACTIVATION_KINDS[kind].title,
    )


def _gradient_conditions(depths: Iterable[int], steps: Iterable[int]) -> tuple[Condition, ...]:
    return tuple(itertools.starmap(_gradient_condition, itertools.product(_GRADIENT_KINDS, depths, steps)))


def _exploding_condition(depth: int) -> Condition:
    """Kernels of twice He normal's deviation: each ReLU layer doubles its inputs, and the gradients of those below.

    A kernel's gradient is the product of both, so that all layers' gradients explode alike: the size is measured
    instead of the gap.
    """
    kernels = {"kernel_initializer": "random_normal", "initializer_stddev": round(2 * math.sqrt(2 / 100), 3)}
    control, treatment = (revise_spec(spec, kernels) for spec in deep_pair("relu", depth))
    return Condition(
        f"relu_{depth}_large_kernels",
        f"{depth_text('relu', depth)}, kernels of twice He normal's deviation, {GRADIENT_STEPS[0]}",
        Arm("BN", (treatment,)),
        Arm("no BN", (control,)),
        LARGEST_GRADIENT,
        _FEWER_DECADES,
        group="ReLU, kernels too large",
    )


def _noise_condition(pair: NetworkPair) -> Condition:
    """BN followed by noise, which changes the distribution of each layer's inputs at every step, against no BN."""
    noisy = Arm("BN with noise after it", (revise_spec(pair.treatment, {"noise": True}),))
    title = f"{pair.title}, noise after BN"
    return Condition(f"{pair.id}_noise", title, noisy, Arm("no BN", (pair.control,)), ACCURACY, MORE_ACCURATE)


ADVANTAGES = (
    Claim(
        id="A1",
        statement="There is no need to scale the data if BN is the first layer.",
        topic=Topic.CHOICES,
        answer=ClaimAnswer(
            Verdict.SUPPORTED,
            "Raw pixels cost 0.7 points of accuracy with BN on the input, and 85 points without it.",
            numbers=(QuotedNumber("0.7", "raw", "less"), QuotedNumber("85", "raw_without_bn", "less")),
        ),
        question="With BN on the input, does a network fed raw pixels (0 to 255) or tiny ones (0 to 0.255) end as "
        "accurate as one fed pixels / 255? Also measured: the same without BN.",
        conditions=_scaling_conditions(True),
        supplementary=_scaling_conditions(False),
        quick=Size({"train_examples": 20_000, "epochs": 2}, 5),
        full=Size({"epochs": 5}, 10),
        literature=(
            Finding(
                "BN on the input evens out a feature's scale only while its variance is far above epsilon "
                "(0.001 in Keras); features of a small scale are left as they are.",
                "TensorFlow, issue 33027",
            ),
        ),
        discussion=(
            "The issue in TensorFlow is right about smaller scales: the variance of pixels × 0.001 is still above "
            "epsilon for about half of them; divided by another ten it would be for none. Without BN a network fed raw "
            "pixels stays at chance (10 %) at this learning rate."
        ),
    ),
    Claim(
        id="A2",
        statement="It converges faster, with better results.",
        topic=Topic.RESULTS,
        answer=ClaimAnswer(
            Verdict.CONDITIONAL,
            "With BN 95 % accuracy takes a third to a half of the steps, and less time; after 15 epochs the accuracy "
            "is 0.7 points higher at the learning rate 0.01 and about equal at 0.1.",
            short="Faster yes, better at small rates",
            numbers=(
                QuotedNumber("a third", "notebook_steps_to_95", "ratio", 0.28, 0.38),
                QuotedNumber("a third", "rate_0_01_steps_to_95", "ratio", 0.28, 0.38),
                QuotedNumber("a half", "rate_0_1_steps_to_95", "ratio", 0.45, 0.55),
                QuotedNumber("0.7", "rate_0_01_final_accuracy", "more"),
            ),
            verdicts={
                "rate_0_01_seconds_to_95": Verdict.SUPPORTED,
                "rate_0_1_seconds_to_95": Verdict.SUPPORTED,
                "rate_0_01_final_accuracy": Verdict.SUPPORTED,
                "rate_0_1_final_accuracy": Verdict.NO_DIFFERENCE,
            },
            shown="rate_0_01_steps_to_95",
        ),
        question="Does a network with BN before the activations need fewer steps and fewer seconds to 95 % and 97 % "
        "validation accuracy, and does it end more accurate?",
        conditions=(
            *(pair.condition(STEPS_TO_95, FEWER_STEPS) for pair in PAIRS),
            PAIRS[-1].condition(STEPS_TO_97, FEWER_STEPS),
            *(pair.condition(SECONDS_TO_95, FEWER_SECONDS) for pair in PAIRS),
            PAIRS[-1].condition(SECONDS_TO_97, FEWER_SECONDS),
            *(pair.condition(ACCURACY, MORE_ACCURATE) for pair in PAIRS),
        ),
        remarks=(PAIRS_REMARK, TARGET_REMARK, SECONDS_REMARK),
        quick=PAIRS_QUICK,
        full=PAIRS_FULL,
        literature=(
            Finding(
                "BN made training a multilayer perceptron take over 80 % longer, and gave the lowest accuracy.",
                "Garbin et al. 2020",
            ),
            Finding(
                "At small learning rates accuracy is the same; what BN brings comes from the larger rates it allows.",
                "Bjorck et al. 2018",
            ),
        ),
        discussion=(
            "Garbin et al. found the lowest accuracy of their multilayer perceptron with BN. Here, after 15 epochs, BN "
            "is ahead at the learning rate 0.01 and a tenth of a point behind at 0.1, which is too small to matter. "
            "Bjorck et al. found the opposite: the same accuracy at small rates, and a gain from the large ones that "
            "BN allows. A possible reason is that their networks, which were far deeper, did not train at large rates "
            "without BN, while this one trains at 0.1; and that at 0.01 the slower network without BN has not "
            "converged after 15 epochs. Both used other networks and training, which have not been repeated here."
        ),
    ),
    Claim(
        id="A3",
        statement="It reduces vanishing and exploding gradients.",
        topic=Topic.GRADIENTS,
        answer=ClaimAnswer(
            Verdict.CONDITIONAL,
            "In 10 sigmoid layers gradients vanish by five orders of magnitude, and with BN they do not; kernels that "
            "are too large make those of 20 ReLU layers explode to millions, with BN to about ten; where gradients do "
            "neither, in 10 and 30 ReLU layers and 30 tanh layers, BN makes them explode at initialization.",
            short="Yes where they vanish or explode without it",
            numbers=(
                QuotedNumber("five orders of magnitude", "sigmoid_10_step_0", "less", 4.5, 5.5),
                QuotedNumber("they do not", "sigmoid_10_step_0", "treatment", 0, 0.5),
                QuotedNumber("millions", "relu_20_large_kernels", "control", 6, 7),
                QuotedNumber("about ten", "relu_20_large_kernels", "treatment", 0.7, 1.3),
            ),
            verdicts={
                "relu_20_large_kernels": Verdict.SUPPORTED,
                "sigmoid_10_step_0": Verdict.SUPPORTED,
                "sigmoid_10_step_100": Verdict.SUPPORTED,
                "relu_10_step_0": Verdict.CONTRADICTED,
                "relu_30_step_0": Verdict.CONTRADICTED,
                "tanh_30_step_0": Verdict.CONTRADICTED,
            },
            shown="sigmoid_10_step_0",
        ),
        question="In networks of 2, 10 and 30 hidden layers, do the gradient norms of the first and the last one lie "
        "closer together with BN before the activations: at initialization and after 100 steps? And is the largest one "
        "smaller where too large kernels make all of them explode? Also measured: after a single step, and in networks "
        "of 5 and 20 layers.",
        conditions=(*_gradient_conditions((2, 10, 30), (0, 100)), _exploding_condition(20)),
        supplementary=(*_gradient_conditions((2, 10, 30), (1,)), *_gradient_conditions((5, 20), GRADIENT_STEPS)),
        remarks=(
            f"Gaps are limited to {MAX_DECADES:g} orders of magnitude, beyond which single precision cannot measure "
            "them. 30 sigmoid layers without BN reach that limit, so their true difference is larger.",
            "The initializers suit the activations, so that without BN gradients vanish in sigmoid layers and explode "
            "nowhere. Only one condition has kernels of twice He normal's deviation: without BN each ReLU layer then "
            "doubles its outputs and the gradients of the layers before it. All kernels' gradients explode alike, "
            "since each is the product of the two; their size is compared instead of the gap.",
            "These are plain networks without skip connections.",
        ),
        quick=Size({}, 5),
        full=Size({}, 10),
        literature=(
            Finding(
                "In deep networks without skip connections BN itself makes gradients explode at initialization; "
                "after a single step their range is dramatically smaller.",
                "Yang et al. 2019, abstract",
            ),
            Finding(
                "In wide ReLU networks with BN the squared gradient norm grows by π / (π − 1) = 1.467 per layer "
                "towards the input.",
                "Yang et al. 2019; derived in short by K. Luther, “Batch Norm Causes Exploding Gradients”, 2020",
            ),
        ),
        discussion=(
            "The growth that Yang et al. predict is what is measured at initialization: against the same network "
            "without BN, the squared gradient norm of ReLU networks grows by 1.48, 1.48 and 1.46 per layer at 10, 20 "
            "and 30 layers. 30 tanh layers behave alike. That the range falls after a single step was hardly "
            "reproduced at 10 and 20 ReLU layers, where it falls by at most 0.13 orders of magnitude; at 30 layers it "
            "falls from 2.8 to 2.1. After 100 steps it is smaller at 20 and 30 layers. The statement holds for "
            "sigmoids, whose gradients vanish without BN. He normal keeps the gradients of ReLU networks level even "
            "at 30 layers without BN, and Glorot normal those of tanh, so there is nothing to gain there."
        ),
    ),
    Claim(
        id="A4",
        statement="It is not affected by the choice of activation function and weight initialization.",
        topic=Topic.CHOICES,
        answer=ClaimAnswer(
            Verdict.CONDITIONAL,
            "BN narrows the gap between the best and the worst of 12 choices from 80 points to 24, but with BN the "
            "worst choice still costs 24.",
            short="Less affected, but affected",
            numbers=(
                QuotedNumber("80", "spread", "control"),
                QuotedNumber("24", "spread", "treatment"),
                QuotedNumber("24", "worst", "less"),
            ),
            verdicts={"spread": Verdict.SUPPORTED, "worst": Verdict.CONTRADICTED},
        ),
        question="Over three activations × four initializers, two of them far too large: how far apart do the best and "
        "the worst final accuracy lie, compared with no BN? And taken literally: does the worst choice "
        "with BN end as accurate as ReLU with He normal? Also measured: each choice, with BN and without.",
        conditions=(
            Condition(
                "spread",
                "compared with no BN",
                _ALL_WITH_BN,
                _ALL_WITHOUT_BN,
                SPREAD,
                Prediction(-1, 5, "Five images in a hundred: less would hardly change which choices one can make."),
            ),
            Condition(
                "worst",
                "taken literally",
                _ALL_WITH_BN,
                _BEST_WITH_BN,
                LOWEST,
                Prediction(0, 2, "Not affected means: no choice costs more than two images in a hundred."),
            ),
        ),
        supplementary=tuple(map(_setting_condition, _SETTINGS)),
        quick=Size({"train_examples": 10_000, "epochs": 1}, 5),
        full=Size({"train_examples": 20_000, "epochs": 3}, 10),
        literature=(
            Finding(
                "BN allows much higher learning rates and less careful initialization.",
                "Ioffe and Szegedy 2015, abstract",
            ),
        ),
        discussion=(
            "As Ioffe and Szegedy say, BN allows less careful initialization: it lifts the worst choice, ReLU with "
            "weights of standard deviation 5, from chance to 77 %. But the choice stays important: in these few "
            "epochs such weights cost 12 to 19 points against He normal with any of the activations, those of "
            "standard deviation 1 cost 11 to 18, and with He normal a sigmoid ends 5 points below a ReLU."
        ),
    ),
    Claim(
        id="A5",
        statement="It solves internal covariate shift.",
        topic=Topic.GRADIENTS,
        answer=ClaimAnswer(
            Verdict.TOO_FEW_SEEDS,
            "Not in the notebook's pair, where after 10 steps the shift is 15 % of the gradient with BN and 6 % "
            "without; it is smaller only after 100 steps at the rate 0.1, 57 % instead of 68 %, and 80 seeds cannot "
            "tell whether by 5 points.",
            short="Mostly larger with BN",
            numbers=(
                QuotedNumber("15", "notebook_gradient_shift_10", "treatment"),
                QuotedNumber("6", "notebook_gradient_shift_10", "control"),
                QuotedNumber("57", "rate_0_1_gradient_shift_100", "treatment"),
                QuotedNumber("68", "rate_0_1_gradient_shift_100", "control"),
            ),
            verdicts={
                "notebook_gradient_shift_10": Verdict.CONTRADICTED,
                "rate_0_01_gradient_shift_100": Verdict.NO_DIFFERENCE,
                "rate_0_1_gradient_shift_10": Verdict.TOO_FEW_SEEDS,
                "rate_0_1_gradient_shift_100": Verdict.TOO_FEW_SEEDS,
            },
            shown="notebook_gradient_shift_10",
        ),
        question="Internal covariate shift is how far a layer's gradient moves because the layers before it are "
        "updated. After 10 and 100 steps, is it smaller with BN? Also measured: the change in gradient direction, and "
        "whether BN is still better than no BN where noise after it brings the shift back.",
        conditions=tuple(pair.condition(measure, _LESS_SHIFT) for pair in PAIRS for measure in SHIFTS.values()),
        supplementary=(
            *(pair.condition(measure, _LESS_TURN) for pair in PAIRS for measure in TURNS.values()),
            *(_noise_condition(pair) for pair in PAIRS[1:]),
        ),
        remarks=(PAIRS_REMARK,),
        quick=Size({"train_examples": 20_000, "epochs": 2}, 5),
        full=Size({"epochs": 5}, 10),
        literature=(
            Finding(
                "Internal covariate shift is similar or worse with BN; the loss is smoother.",
                "Santurkar et al. 2018",
            ),
            Finding(
                "BN with noise after it, of another mean and variance at each step, still beats no BN.",
                "Santurkar et al. 2018",
            ),
        ),
        discussion=(
            "As Santurkar et al. found, the shift is similar or larger with BN: in the notebook's pair and at the "
            "rate 0.01 it is larger, though only once by an amount that certainly matters. At the rate 0.1 it is "
            "larger after 10 steps and smaller after 100, and 80 seeds cannot tell whether by 5 points. BN with "
            "noise after it is still ahead at the rate 0.01 only: at 0.1 the network without BN is as good, so there "
            "is no advantage to lose."
        ),
    ),
)
