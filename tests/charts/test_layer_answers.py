"""The sentences of the Layers page, on made-up records."""

import math

import numpy as np
import pandas as pd
import pytest

from bnlab.charts.layer_answers import (
    RunFinding,
    activation_finding,
    fold_text,
    gradient_finding,
    learned_finding,
    sentence,
)


def norms(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"depth": range(1, len(values) + 1), "gradient_norm": values})


@pytest.mark.parametrize(
    ("values", "finding"),
    [
        ([1e-5, *[1e-3] * 8, 1.0], "the gradient falls about 10⁵-fold from layer 10 to layer 1"),
        ([4.2, 1.0], "the gradient grows 4.2-fold from layer 2 to layer 1"),
        ([1.0, 5.0, 123.0], "the gradient falls 120-fold from layer 3 to layer 1"),
        ([1.0, 1.09], "the gradient stays about the same from layer 2 to layer 1"),
        ([0.0, 1.0], "the gradient in layer 1 is 0"),
        ([1.0, 0.0], "the gradient in layer 2 is 0"),
        ([0.0, 0.0], "no gradient reaches any layer"),
        ([math.nan, 1.0], "the gradient is not finite"),
        ([1.0, math.inf], "the gradient is not finite"),
        ([0.5], "the only hidden layer has a gradient of norm 0.5"),
        ([], ""),
    ],
)
def test_gradients_from_the_last_layer_to_the_first(values: list[float], finding: str) -> None:
    assert gradient_finding(norms(*values)) == finding


def test_layers_in_any_order() -> None:
    assert gradient_finding(norms(1.0, 10.0).iloc[::-1]) == gradient_finding(norms(1.0, 10.0))


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(1.14, "1.1-fold"), (9.94, "9.9-fold"), (12.6, "13-fold"), (999, "1000-fold"), (1e7, "about 10⁷-fold")],
)
def test_ratios(ratio: float, text: str) -> None:
    assert fold_text(ratio) == text


def test_what_gamma_and_beta_have_become() -> None:
    units = np.linspace(0, 1, 101)
    learned = learned_finding({"gamma": 1 + units, "beta": units - 0.5, "moving_mean": units})
    assert learned == (
        "gamma has moved from 1 to between 1.1 and 2 and beta has moved from 0 to between −0.45 and 0.45 "
        "(the middle 90 % of 101 units)"
    )
    still = learned_finding({"gamma": np.ones(8), "beta": np.array([math.nan, 0])})
    assert still == "gamma is still 1 in all units and beta is not finite in some units (the middle 90 % of 8 units)"
    assert learned_finding({"moving_mean": units}) == "there is neither gamma nor beta to learn"
    assert learned_finding({}) == ""


def test_what_enters_the_activations() -> None:
    bands = pd.DataFrame({"p5": [-2.0, -9, math.nan], "p95": [1.5, 9, 3]})
    assert activation_finding(bands) == "90 % of the values are between −2 and 1.5 in layer 1 and not finite in layer 3"
    one = "90 % of the values are between −2 and 1.5 in layer 1"
    assert activation_finding(bands[:1]) == one
    assert activation_finding(bands[:0]) == ""


def test_seed_and_evaluation_are_named_once_where_they_agree() -> None:
    first = RunFinding("No BN", 42, "at epoch 10", "a")
    assert (
        sentence([first, RunFinding("BN", 42, "at epoch 10", "b")])
        == "With seed 42, at epoch 10: in “No BN” a; in “BN” b."
    )
    late = RunFinding("BN", 42, "at epoch 3", "b")
    assert sentence([first, late]) == "In “No BN” (seed 42, at epoch 10) a; in “BN” (seed 42, at epoch 3) b."
    assert sentence([late], networks=8) == "With seed 42, at epoch 3: in “BN” b. These are the first 1 of 8 networks."
    assert sentence([]) == ""
