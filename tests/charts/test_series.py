"""The settings of curves, and their points against sums written out in NumPy."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bnlab.charts.curve_settings import VALIDATION_CURVES, X_AXES, CurveSettings
from bnlab.charts.series import (
    MAX_POINTS,
    MAX_TOTAL_POINTS,
    MIN_POINTS,
    Series,
    max_points,
    prepare_curve,
    prepare_curves,
    smooth,
    training_series,
)
from bnlab.runs.curves_cache import RunCurves
from tests.charts.frames import minus_baseline, seeds_frame

NAN, INF = math.nan, math.inf

few = settings(max_examples=25)
floats = st.floats(0, 2.0**127, width=32)
runs_values = st.lists(floats | st.sampled_from([NAN, INF, 0.1, 0.2, 0.3]), max_size=12)


def steps_of(losses: Sequence[float], first: int = 1) -> pd.DataFrame:
    """As `bnlab.runs.reader.steps_frame` gives them."""
    loss = np.asarray(losses, np.float32)
    return pd.DataFrame({"step": first + np.arange(len(loss)), "loss": loss, "accuracy": loss / 10})


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


@pytest.mark.parametrize("weight", [0.0, 0.6, 0.99])
def test_a_curve_that_has_grown_is_smoothed_as_a_whole_one(weight: float) -> None:
    values = np.random.default_rng(0).normal(1.0, 0.2, 900).astype(np.float32)
    smoothed = smooth(values[:100], weight)
    for length in (101, 180, 180, 600, 900):
        smoothed = smooth(values[:length], weight, smoothed)
    np.testing.assert_allclose(smoothed, smooth(values, weight), rtol=1e-6)


@pytest.mark.parametrize("position", [5, 105])
def test_a_curve_with_a_gap_is_smoothed_anew(position: int) -> None:
    values = np.ones(120, np.float32)
    values[position:] = 3
    values[position] = np.nan
    grown = smooth(values, 0.6, smooth(values[:100], 0.6))
    np.testing.assert_array_equal(grown, smooth(values, 0.6))


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
            "val_loss_count": [3, 2, 1],
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


# Validation losses of `v=b32~batch_size~32&v=b256~batch_size~256&train_examples=6400&epochs=4` by step.
B32 = {
    0: 2.328912, 1: 2.320338, 2: 2.308974, 3: 2.300322, 5: 2.281966, 8: 2.254101, 14: 2.208951, 24: 2.144369,
    41: 2.036041, 69: 1.853142, 118: 1.510917, 200: 1.061239, 400: 0.6217, 600: 0.495534, 800: 0.42656,
}  # fmt: skip
B256 = {
    0: 2.328912, 1: 2.318445, 2: 2.309043, 3: 2.300724, 4: 2.292504, 5: 2.283362, 7: 2.268228, 10: 2.244273,
    13: 2.223092, 18: 2.188906, 25: 2.143434, 50: 1.982776, 75: 1.814205, 100: 1.63926,
}  # fmt: skip


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ("step", {50: 0.0055, 100: 0.0026}),
        ("epoch", {2: 1.982776 - 0.6217, 4: 1.63926 - 0.42656}),
        ("seconds", {0.5: 1.982776 - 1.853142, 1.0: 1.63926 - (1.510917 - (1.510917 - 1.061239) * 20 / 82)}),
    ],
)
def test_differences_are_taken_at_equal_values_of_the_axis_shown(x: str, expected: dict[float, float]) -> None:
    series = {}
    for label, losses, steps_per_epoch, steps_per_second in (("b32", B32, 200, 138), ("b256", B256, 25, 100)):
        step = np.array(list(losses))
        columns = {"step": step, "epoch": step / steps_per_epoch, "seconds": step / steps_per_second}
        columns |= {"val_loss": np.array(list(losses.values())), "val_accuracy": np.zeros(len(step))}
        series[label] = Series(columns, [columns])
    view = CurveSettings(x=x, baseline="b32", differences=True)
    (points,) = prepare_curve(series, VALIDATION_CURVES[0], view).lines.values()
    drawn = dict(zip(np.round(points.mean[0].astype(float), 3).tolist(), points.mean[1].tolist(), strict=True))
    assert {position: drawn[position] for position in expected} == pytest.approx(expected, abs=1e-4)
    assert points.end == pytest.approx(drawn[max(drawn)])


def run_of(losses: Sequence[float], digest: str = "run") -> RunCurves:
    """A run of an epoch of 100 steps, without evaluations."""
    steps = {name: column.to_numpy() for name, column in steps_of(losses).items()}
    evaluations = {name: np.zeros(0) for name in ("step", "epoch", "seconds", "val_loss", "val_accuracy")}
    return RunCurves(digest, 0.0, 100, len(losses), float(len(losses)), steps, evaluations)


@pytest.mark.parametrize("log_x", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.95])
def test_a_curve_does_not_depend_on_its_neighbors(smoothing: float, log_x: bool) -> None:
    losses = np.random.default_rng(3).gamma(2.0, size=20_000) / np.linspace(1, 5, 20_000)
    runs = {"first": [run_of(losses.tolist())], "second": [run_of([1.0, 2.0], "other")]}
    many = runs | {f"untrained {index}": [run_of([], str(index))] for index in range(7)}
    expected = smooth(losses.astype(np.float32), smoothing)
    ends = []
    for shown in (runs, many):
        view = CurveSettings(x="step", smoothing=smoothing, log_x=log_x)
        points = prepare_curves(shown, view)[0].lines["first"]
        x, y = points.mean
        np.testing.assert_array_equal(y, expected[x.astype(int) - 1])
        assert {y.min(), y.max()} == {expected.min(), expected.max()}
        ends.append((x[-1], y[-1]))
    assert ends == [(20_000, expected[-1])] * 2


def test_a_mean_over_seeds_is_of_their_smoothed_values() -> None:
    losses = np.random.default_rng(5).gamma(2.0, size=(3, 5_000))
    runs = [run_of(values.tolist(), str(seed)) for seed, values in enumerate(losses)]
    smoothed = np.array([smooth(values.astype(np.float32), 0.9) for values in losses], float)
    mean = training_series(runs, 0.9).mean
    np.testing.assert_allclose(mean["loss"], smoothed.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(mean["loss_sd"], smoothed.std(axis=0, ddof=1), rtol=1e-5)
    assert set(mean["loss_count"]) == {3}


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
