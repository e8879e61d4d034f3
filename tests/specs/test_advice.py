"""Advice: when each rule applies, and the numbers in its sentence."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.specs.advice import Advice, advise
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from tests.spec_strategies import specs

THOUSANDTH = {"rescale": "thousandth", "input_normalization": True}
CONSTANT_PIXELS = {
    "input_normalization": True, "epsilon": 1e-8, "train_examples": 500, "batch_size": 4, "epochs": 20,
}  # fmt: skip
BN = {"placement": "before_activation", "use_bias": False}


def advice_for(title: str, **fields: Any) -> Advice | None:
    return next((advice for advice in advise(RunSpec(**fields)) if advice.title == title), None)


def test_advice_for_the_notebooks_networks() -> None:
    titles = {v.label: [advice.title for advice in advise(v.spec)] for v in PRESETS["notebook"].variants}
    assert titles == {
        "Baseline": [],
        "Approach 1 (as printed)": ["No nonlinearity", "Redundant bias"],
        "Approach 1 (as described)": [],
        "Approach 2": [],
    }


@pytest.mark.parametrize(
    ("title", "fields", "numbers"),
    [
        ("No nonlinearity", {"activation": "linear"}, ["2 hidden layers"]),
        ("No nonlinearity", {"activation": "linear", "hidden_units": (9,)}, ["the hidden layer and"]),
        ("Redundant bias", {**BN, "use_bias": True}, ["400 biases"]),
        ("Redundant bias", {"placement": "after_activation", "activation": "linear"}, ["400 biases"]),
        ("Likely to diverge", {"rescale": "raw"}, ["0.01", "0.003"]),
        ("Likely to diverge", {"rescale": "raw", "optimizer": "nesterov", "learning_rate": 0.001}, ["0.001", "0.0003"]),
        ("All units start alike", {"kernel_initializer": "zeros"}, ["at 0"]),
        ("All units start alike", {"kernel_initializer": "ones", **BN}, ["at 1"]),
        ("All units start alike", {"kernel_initializer": "random_normal", "initializer_stddev": 0}, ["at 0"]),
        (
            "Large initial weights",
            {"kernel_initializer": "random_normal", "initializer_stddev": 0.5},
            ["0.5", "10 times", "0.051", "784", "values grow"],
        ),
        (
            "Large initial weights",
            {"kernel_initializer": "random_normal", "initializer_stddev": 5, "dataset": "cifar10", **BN},
            ["196 times", "3,072", "each step hardly changes"],
        ),
        ("Vanishing gradient", {"activation": "sigmoid", "hidden_units": (100,) * 4}, ["4 sigmoids"]),
        ("One example per batch", {**BN, "batch_size": 1}, ["only its beta"]),
        ("One example per batch", {**BN, "train_examples": 1, "center": False}, ["only 0"]),
        ("Noisy statistics", {"input_normalization": True, "batch_size": 4}, ["4 examples"]),
        ("Noisy statistics", {**BN, "train_examples": 7}, ["7 examples"]),
        ("Noisy statistics", {**BN, "batch_size": 2, "architecture": "conv", "hidden_units": (4,) * 5}, ["2 examples"]),
        ("Redundant bias", {"placement": "before_activation", "architecture": "conv"}, ["convolution"]),
        ("Large epsilon", {"epsilon": 0.01, "input_normalization": True, "architecture": "conv"}, ["0.095"]),
        ("Large epsilon", {**THOUSANDTH, "dataset": "fashion_mnist"}, ["0.001", "18 %", "0.0057"]),
        ("Large epsilon", {**THOUSANDTH, "dataset": "cifar10"}, ["0.001", "24 %", "0.0041"]),
        ("Large epsilon", {**THOUSANDTH, "dataset": "cifar10", "architecture": "conv"}, ["0.0041"]),
        ("Pixels that never vary in training", CONSTANT_PIXELS, ["207 pixels", "500", "9,994"]),
        (  # as measured: its moving variance is then 1.0497e-8
            "Pixels that never vary in training",
            CONSTANT_PIXELS | {"epochs": 8, "normalizer": "batch_renormalization"},
            ["207 pixels", "6,985"],
        ),
        ("Pixels that never vary in training", {"input_normalization": True, "rescale": "raw"}, ["69", "55,000", "32"]),
        ("One example in the last batch", {**BN, "train_examples": 1985}, ["1,985", "32"]),
        (
            "Slow moving statistics",
            {**BN, "train_examples": 320, "epochs": 2},
            ["0.99", "82 %", "20 steps", "training"],
        ),
        ("Slow moving statistics", {**BN, "train_examples": 3200}, ["37 %", "100 steps of the first epoch"]),
        ("Slow moving statistics", {**BN, "train_examples": 32, "epochs": 1}, ["99 %", "1 step of"]),
        ("Large epsilon", {"input_normalization": True, "epsilon": 0.1}, ["0.1", "149 %", "0.067"]),
    ],
)
def test_rule_applies_with_the_specs_numbers(title: str, fields: dict[str, Any], numbers: list[str]) -> None:
    advice = advice_for(title, **fields)
    assert advice is not None
    assert [number for number in numbers if number not in advice.sentence] == []


@pytest.mark.parametrize(
    ("title", "fields"),
    [
        ("Redundant bias", {"placement": "after_activation"}),
        ("Redundant bias", {"activation": "linear", "input_normalization": True}),
        ("Likely to diverge", {"rescale": "raw", "learning_rate": 0.0029}),
        ("Likely to diverge", {"rescale": "raw", "input_normalization": True}),
        ("Likely to diverge", {"rescale": "raw", "placement": "after_activation"}),
        ("Likely to diverge", {"rescale": "raw", "activation": "tanh"}),
        ("Likely to diverge", {"rescale": "raw", "optimizer": "adam"}),
        ("Large initial weights", {"kernel_initializer": "random_normal", "initializer_stddev": 0.25}),
        ("Large initial weights", {"kernel_initializer": "he_normal", "initializer_stddev": 5}),
        ("Vanishing gradient", {"activation": "sigmoid", "hidden_units": (100,) * 3}),
        ("Vanishing gradient", {"activation": "sigmoid", "hidden_units": (100,) * 9, **BN}),
        ("One example per batch", {"batch_size": 1}),
        ("One example per batch", {"batch_size": 1, **BN, "normalizer": "batch_renormalization"}),
        ("Noisy statistics", {"batch_size": 8, **BN}),
        ("Noisy statistics", {"batch_size": 1, **BN}),
        ("One example in the last batch", {**BN, "train_examples": 1986}),
        ("One example in the last batch", {**BN, "train_examples": 1985, "architecture": "conv"}),
        ("One example per batch", {"batch_size": 1, **BN, "architecture": "conv"}),
        ("Noisy statistics", {"batch_size": 2, **BN, "architecture": "conv"}),
        ("Large epsilon", {"epsilon": 0.009, "input_normalization": True, "architecture": "conv"}),
        ("One example in the last batch", {**BN, "train_examples": 3, "batch_size": 1}),
        ("One example in the last batch", {**BN, "train_examples": 1}),
        ("Slow moving statistics", {"train_examples": 32}),
        ("Slow moving statistics", {**BN, "train_examples": 32, "momentum": 0}),
        ("Large epsilon", {"epsilon": 0.1, **BN}),
        ("Large epsilon", {"epsilon": 0.0067, "input_normalization": True}),
        ("Large epsilon", {"epsilon": 1, "input_normalization": True, "rescale": "raw"}),
        ("Large epsilon", {"input_normalization": True, "dataset": "fashion_mnist"}),
        ("Large epsilon", {"input_normalization": True, "dataset": "cifar10"}),
        ("Slow moving statistics", CONSTANT_PIXELS),
        ("Pixels that never vary in training", CONSTANT_PIXELS | {"epsilon": 1e-3}),
        ("Pixels that never vary in training", CONSTANT_PIXELS | {"dataset": "fashion_mnist"}),
        ("Pixels that never vary in training", CONSTANT_PIXELS | {"normalizer": "layer_normalization"}),
        ("Pixels that never vary in training", CONSTANT_PIXELS | {"architecture": "conv"}),
        ("Pixels that never vary in training", CONSTANT_PIXELS | {"epochs": 1, "momentum": 0.99999}),
    ],
)
def test_rule_does_not_apply(title: str, fields: dict[str, Any]) -> None:
    assert advice_for(title, **fields) is None


@pytest.mark.parametrize(
    ("fields", "severity"), [({"epochs": 2}, "warning"), ({"epochs": 3}, None), ({"momentum": 0.995}, "warning")]
)
def test_threshold_of_slow_moving_statistics(fields: dict[str, Any], severity: str | None) -> None:
    """125 steps an epoch: 0.99 to the power of 250 is 8 %, of 375 2 %; after the first epoch 28 %, which is a note."""
    advice = advice_for("Slow moving statistics", **{**BN, "train_examples": 4_000, "epochs": 3, **fields})
    assert advice is not None
    assert advice.severity == (severity or "note")


@given(spec=specs())
def test_any_advice_is_one_sentence_with_a_unique_title(spec: RunSpec) -> None:
    advice_list = advise(spec)
    assert len({advice.title for advice in advice_list}) == len(advice_list)
    for advice in advice_list:
        assert advice.sentence.endswith(".")
        assert ". " not in advice.sentence
        assert len(advice.sentence) < 220
        assert advice.severity in ("note", "warning")


@given(st.sampled_from(["none", "before_activation"]), st.integers(1, 40), st.integers(1, 12))
def test_batch_advice_requires_bn(placement: str, examples: int, batch_size: int) -> None:
    spec = RunSpec(placement=placement, train_examples=examples, batch_size=batch_size, use_bias=False)
    sizes = [min(batch_size, examples - start) for start in range(0, examples, batch_size)]
    titles = {advice.title for advice in advise(spec)}
    assert ("One example per batch" in titles) == (placement != "none" and max(sizes) == 1)
    assert ("Noisy statistics" in titles) == (placement != "none" and 1 < max(sizes) < 8)
    assert ("One example in the last batch" in titles) == (placement != "none" and max(sizes) > 1 and sizes[-1] == 1)
