"""The outputs of both ways, side by side."""

import numpy as np
import pandas as pd
import pytest

from bnlab.charts.explanations.folding import (
    folding_alt,
    folding_difference,
    folding_figure,
    folding_frame,
    linear_network_difference,
)
from tests.charts.explanations.figures import assert_says, assert_sound

OUTPUTS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def test_a_row_an_output() -> None:
    frame = folding_frame(OUTPUTS, OUTPUTS + 1)
    expected = pd.DataFrame(
        {
            "example": [1, 1, 2, 2, 3, 3],
            "unit": [1, 2] * 3,
            "two_layers": [1.0, 2, 3, 4, 5, 6],
            "folded": [2.0, 3, 4, 5, 6, 7],
        }
    )
    pd.testing.assert_frame_equal(frame, expected)


def test_a_mark_a_way_at_the_same_place() -> None:
    rings, crosses = folding_figure(folding_frame(OUTPUTS, -OUTPUTS)).data
    np.testing.assert_array_equal(rings.x, crosses.x)
    assert (rings.y.tolist(), crosses.y.tolist()) == (OUTPUTS.ravel().tolist(), (-OUTPUTS).ravel().tolist())
    assert len(set(rings.x)) == 6
    assert rings.text[1] == "example 1, unit 2"


@pytest.mark.parametrize("last", [6, np.nan, np.inf])
def test_figures(last: float) -> None:
    folded = OUTPUTS.copy()
    folded[-1, -1] = last
    assert_sound(folding_figure(folding_frame(OUTPUTS, folded)))


def test_the_difference_is_the_largest() -> None:
    frame = folding_frame(OUTPUTS, OUTPUTS + np.array([[0, -0.5], [0.25, 0], [0, 0]]))
    assert folding_difference(frame) == 0.5
    assert folding_alt(frame) == "Over 6 outputs, two layers and one folded layer differ by at most 5.0e-01."


def test_no_examples_is_a_sentence() -> None:
    nothing = folding_frame(OUTPUTS[:0], OUTPUTS[:0])
    assert_says(folding_figure(nothing), "No examples")
    assert folding_difference(nothing) == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_network_without_activations_is_linear(seed: int) -> None:
    assert linear_network_difference(seed) < 1e-12
