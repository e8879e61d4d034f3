"""BN on the input: the input's scale against the formula σ c / √(σ² c² + ε), and gradient descent."""

import re

import numpy as np
import pytest

from bnlab.charts.explanations.scale import (
    DESCENT_BATCH_SIZE,
    DIVERGENCE_LOSS,
    FACTORS,
    PIXELS,
    descent_alt,
    descent_figure,
    descent_frame,
    raw_pixel,
    scale_alt,
    scale_figure,
    scale_frame,
)
from bnlab.specs.choices import RESCALINGS
from tests.charts.explanations.figures import assert_says, assert_sound


@pytest.mark.parametrize("epsilon", [1e-5, 1e-3])
def test_standard_deviations_agree_with_the_formula(epsilon: float) -> None:
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


def test_scale_alt() -> None:
    assert "from a factor of 0.001 up" in scale_alt(scale_frame())
    assert scale_alt(scale_frame(np.array([1e-7]))).startswith("BN brings none")


def test_message_without_scales() -> None:
    assert_says(scale_figure(scale_frame(np.array([])), 1), "No scales")


DESCENT_FACTORS, RATES = (1e-6, 1e-3, 1 / 255, 1e-2, 1.0), (1e-5, 1e-2, 1e-1, 1.0)


def problem() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    raw = rng.integers(0, 256, (DESCENT_BATCH_SIZE, PIXELS)).astype(float)
    target = raw @ rng.standard_normal(PIXELS)
    return raw, (target - target.mean()) / target.std()


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("factor", DESCENT_FACTORS)
def test_losses_agree_with_the_closed_form(factor: float, rate: float) -> None:
    raw, target = problem()
    frame = descent_frame(factor, rate, steps=20)
    centred = factor * (raw - raw.mean(axis=0))
    inputs = {"plain": factor * raw, "normalized": centred / np.sqrt(centred.var(axis=0) + 1e-3)}
    for column, pixels in inputs.items():
        matrix = np.column_stack([pixels, np.ones(DESCENT_BATCH_SIZE)])
        values, vectors = np.linalg.eigh(matrix.T @ matrix / DESCENT_BATCH_SIZE)
        start = vectors.T @ (matrix.T @ target) / DESCENT_BATCH_SIZE
        for step, loss in enumerate(frame[column]):
            # Each direction shrinks by (1 − rate · eigenvalue) a step: so its reduction of the loss is known.
            reduction = sum(
                s**2 / v * (1 - (1 - rate * v) ** (2 * step)) for s, v in zip(start, values, strict=True) if v > 0
            )
            expected = 0.5 - reduction / 2
            assert (
                (expected > DIVERGENCE_LOSS) if np.isnan(loss) else loss == pytest.approx(expected, rel=1e-6, abs=1e-9)
            )
            if np.isnan(loss):
                break


def test_raw_pixels_diverge_without_bn_and_tiny_ones_are_not_learned() -> None:
    raw, tiny = descent_frame(1.0, 0.01), descent_frame(1e-6, 0.01)
    assert np.isnan(raw["plain"].iloc[-1])
    assert raw["normalized"].iloc[-1] < 0.1
    assert tiny[["plain", "normalized"]].iloc[-1].min() > 0.45


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("factor", DESCENT_FACTORS)
def test_diverging_lines_leave_at_the_top(factor: float, rate: float) -> None:
    frame = descent_frame(factor, rate)
    figure = descent_figure(frame)
    assert_sound(figure)
    for trace in figure.data:
        diverged = frame[trace.uid].isna().any()
        assert trace.name.endswith("(diverged)") == diverged
        assert (np.nanmax(trace.y) > DIVERGENCE_LOSS) == diverged


def test_descent_alt() -> None:
    alt = descent_alt(descent_frame(1.0, 0.01))
    assert re.search(r"without BN diverged after \d+ steps,", alt)
    assert "without BN diverged after 1 step," in descent_alt(descent_frame(1.0, 1.0))
    assert alt.startswith("Loss after 100 steps:")


def test_message_without_steps() -> None:
    nothing = descent_frame(1, 0.01).iloc[:0]
    assert_says(descent_figure(nothing), "No steps")
    assert descent_alt(nothing) == "No steps."
