"""Thinned curves keep every peak, few points, and their points while they grow."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bnlab.runs.thinning import steps_per_part, thin, thin_together

few = settings(max_examples=25)


@given(st.integers(0, 10**8), st.integers(1, 500))
@example(150, 150)
@example(151, 150)
def test_steps_per_part_is_the_smallest_length_that_suffices(steps: int, most: int) -> None:
    assert steps_per_part(steps, most) == next(2**n for n in range(30) if steps <= 2**n * most)


def test_a_line_that_is_thinned_anew_has_no_new_points() -> None:
    values = np.random.default_rng(0).normal(size=3_000)
    lengths = [length for length in range(200, 3_000) if steps_per_part(length, 50) < steps_per_part(length + 1, 50)]
    assert lengths
    for length in lengths:
        before, after = thin(values[:length], 100), thin(values[: length + 1], 100)
        assert set(after.tolist()) <= {*before.tolist(), length}


def test_few_points_are_not_thinned() -> None:
    assert thin(np.zeros(90), 90).tolist() == list(range(90))


def test_thinned_points_are_the_extremes_of_parts_and_the_ends() -> None:
    values = np.array([1, 0, 2, 1, 5, 5, 5, 5, 3, 4, 3.0])  # parts of 4
    assert thin(values, 6).tolist() == [0, 1, 2, 4, 8, 9, 10]


@few
@given(st.integers(200, 3_000), st.integers(0, 500), st.booleans(), st.integers(20, 180))
def test_thinning_keeps_every_extreme_and_few_points(length: int, more: int, log: bool, most: int) -> None:
    values = np.random.default_rng(length).normal(size=length)
    positions = thin(values, most, log=log)
    assert len(positions) <= most + 2
    assert (np.diff(positions) > 0).all()
    assert {0, length - 1, int(values.argmin()), int(values.argmax())} <= set(positions.tolist())


@few
@given(st.integers(200, 3_000), st.integers(0, 500))
def test_points_do_not_change_while_the_run_grows(length: int, more: int) -> None:
    values = np.random.default_rng(length).normal(size=length + more)
    part = steps_per_part(length, 50)
    before, after = thin(values[:length], 100), thin(values, 100)
    if steps_per_part(length + more, 50) == part:
        complete = length // part * part
        assert before[before < complete].tolist() == after[after < complete].tolist()


def test_thinning_on_a_logarithmic_axis_keeps_the_first_steps() -> None:
    values = np.random.default_rng(0).normal(size=100_000)
    positions = thin(values, 180, log=True)
    assert (positions < 1_000).mean() > 0.5
    assert (thin(values, 180) < 1_000).mean() < 0.05


@pytest.mark.parametrize("gap", [np.nan, np.inf, -np.inf])
def test_gaps_stay_and_hide_no_extreme(gap: float) -> None:
    values = np.random.default_rng(0).normal(size=1_000)
    values[[400, 417]] = [40, -40]
    values[405:412] = gap
    values[990:] = gap
    positions = thin(values, 100)
    assert len(positions) <= 110
    assert {400, 405, 411, 417, 990, 999} <= set(positions.tolist())
    assert thin(np.full(1_000, gap), 100).tolist()[::999] == [0], "the first of each part and the last"


def test_lines_that_are_thinned_together_keep_the_extremes_of_each() -> None:
    rng = np.random.default_rng(0)
    low, middle, high = np.sort(rng.normal(size=(3, 1_010)), axis=0)
    positions = thin_together([low, middle, high], 150)
    assert len(positions) <= 3 * (75 + 2)
    for line in (low, middle, high):
        assert {0, 1_009, int(line.argmin()), int(line.argmax())} <= set(positions.tolist())
    assert len(thin_together([low, high], 150)) <= 154
    assert thin_together([low[:150], high[:150]], 150).tolist() == list(range(150))
