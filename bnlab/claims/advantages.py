"""What the notebook says in favour of batch normalization."""

import itertools
from collections.abc import Iterable
from typing import Any

from bnlab.claims.claim import Arm, Claim, Condition, Finding, Measure, Prediction, Size
from bnlab.claims.depths import KINDS, counted_layers, deep_pair
from bnlab.claims.measures import (
    ACCURACY,
    LOWEST,
    SECONDS_TO_95,
    SECONDS_TO_97,
    SPREAD,
    STEPS_TO_95,
    STEPS_TO_97,
)
from bnlab.claims.pairs import (
    FEWER_SECONDS,
    FEWER_STEPS,
    MORE_ACCURATE,
    PAIRS,
    PAIRS_FULL,
    PAIRS_QUICK,
    PAIRS_REMARK,
    SECONDS_REMARK,
    TARGET_REMARK,
    Pair,
)
from bnlab.claims.probed import DECADES_APART, GRADIENT_STEPS, MOST_DECADES, SHIFTS, TURNS
from bnlab.spec.choices import ACTIVATIONS, INITIALIZERS
from bnlab.spec.parse import revise_spec
from bnlab.spec.run_spec import RunSpec

_HE = RunSpec(kernel_initializer="he_normal")


def _scaled(rescale: str, input_normalization: bool) -> RunSpec:
    return revise_spec(_HE, {"rescale": rescale, "input_normalization": input_normalization})


def _unscaled(input_normalization: bool) -> tuple[Condition, ...]:
    """Raw and tiny pixels against pixels / 255, all with BN on the input or all without."""
    first = "BN on the input" if input_normalization else "no BN"
    names = {"raw": "raw pixels", "thousandth": "pixels × 0.001"}
    as_good = Prediction(0, 1, "A claim of no need allows no loss anybody would notice: one image in a hundred.")
    return tuple(
        Condition(
            name if input_normalization else f"{name}, no BN",
            Arm(f"{first}, {name}", (_scaled(rescale, input_normalization),)),
            Arm(f"{first}, pixels / 255", (_scaled("unit", input_normalization),)),
            ACCURACY,
            as_good,
        )
        for rescale, name in names.items()
    )


_STARTS: tuple[dict[str, Any], ...] = (
    {"kernel_initializer": "he_normal"},
    {"kernel_initializer": "glorot_uniform"},
    {"kernel_initializer": "random_normal", "initializer_stddev": 1.0},
    {"kernel_initializer": "random_normal", "initializer_stddev": 5.0},
)
_SETTINGS = tuple({"activation": a} | start for a, start in itertools.product(("relu", "sigmoid", "tanh"), _STARTS))


def _all_settings(placement: str) -> tuple[RunSpec, ...]:
    return tuple(revise_spec(RunSpec(placement=placement), setting) for setting in _SETTINGS)


def _setting(setting: dict[str, Any]) -> Condition:
    """One of the choices, with BN and without."""
    spread = f" {setting['initializer_stddev']:g}" if "initializer_stddev" in setting else ""
    initializer = INITIALIZERS[setting["kernel_initializer"]].title
    without, normalized = (revise_spec(RunSpec(placement=p), setting) for p in ("none", "before_activation"))
    effect = Prediction(+1, 1, "One image in a hundred.")
    name = f"{ACTIVATIONS[setting['activation']].title}, {initializer}{spread}"
    return Condition(name, Arm("BN", (normalized,)), Arm("no BN", (without,)), ACCURACY, effect)


def _choice_condition(name: str, control: Arm, measure: Measure, prediction: Prediction) -> Condition:
    return Condition(name, Arm("BN, all 12 choices", _all_settings("before_activation")), control, measure, prediction)


_LESS_APART = Prediction(-1, 0.5, "A factor of 3: layers of other shapes differ by as much where nothing vanishes.")
_LESS_SHIFT = Prediction(-1, 5, "A twentieth of the gradient: two batches' gradients differ by far more.")
_LESS_TURN = Prediction(-1, 0.005, "A gradient turned by 6 degrees, about a tenth of its own length.")


def _gradients(kind: str, depth: int, step: int) -> Condition:
    without, normalized = deep_pair(kind, depth)
    name = f"{counted_layers(kind, depth)}, {GRADIENT_STEPS[step]}"
    return Condition(name, Arm("BN", (normalized,)), Arm("no BN", (without,)), DECADES_APART[step], _LESS_APART)


def _every_gradient(depths: Iterable[int], steps: Iterable[int]) -> tuple[Condition, ...]:
    return tuple(itertools.starmap(_gradients, itertools.product(KINDS, depths, steps)))


def _noisy(pair: Pair) -> Condition:
    """Noise after BN unsettles each layer's inputs at every step; what is left is not that they are settled."""
    noisy = Arm("BN with noise after it", (revise_spec(pair.treatment, {"noise": True}),))
    name = f"{pair.name}, noise after BN"
    return Condition(name, noisy, Arm("no BN", (pair.control,)), ACCURACY, MORE_ACCURATE)


ADVANTAGES = (
    Claim(
        id="A1",
        statement="There is no need to scale the data if BN is the first layer.",
        question="With BN on the input, does a network fed raw pixels (0 to 255) or tiny ones (0 to 0.255) end as "
        "accurate as one fed pixels / 255? Beside it: the same without BN.",
        conditions=_unscaled(True),
        beside=_unscaled(False),
        quick=Size({"train_examples": 20_000, "epochs": 2}, 5),
        full=Size({"epochs": 5}, 10),
        literature=(
            Finding(
                "BN on the input evens out a feature's scale only while its variance is far above epsilon "
                "(0.001 in Keras); features of a small scale are left as they are.",
                "TensorFlow, issue 33027",
            ),
        ),
    ),
    Claim(
        id="A2",
        statement="It converges faster, with better results.",
        question="Does a network with BN before the activations need fewer steps, and fewer seconds, to 95 % and 97 % "
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
    ),
    Claim(
        id="A3",
        statement="It reduces vanishing and exploding gradients.",
        question="In networks of 2, 10 and 30 hidden layers, do the gradient norms of the first and the last one lie "
        "closer together with BN before the activations: at initialization and after 100 steps? Beside it: after a "
        "single step, and in networks of 5 and 20 layers.",
        conditions=_every_gradient((2, 10, 30), (0, 100)),
        beside=(*_every_gradient((2, 10, 30), (1,)), *_every_gradient((5, 20), GRADIENT_STEPS)),
        remarks=(
            f"A distance counts as {MOST_DECADES:g} decades at most: beyond that single precision tells nothing. That "
            "is where 30 sigmoid layers stand without BN, so that their difference is rather larger than it says.",
            "Initializers are those that suit the activation, as one would choose them: without BN gradients vanish in "
            "sigmoids, and explode nowhere. What BN does for gradients that explode without it is not tried.",
        ),
        quick=Size({}, 5),
        full=Size({}, 10),
        literature=(
            Finding(
                "In deep networks without skip connections BN itself makes gradients explode at initialization; "
                "their range falls sharply after one step.",
                "Yang et al. 2019, abstract",
            ),
        ),
    ),
    Claim(
        id="A4",
        statement="It is not affected by the choice of activation function and weight initialization.",
        question="Over three activations × four initializers, two of them far too large: how far apart do the best and "
        "the worst final accuracy lie, compared with no BN? And taken literally: does the worst choice "
        "with BN end as accurate as ReLU with He normal? Beside it: each choice, with BN and without.",
        conditions=(
            _choice_condition(
                "compared with no BN",
                Arm("no BN, all 12 choices", _all_settings("none")),
                SPREAD,
                Prediction(-1, 5, "Five images in a hundred: less would hardly change which choices one can make."),
            ),
            _choice_condition(
                "taken literally",
                Arm("BN, ReLU and He normal", (revise_spec(_HE, {"placement": "before_activation"}),)),
                LOWEST,
                Prediction(0, 2, "Not affected means: no choice costs more than two images in a hundred."),
            ),
        ),
        beside=tuple(map(_setting, _SETTINGS)),
        quick=Size({"train_examples": 10_000, "epochs": 1}, 5),
        full=Size({"train_examples": 20_000, "epochs": 3}, 10),
        literature=(
            Finding(
                "BN allows much higher learning rates and less careful initialization.",
                "Ioffe and Szegedy 2015, abstract",
            ),
        ),
    ),
    Claim(
        id="A5",
        statement="It solves internal covariate shift.",
        question="Internal covariate shift is how far a layer's gradient moves because the layers before it are "
        "updated. After 10 and 100 steps, is it smaller with BN? Beside it: how far the gradient turns, and whether "
        "BN still beats no BN where noise after it brings the shift back.",
        conditions=tuple(pair.condition(measure, _LESS_SHIFT) for pair in PAIRS for measure in SHIFTS.values()),
        beside=(
            *(pair.condition(measure, _LESS_TURN) for pair in PAIRS for measure in TURNS.values()),
            *(_noisy(pair) for pair in PAIRS[1:]),
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
    ),
)
