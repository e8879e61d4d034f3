"""The settings of curves, and their points against sums written out in NumPy."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bnlab.charts.series import (
    MAX_POINTS,
    MAX_TOTAL_POINTS,
    MIN_POINTS,
    TRAINING_COLUMNS,
    X_AXES,
    CurveSettings,
    max_points,
    smooth,
    steps_per_point,
)
from tests.charts.frames import minus_baseline, seeds_frame, thinned_frame

NAN, INF = math.nan, math.inf
EVALUATED = ("val_loss", "val_accuracy")

few = settings(max_examples=25)
lengths = st.integers(0, 300)
floats = st.floats(0, 2.0**127, width=32)
runs_values = st.lists(floats | st.sampled_from([NAN, INF, 0.1, 0.2, 0.3]), max_size=12)


def steps_of(losses: Sequence[float], first: int = 1) -> pd.DataFrame:
    """As `bnlab.runs.reader.steps_frame` gives them."""
    loss = np.asarray(losses, np.float32)
    return pd.DataFrame({"step": first + np.arange(len(loss)), "loss": loss, "accuracy": loss / 10})


def random_steps(length: int) -> pd.DataFrame:
    return steps_of(np.random.default_rng(length).uniform(0, 3, length))


def moments_of(losses: Sequence[float], pace: float = 1.0, name: str = "val_loss") -> pd.DataFrame:
    """A moment every ten steps, an epoch of a hundred, `pace` seconds from one to the next."""
    count = np.arange(len(losses))
    columns = {"step": 10 * count, "epoch": count / 10, "seconds": pace * count}
    return pd.DataFrame(columns | {name: np.asarray(losses, float)})


def test_max_points_limits_the_whole_chart() -> None:
    allowed = [max_points(variants) for variants in range(21)]
    assert allowed == sorted(allowed, reverse=True)
    assert set(allowed) <= set(range(MIN_POINTS, MAX_POINTS + 1))
    assert all(3 * variants * max_points(variants) <= MAX_TOTAL_POINTS for variants in range(1, 9))


@given(st.integers(0, 10**8), st.integers(1, 500))
@example(150, 150)
@example(151, 150)
def test_steps_per_point_is_the_smallest_stride_that_suffices(steps: int, most: int) -> None:
    row = sorted([1, *(2**n for n in range(1, 30)), *(3 * 2**n for n in range(30))])
    assert steps_per_point(steps, most) == next(stretch for stretch in row if steps <= stretch * most)


def test_stride_of_one_keeps_every_step() -> None:
    frame = thinned_frame(steps_of([4, 3, 8]), 1)
    assert list(frame.columns) == ["step", "loss", "loss_low", "loss_high", "accuracy", "accuracy_low", "accuracy_high"]
    assert frame["step"].tolist() == [1, 2, 3]
    for column in ("loss", "loss_low", "loss_high"):
        assert frame[column].tolist() == [4, 3, 8]


def test_points_are_means_and_extremes_of_complete_strides() -> None:
    expected = pd.DataFrame(
        {"step": [4, 8], "loss": [2.5, 10.0], "loss_low": [1.0, 10.0], "loss_high": [4.0, 10.0]}
    ).astype({"loss": np.float32, "loss_low": np.float32, "loss_high": np.float32})
    frame = thinned_frame(steps_of([4, 2, 3, 1, 10, 10, 10, 10, 99]), 4)
    pd.testing.assert_frame_equal(frame[list(expected.columns)], expected)


def test_first_step_may_be_later_than_one() -> None:
    assert thinned_frame(steps_of([1, 2, 3, 4], first=11), 2)["step"].tolist() == [12, 14]


@few
@given(lengths, st.integers(1, 50))
def test_thinning_agrees_with_numpy(length: int, stretch: int) -> None:
    steps = random_steps(length)
    frame = thinned_frame(steps, stretch)
    starts = range(0, length - stretch + 1, stretch)
    assert frame["step"].tolist() == [start + stretch for start in starts]
    for name in TRAINING_COLUMNS:
        parts = [steps[name].to_numpy()[start : start + stretch] for start in starts]
        np.testing.assert_allclose(frame[name], [part.astype(float).mean() for part in parts], rtol=1e-6)
        assert frame[f"{name}_low"].tolist() == [part.min() for part in parts]
        assert frame[f"{name}_high"].tolist() == [part.max() for part in parts]


@few
@given(lengths, st.integers(0, 100), st.integers(1, 50))
def test_points_do_not_change_while_the_run_grows(length: int, more: int, stretch: int) -> None:
    later = random_steps(length + more)
    before, after = thinned_frame(later.iloc[:length], stretch), thinned_frame(later, stretch)
    pd.testing.assert_frame_equal(after.iloc[: len(before)], before)


def test_values_that_are_not_finite_affect_one_point() -> None:
    frame = thinned_frame(steps_of([1, 1, NAN, 2, 3, INF, INF, -INF, 3e38, 3e38, 4, 4]), 2)
    np.testing.assert_array_equal(frame["loss"], np.array([1, NAN, INF, NAN, 3e38, 4], np.float32))
    np.testing.assert_array_equal(frame["loss_low"], np.array([1, NAN, 3, -INF, 3e38, 4], np.float32))


def test_single_seed_is_returned_unchanged() -> None:
    frame_of_seed = moments_of([1, INF, 0.5])
    frame = seeds_frame([frame_of_seed], ["val_loss"])
    pd.testing.assert_frame_equal(frame[list(frame_of_seed.columns)], frame_of_seed)
    assert "val_loss_sd" not in frame


def test_average_of_seeds_of_different_lengths() -> None:
    frame = seeds_frame([moments_of([1, 2, 3]), moments_of([3, 4]), moments_of([8])], ["val_loss"])
    expected = pd.DataFrame(
        {
            "step": [0, 10, 20],
            "epoch": [0.0, 0.1, 0.2],
            "seconds": [0.0, 1.0, 2.0],
            "val_loss": [4.0, 3.0, 3.0],
            "val_loss_sd": [math.sqrt((9 + 1 + 16) / 2), math.sqrt(2), NAN],
        }
    )
    pd.testing.assert_frame_equal(frame, expected)


def test_average_leaves_out_values_that_are_not_finite() -> None:
    frame = seeds_frame([moments_of([1, INF, NAN]), moments_of([3, 4, INF]), moments_of([5, 6, INF])], ["val_loss"])
    np.testing.assert_allclose(frame["val_loss"], [3, 5, NAN])
    np.testing.assert_allclose(frame["val_loss_sd"], [2, math.sqrt(2), NAN])


def test_seconds_continue_after_a_slow_seed_ends() -> None:
    frame = seeds_frame([moments_of([1] * 4, pace=1), moments_of([1] * 2, pace=5)], ["val_loss"])
    assert frame["seconds"].tolist() == [0, 3, 4, 5]


@few
@given(st.lists(st.tuples(runs_values, st.floats(0, 10)), min_size=1, max_size=4))
def test_averages_agree_with_numpy_and_seconds_increase(runs: list[tuple[list[float], float]]) -> None:
    frame = seeds_frame([moments_of(values, pace) for values, pace in runs], ["val_loss"])
    longest = max(len(values) for values, _ in runs)
    assert frame["step"].tolist() == [10 * position for position in range(longest)]
    assert frame["seconds"].is_monotonic_increasing
    if len(runs) > 1:
        for position in range(longest):
            values_there = np.array([values[position] for values, _ in runs if len(values) > position])
            finite = values_there[np.isfinite(values_there)]
            mean = finite.mean() if finite.size else NAN
            spread = finite.std(ddof=1) if finite.size > 1 else NAN
            np.testing.assert_allclose(frame["val_loss"][position], mean, rtol=1e-6)
            np.testing.assert_allclose(
                frame["val_loss_sd"][position], spread, rtol=1e-5, atol=1e-9 * np.nan_to_num(mean)
            )


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_average_of_empty_seeds_is_empty(seeds: int) -> None:
    frame = seeds_frame([moments_of([])] * seeds, ["val_loss"])
    assert frame.empty
    assert list(frame.columns)[:4] == ["step", "epoch", "seconds", "val_loss"]
    assert ("val_loss_sd" in frame) == (seeds > 1)


@few
@given(st.lists(floats | st.sampled_from([NAN, INF]), max_size=30), st.floats(0.01, 0.99))
@example([1.0, NAN, 3.0, NAN], 0.5)
def test_smoothing_is_the_corrected_running_average(values: list[float], weight: float) -> None:
    average, total, expected = 0.0, 0.0, []
    for value in np.asarray(values, np.float32).astype(float):
        seen = math.isfinite(value)
        average = weight * average + ((1 - weight) * value if seen else 0.0)
        total = weight * total + ((1 - weight) if seen else 0.0)
        expected.append(average / total if seen else NAN)
    result = smooth(np.asarray(values, np.float32), weight)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_no_smoothing_changes_nothing() -> None:
    values = np.array([1, NAN, INF, 2], np.float32)
    np.testing.assert_array_equal(smooth(values, 0), values)


def test_smoothing_keeps_a_constant() -> None:
    np.testing.assert_allclose(smooth(np.full(50, 0.3, np.float32), 0.99), 0.3, rtol=1e-6)


def test_differences_interpolate_the_baseline() -> None:
    baseline = pd.DataFrame({"epoch": [1.0, 3.0], "seconds": [10.0, 20.0], "loss": [4.0, 2.0]})
    frame = pd.DataFrame(
        {"epoch": [0.5, 1, 2, 3, 4], "seconds": [5.0, 15, 18, 20, 25], "loss": 9.0, "loss_sd": 0.5, "other": 7.0}
    )
    before = frame.copy()
    by_epoch = minus_baseline(frame, baseline, ["loss"], "epoch")
    assert by_epoch[["epoch", "loss"]].to_numpy().tolist() == [[1, 5], [2, 6], [3, 7]]
    assert by_epoch["loss_sd"].tolist() == [0.5] * 3
    assert by_epoch["other"].tolist() == [7] * 3
    by_seconds = minus_baseline(frame, baseline, ["loss"], "seconds")
    np.testing.assert_allclose(by_seconds[["seconds", "loss"]], [[15, 6], [18, 6.6], [20, 7]])
    pd.testing.assert_frame_equal(frame, before)


def test_baseline_minus_itself_is_zero() -> None:
    frame = moments_of([3, 2, 1])
    assert minus_baseline(frame, frame, ["val_loss"], "epoch")["val_loss"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("along", ["epoch", "seconds"])
def test_without_points_there_is_no_difference(along: str) -> None:
    some, none = moments_of([3, 2, 1]), moments_of([])
    for frame, baseline in ((some, none), (none, some), (none, none)):
        difference = minus_baseline(frame, baseline, ["val_loss"], along)
        assert difference.empty
        assert list(difference.columns) == list(some.columns)


def test_differences_to_a_baseline_with_gaps() -> None:
    difference = minus_baseline(moments_of([3, 3, 3, 3]), moments_of([1, NAN, INF, 1]), ["val_loss"], "epoch")
    assert difference["val_loss"].tolist()[0] == difference["val_loss"].tolist()[3] == 2
    assert not np.isfinite(difference["val_loss"].to_numpy()[1:3]).any()


def test_settings_have_titles_and_descriptions() -> None:
    for field in CurveSettings.model_fields.values():
        assert field.title
        assert field.description
        assert field.description.endswith(".")
    assert all(axis.title and axis.description.endswith(".") for axis in X_AXES.values())


def test_schema_lists_every_axis() -> None:
    assert CurveSettings.model_json_schema()["properties"]["x"]["enum"] == list(X_AXES)


@pytest.mark.parametrize("x", X_AXES)
@pytest.mark.parametrize("smoothing", [0, 0.99])
def test_bounds_are_inclusive(x: str, smoothing: float) -> None:
    view = CurveSettings(x=x, smoothing=smoothing, baseline="x" * 40)
    assert CurveSettings.model_validate_json(view.model_dump_json()) == view


@pytest.mark.parametrize(
    "fields",
    [
        {"x": "weeks"}, {"x": None}, {"smoothing": -0.01}, {"smoothing": 1}, {"smoothing": float("nan")},
        {"log_x": "perhaps"}, {"baseline": "x" * 41}, {"zoom": 2},
    ],
    ids=str,
)  # fmt: skip
def test_invalid_settings_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        CurveSettings.model_validate(fields)
    assert [error["loc"] for error in refused.value.errors()] == [tuple(fields)]


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        CurveSettings().x = "step"  # type: ignore[misc]
