"""Gradient descent, with the eigenvalues as oracle for what diverges."""

import re

import numpy as np
import pytest

from bnlab.charts.explanations.scale import (
    DESCENT_BATCH_SIZE,
    DIVERGENCE_LOSS,
    PIXELS,
    descent_alt,
    descent_figure,
    descent_frame,
)
from tests.charts.explanations.figures import assert_says, assert_sound

FACTORS, RATES = (1e-6, 1e-3, 1 / 255, 1e-2, 1.0), (1e-5, 1e-2, 1e-1, 1.0)


def problem() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    raw = rng.integers(0, 256, (DESCENT_BATCH_SIZE, PIXELS)).astype(float)
    target = raw @ rng.standard_normal(PIXELS)
    return raw, (target - target.mean()) / target.std()


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("factor", FACTORS)
def test_losses_are_those_of_the_closed_form(factor: float, rate: float) -> None:
    raw, target = problem()
    frame = descent_frame(factor, rate, steps=20)
    centred = factor * (raw - raw.mean(axis=0))
    inputs = {"plain": factor * raw, "normalized": centred / np.sqrt(centred.var(axis=0) + 1e-3)}
    for column, pixels in inputs.items():
        matrix = np.column_stack([pixels, np.ones(DESCENT_BATCH_SIZE)])
        values, vectors = np.linalg.eigh(matrix.T @ matrix / DESCENT_BATCH_SIZE)
        start = vectors.T @ (matrix.T @ target) / DESCENT_BATCH_SIZE
        for step, loss in enumerate(frame[column]):
            # Each direction shrinks by (1 − rate · eigenvalue) a step: what it has won of the loss is known.
            won = sum(
                s**2 / v * (1 - (1 - rate * v) ** (2 * step)) for s, v in zip(start, values, strict=True) if v > 0
            )
            expected = 0.5 - won / 2
            assert (expected > DIVERGENCE_LOSS) if np.isnan(loss) else loss == pytest.approx(expected, rel=1e-6, abs=1e-9)
            if np.isnan(loss):
                break


def test_raw_pixels_diverge_without_bn_and_tiny_ones_are_lost_to_both() -> None:
    raw, tiny = descent_frame(1.0, 0.01), descent_frame(1e-6, 0.01)
    assert np.isnan(raw["plain"].iloc[-1])
    assert raw["normalized"].iloc[-1] < 0.1
    assert tiny[["plain", "normalized"]].iloc[-1].min() > 0.45


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("factor", FACTORS)
def test_what_diverges_leaves_at_the_top_and_is_named(factor: float, rate: float) -> None:
    frame = descent_frame(factor, rate)
    figure = descent_figure(frame)
    assert_sound(figure)
    for trace in figure.data:
        diverged = frame[trace.uid].isna().any()
        assert trace.name.endswith("(diverged)") == diverged
        assert (np.nanmax(trace.y) > DIVERGENCE_LOSS) == diverged


def test_words() -> None:
    said = descent_alt(descent_frame(1.0, 0.01))
    assert re.search(r"without BN diverged after \d+ steps,", said)
    assert "without BN diverged after 1 step," in descent_alt(descent_frame(1.0, 1.0))
    assert said.startswith("Loss after 100 steps:")


def test_no_steps_is_a_sentence() -> None:
    nothing = descent_frame(1, 0.01).iloc[:0]
    assert_says(descent_figure(nothing), "No steps")
    assert descent_alt(nothing) == "No steps."
