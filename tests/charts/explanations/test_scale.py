"""BN on the input against the input's scale, by the formula σ c / √(σ² c² + ε)."""

import numpy as np
import pytest

from bnlab.charts.explanations.scale import FACTORS, raw_pixel, scale_alt, scale_figure, scale_frame
from bnlab.specs.choices import RESCALINGS
from tests.charts.explanations.figures import assert_says, assert_sound


@pytest.mark.parametrize("epsilon", [1e-5, 1e-3])
def test_standard_deviations_are_the_formulas(epsilon: float) -> None:
    frame = scale_frame(epsilon=epsilon)
    scaled = FACTORS * np.std(raw_pixel())
    np.testing.assert_allclose(frame["plain"], scaled)
    np.testing.assert_allclose(frame["normalized"], scaled / np.sqrt(scaled**2 + epsilon))


def test_pixels_are_pixels() -> None:
    pixel = raw_pixel()
    assert ((pixel >= 0) & (pixel <= 255) & (pixel == pixel.round())).all()


def test_bnlabs_rescalings_and_the_chosen_factor_are_marked() -> None:
    figure = scale_figure(scale_frame(), 0.001)
    assert_sound(figure)
    marked = [shape.x0 for shape in figure.layout.shapes]
    assert marked == [0.001, *[rescaling.factor for rescaling in RESCALINGS.values()]]
    assert [note.text for note in figure.layout.annotations] == [r.title for r in RESCALINGS.values()]
    assert [trace.uid for trace in figure.data] == ["plain", "normalized"]


def test_words() -> None:
    assert "from a factor of 0.001 up" in scale_alt(scale_frame())
    assert scale_alt(scale_frame(np.array([1e-7]))).startswith("BN brings none")


def test_no_scales_is_a_sentence() -> None:
    assert_says(scale_figure(scale_frame(np.array([])), 1), "No scales")
