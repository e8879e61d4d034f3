import math

import numpy as np
import pytest

from bnlab.charts.distributions import VARIABLE_TITLES
from bnlab.charts.heatmaps import image_alt, image_figure, image_frame
from tests.charts.snapshots import assert_drawable, snapshots_of, texts

PIXELS = [float(pixel) for pixel in range(6)]


def test_pixels_stand_where_the_image_has_them() -> None:
    snapshots = snapshots_of({"moving_mean": [[0] * 6, PIXELS]}, [0, 9])
    frame = image_frame(snapshots, "moving_mean", 12, (2, 3))
    np.testing.assert_array_equal(frame, [[0, 1, 2], [3, 4, 5]])
    assert not image_frame(snapshots, "moving_mean", 8, (2, 3)).to_numpy().any(), "the moment before"
    figure = image_figure(frame, "moving_mean", 5)
    assert figure.layout.yaxis.autorange == "reversed", "the first row is on top"
    assert image_alt(frame, "moving_mean", "bn_input") == (
        "moving mean of bn_input as a picture of 2 × 3 pixels: from 0 to 5."
    )


@pytest.mark.parametrize("variable", VARIABLE_TITLES)
@pytest.mark.parametrize("worst", [0.5, math.nan, math.inf])
def test_whatever_is_recorded_can_be_drawn(variable: str, worst: float) -> None:
    frame = image_frame(snapshots_of({variable: [[worst] * 6]}, [0]), variable, 0, (2, 3))
    assert_drawable(image_figure(frame, variable, 1.0))
    assert image_alt(frame, variable, "bn_input").endswith(".")


def test_nothing_recorded_is_a_sentence() -> None:
    frame = image_frame(snapshots_of({}, []), "gamma", 0, (2, 3))
    assert texts(image_figure(frame, "gamma", 1.0)) == ["Nothing to show"]
    assert image_alt(frame, "gamma", "bn_input") == "gamma of bn_input: nothing to show."
