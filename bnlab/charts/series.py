"""Loss and accuracy over training as points for charts.

Training values are smoothed over all recorded steps, averaged over seeds, optionally reduced by a baseline, and only
then thinned to few enough points for a screen: a drawn value depends neither on the other curves nor on how many
points are drawn.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd
from cachetools import LRUCache, cached
from numpy.typing import NDArray

from bnlab.charts.curve_settings import TRAINING_CURVES, VALIDATION_CURVES, Curve, CurveSettings, evaluated_curve
from bnlab.charts.latest_cache import latest_cached
from bnlab.runs.curves_cache import RunCurves
from bnlab.runs.thinning import thin
from bnlab.training.records import evaluation_columns

Floats = NDArray[np.float32]
Points = tuple[Floats, Floats]
Columns = Mapping[str, NDArray[Any]]
"""Arrays of equal length by name; a DataFrame would be too slow at every update of a live chart."""

MAX_POINTS = 180
MIN_POINTS = 60
MAX_TOTAL_POINTS = 1_500
CACHED_POINTS = 512
"""The capacity of the cache of points, in lines."""
CACHED_VALUES = 8_000_000
"""The capacities of the caches of smoothed runs and of series, in steps of all of their seeds and means together."""
MAX_CONTINUED = 2_000
"""How many values are smoothed one by one; more are quicker as a whole."""
TRAINING_COLUMNS = ("loss", "accuracy")
VALIDATION_COLUMNS = evaluation_columns("validation", "moving")


@dataclass(frozen=True, eq=False)
class Series:
    """A variant's columns: the mean over its seeds (see `average_seeds`), and each seed's.

    Attributes:
        mean, seeds: the columns; training values are smoothed, and as recorded in those that end in _raw.
        diverged: the step of each seed whose training loss is no longer a number.
        key: equal for series of the same runs at the same steps; keys of caches, which need not keep the columns.
    """

    mean: Columns
    seeds: Sequence[Columns]
    diverged: Sequence[int] = ()
    key: Hashable = field(default_factory=object)

    def __len__(self) -> int:
        """The number of points of the mean."""
        return len(self.mean["step"])


@dataclass(frozen=True, eq=False)
class SeriesPoints:
    """One variant's points on the chosen x axis, without those that the axes cannot show.

    Attributes:
        mean: the line.
        epochs: the epoch of each of its points.
        counts: the number of seeds in each of its points; None for one seed.
        baseline_counts: the number of the baseline's seeds in what is subtracted from each of its points; None if
            nothing is, or for one seed.
        band: the mean minus and plus the seeds' standard deviation; None for one seed.
        raw: the values before smoothing; None if they are not drawn.
        seeds: each seed's line; empty unless `settings.singles` and there are several.
        end: the last value, possibly not finite; None if there is none.
        seed_count: the number of seeds.
        baseline_seed_count: the number of the baseline's seeds; 0 if nothing is subtracted.
        diverged: the step of each seed whose training loss is no longer a number.
    """

    mean: Points
    epochs: NDArray[np.float64]
    counts: NDArray[np.intp] | None
    baseline_counts: NDArray[np.intp] | None
    band: tuple[Points, Points] | None
    raw: Points | None
    seeds: Sequence[Points]
    end: float | None
    seed_count: int
    baseline_seed_count: int
    diverged: Sequence[int]


@dataclass(frozen=True)
class CurveData:
    """The data of one chart.

    Attributes:
        curve: the chart.
        settings: the settings in effect: accuracies and differences have no logarithmic axis.
        lines: the variants' points by label; without the baseline if they are differences to it.
        is_difference: whether `lines` are differences to the baseline.
        has_points: whether any variant has recorded values.
        has_finite: whether any recorded value is finite.
        was_evaluated: whether any run was evaluated, be it in another way than the chosen one.
        baseline_diverged: the step of each seed of the baseline whose training loss is no longer a number.
        baseline_seed_count: the number of the baseline's seeds; 0 if `lines` are no differences.
    """

    curve: Curve
    settings: CurveSettings
    lines: Mapping[str, SeriesPoints]
    is_difference: bool
    has_points: bool
    has_finite: bool
    was_evaluated: bool = False
    baseline_diverged: Sequence[int] = ()
    baseline_seed_count: int = 0

    @property
    def is_default(self) -> bool:
        """Whether it shows values that every run has."""
        return self.curve.is_noisy or self.settings.shows_default_evaluation


def prepare_curves(runs: Mapping[str, Sequence[RunCurves]], settings: CurveSettings) -> list[CurveData]:
    """The data of each of `CURVES`; `runs` maps each variant's label to its runs, one per seed."""
    training = {label: training_series(seeds, settings.smoothing) for label, seeds in runs.items()}
    columns = evaluation_columns(settings.images, settings.statistics)
    validation = {label: validation_series(seeds, columns) for label, seeds in runs.items()}
    was_evaluated = any(len(run.evaluations["step"]) for seeds in runs.values() for run in seeds)
    evaluated = [
        replace(prepare_curve(validation, evaluated_curve(curve, settings), settings), was_evaluated=was_evaluated)
        for curve in VALIDATION_CURVES
    ]
    return [*(prepare_curve(training, curve, settings) for curve in TRAINING_CURVES), *evaluated]


def prepare_curve(series: Mapping[str, Series], curve: Curve, settings: CurveSettings) -> CurveData:
    """The data of one chart; `series` by the variants' labels."""
    is_difference = settings.differences and settings.baseline in series
    log_y = settings.log_y and not (curve.is_fraction or is_difference)
    settings = settings.model_copy(update={"log_y": log_y})
    baseline = series[settings.baseline] if is_difference else None
    drawn = {label: variant for label, variant in series.items() if variant is not baseline}
    means = [variant.mean for variant in series.values() if len(variant)]
    count = max_points(len(series))
    return CurveData(
        curve,
        settings,
        {label: _points(variant, baseline, curve, settings, count) for label, variant in drawn.items()},
        is_difference,
        has_points=bool(means),
        has_finite=any(np.isfinite(mean[curve.column]).any() for mean in means),
        baseline_diverged=() if baseline is None else baseline.diverged,
        baseline_seed_count=0 if baseline is None else len(baseline.seeds),
    )


# Series of runs


def _size(series: Series) -> int:
    return 1 + len(series) + sum(len(seed["step"]) for seed in series.seeds)


def _run_subject(run: RunCurves) -> tuple[object, ...]:
    return run.digest, run.created_at


def _run_version(run: RunCurves) -> tuple[object, ...]:
    return run.step, len(run.evaluations["step"])


def _training_subject(runs: Sequence[RunCurves], smoothing: float) -> tuple[object, ...]:
    return "training", smoothing, *map(_run_subject, runs)


def _training_version(runs: Sequence[RunCurves], _smoothing: float) -> tuple[object, ...]:
    return tuple(map(_run_version, runs))


@latest_cached(CACHED_VALUES, _size, _training_subject, _training_version)
def training_series(runs: Sequence[RunCurves], smoothing: float) -> Series:
    """Loss and accuracy of one variant's runs at every training step, smoothed (see `smooth`)."""
    seeds = [_smooth_run(run, smoothing) for run in runs]
    key = _training_subject(runs, smoothing), _training_version(runs, smoothing)
    return _series(runs, seeds, TRAINING_COLUMNS, key)


def _validation_subject(runs: Sequence[RunCurves], names: tuple[str, ...] = VALIDATION_COLUMNS) -> tuple[object, ...]:
    return "validation", names, *map(_run_subject, runs)


def _validation_version(runs: Sequence[RunCurves], _names: tuple[str, ...] = VALIDATION_COLUMNS) -> tuple[object, ...]:
    return tuple((len(run.evaluations["step"]), _diverged_step(run)) for run in runs)


@latest_cached(CACHED_VALUES, _size, _validation_subject, _validation_version)
def validation_series(runs: Sequence[RunCurves], names: tuple[str, ...] = VALIDATION_COLUMNS) -> Series:
    """Loss and accuracy, the columns `names`, of one variant's runs, at every evaluation.

    Runs that are not evaluated so have no points.
    """
    evaluations = [_evaluated(run.evaluations, names) for run in runs]
    key = _validation_subject(runs, names), _validation_version(runs, names)
    return _series(runs, evaluations, names, key)


def _evaluated(evaluations: Columns, names: tuple[str, ...]) -> Columns:
    """A run's columns; without rows if it was never evaluated so."""
    if names == VALIDATION_COLUMNS:
        return evaluations
    if all(name in evaluations and not np.isnan(evaluations[name]).all() for name in names):
        return evaluations
    shared = {name: evaluations.get(name, np.empty(0)) for name in ("step", "epoch", "seconds", *names)}
    return {name: values[:0] for name, values in shared.items()}


def _series(runs: Sequence[RunCurves], seeds: Sequence[Columns], names: Sequence[str], key: Hashable) -> Series:
    columns = ["step", "epoch", "seconds", *names, *(f"{name}_raw" for name in names)]
    empty = dict.fromkeys(columns, np.empty(0))
    diverged = [step for run in runs if (step := _diverged_step(run)) is not None]
    return Series(average_seeds(seeds, names) if seeds else empty, seeds, diverged, key)


def _diverged_step(run: RunCurves) -> int | None:
    """The step at which the run's training loss was no longer a number; None if it is one."""
    steps = run.steps["step"]
    return int(steps[-1]) if len(steps) and not np.isfinite(run.steps["loss"][-1]) else None


@latest_cached(
    CACHED_VALUES,
    lambda columns: 1 + len(columns["step"]),
    lambda run, smoothing: (smoothing, *_run_subject(run)),
    lambda run, _smoothing: _run_version(run),
)
def _smooth_run(run: RunCurves, smoothing: float) -> Columns:
    """A run's training columns with epoch and seconds; seconds are interpolated between two evaluations."""
    # The last evaluation may be newer than the run's step: neither steps nor seconds may decrease.
    steps = np.maximum.accumulate(np.append(run.evaluations["step"], run.step))
    seconds = np.maximum.accumulate(np.append(run.evaluations["seconds"], run.seconds))
    step, key = run.steps["step"], (smoothing, *_run_subject(run))
    with _smoothed_lock:
        before = _smoothed.get(key)
    columns = smooth_columns(run.steps, smoothing, before)
    with _smoothed_lock:
        _smoothed[key] = columns
    return columns | {
        "epoch": step / run.steps_per_epoch,
        "seconds": np.interp(step, steps, seconds),
    }


_smoothed: LRUCache[Hashable, Columns] = LRUCache(CACHED_VALUES, getsizeof=lambda columns: 1 + len(columns["step"]))
"""The last result of `smooth_columns` of a run, which its next one continues."""
_smoothed_lock = Lock()


def smooth_columns(steps: Columns, smoothing: float, before: Columns | None = None) -> dict[str, NDArray[Any]]:
    """Columns step, and of loss and accuracy the smoothed values and, ending in _raw, the recorded ones.

    `before` is the result for the first of these steps.
    """
    values = {name: _to_float32(steps[name]) for name in TRAINING_COLUMNS}
    smoothed = {
        name: smooth(column, smoothing, None if before is None else before[name]) for name, column in values.items()
    }
    return {"step": steps["step"], **smoothed, **{f"{name}_raw": column for name, column in values.items()}}


def smooth(values: Floats, weight: float, before: Floats | None = None) -> Floats:
    """The exponentially weighted mean of `values` with bias correction; `weight` is that of the past, in [0, 1).

    As TensorBoard smooths, and as Adam corrects its averages (Kingma and Ba 2015, section 3). Values that are not
    finite are left out of the average and are NaN in the result. `before` is the result for the first of `values`, and
    makes the result for a few more quick.
    """
    if weight == 0 or values.size == 0:
        return values
    is_longer = before is not None and len(before) > 0 and 0 <= len(values) - len(before) <= MAX_CONTINUED
    if before is not None and is_longer and np.isfinite(values).all():
        return np.append(before, _continued(float(before[-1]), len(before), values[len(before) :], weight))
    known = pd.Series(values, dtype=float).where(np.isfinite(values))
    averages = known.ewm(alpha=1 - weight, adjust=True, ignore_na=False).mean().where(known.notna())
    return averages.to_numpy(np.float32)


def _continued(average: float, count: int, values: Floats, weight: float) -> Floats:
    """The bias-corrected averages at each of `values`, which follow `count` others with this `average`."""
    total = (1 - weight**count) / (1 - weight)  # of the weights
    averages = []
    for value in values.tolist():
        average = (weight * total * average + value) / (weight * total + 1)
        total = weight * total + 1
        averages.append(average)
    return np.array(averages, np.float32)


# Averages over seeds


def average_seeds(seeds: Sequence[Columns], names: Sequence[str]) -> Columns:
    """Columns step, epoch, seconds and `names`: each the mean over the seeds that have a value.

    Each name's sample standard deviation over these seeds and their number are in the columns that end in _sd and
    _count. Every seed has the columns step (sorted), epoch, seconds and `names`. Values that are not finite are left
    out. After a seed's end, seconds continue at the pace of the others, so that they never decrease. A single seed is
    returned unchanged, without _sd and _count.
    """
    if len(seeds) == 1:
        return seeds[0]
    steps, positions = _common_steps([seed["step"] for seed in seeds])

    def over_seeds(columns: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.intp]]:
        return _mean_and_sd(columns, positions, len(steps))

    paces, *_ = over_seeds([np.diff(seed["seconds"], prepend=0.0) for seed in seeds])
    epochs, *_ = over_seeds([seed["epoch"] for seed in seeds])
    average = {"step": steps, "epoch": epochs, "seconds": paces.cumsum()}
    for name in names:
        statistics = over_seeds([seed[name] for seed in seeds])
        average |= dict(zip((name, f"{name}_sd", f"{name}_count"), statistics, strict=True))
    return average


def _common_steps(steps: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], Sequence[slice | NDArray[np.intp]]]:
    """The steps that any seed has, and the positions of each seed's steps among them."""
    longest = max(steps, key=len)
    if all(np.array_equal(seed, longest[: len(seed)]) for seed in steps):  # as a rule, and much faster
        return longest, [slice(len(seed)) for seed in steps]
    common = np.unique(np.concatenate(steps))
    return common, [np.searchsorted(common, seed) for seed in steps]


def _mean_and_sd(
    columns: Sequence[NDArray[Any]], positions: Sequence[slice | NDArray[np.intp]], length: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Mean, sample standard deviation and number of the finite values at each position; NaN where there are too few."""
    total, squares, count = np.zeros(length), np.zeros(length), np.zeros(length, np.intp)
    for column, position in zip(columns, positions, strict=True):
        finite = np.isfinite(column)
        total[position] += np.where(finite, column, 0.0)
        count[position] += finite
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / count
        for column, position in zip(columns, positions, strict=True):
            squares[position] += np.where(np.isfinite(column), column - mean[position], 0.0) ** 2
        return mean, np.sqrt(squares / np.where(count > 1, count - 1, np.nan)), count


# Differences to the baseline


def subtract_baseline(columns: Columns, baseline: Columns, names: Sequence[str], along: str) -> Columns:
    """`columns` with the baseline subtracted from `names` at equal values of the x axis `along`, one of `X_AXES`.

    Between two of its points the baseline is interpolated linearly. Points before its first and after its last are
    left out: there is nothing to compare with. Standard deviations and counts are the variant's; if the baseline has
    counts, the columns that end in _baseline_count are the numbers of its seeds in what is subtracted: between two of
    its points the smaller number.
    """
    x, baseline_x = columns[along], baseline[along]
    covered = (x >= baseline_x[0]) & (x <= baseline_x[-1]) if len(baseline_x) else np.zeros(len(x), bool)
    result = {name: values[covered] for name, values in columns.items()}
    if not len(baseline_x):
        return result
    after = np.searchsorted(baseline_x, result[along], side="left")
    before = np.searchsorted(baseline_x, result[along], side="right") - 1
    counts = {f"{n}_baseline_count": baseline[f"{n}_count"] for n in names if f"{n}_count" in baseline}
    result |= {n: np.minimum(numbers[before], numbers[after]) for n, numbers in counts.items()}
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        return result | {n: result[n] - np.interp(result[along], baseline_x, baseline[n]) for n in names}


# Points


def _points_key(series: Series, baseline: Series | None, *options: Hashable) -> tuple[object, ...]:
    return series.key, None if baseline is None else baseline.key, *options


@cached(LRUCache(CACHED_POINTS), key=_points_key, lock=Lock())
def _points(
    series: Series, baseline: Series | None, curve: Curve, settings: CurveSettings, max_points: int
) -> SeriesPoints:
    def relative(columns: Columns) -> Columns:
        if baseline is None:
            return columns
        return subtract_baseline(columns, baseline.mean, [curve.column], settings.x)

    def drawn(columns: Columns, y: NDArray[Any], keep: NDArray[np.bool_] | None = None) -> NDArray[np.intp]:
        return _drawn_positions(columns[settings.x], y, settings, max_points, keep)

    def line(columns: Columns, y: NDArray[Any]) -> Points:
        positions = drawn(columns, y)
        return _to_float32(columns[settings.x][positions]), _to_float32(y[positions])

    mean, several = relative(series.mean), len(series.seeds) > 1
    values = mean[curve.column]
    has_raw = not several and curve.is_noisy and settings.smoothing > 0 and not settings.differences
    counts = mean[f"{curve.column}_count"] if several else None
    baseline_counts = mean.get(f"{curve.column}_baseline_count")
    positions = drawn(mean, values, _any_changes(counts, baseline_counts))
    low, high = _band(mean, curve, settings) if several else (values, values)
    seeds = series.seeds if several and settings.singles else ()
    return SeriesPoints(
        mean=(_to_float32(mean[settings.x][positions]), _to_float32(values[positions])),
        epochs=mean["epoch"][positions],
        counts=None if counts is None else counts[positions],
        baseline_counts=None if baseline_counts is None else baseline_counts[positions],
        band=(line(mean, low), line(mean, high)) if several else None,
        raw=line(mean, mean[f"{curve.column}_raw"]) if has_raw else None,
        seeds=[line(columns, columns[curve.column]) for columns in map(relative, seeds)],
        end=float(values[-1]) if len(values) else None,
        seed_count=len(series.seeds),
        baseline_seed_count=0 if baseline is None else len(baseline.seeds),
        diverged=series.diverged,
    )


def _band(mean: Columns, curve: Curve, settings: CurveSettings) -> tuple[NDArray[Any], NDArray[Any]]:
    """The mean minus and plus the seeds' standard deviation; on a logarithmic axis, at most a decade down."""
    values, deviations = mean[curve.column], np.nan_to_num(mean[f"{curve.column}_sd"], nan=0.0)
    low, high = values - deviations, values + deviations
    low = np.maximum(low, values / 10) if settings.log_y else low
    is_drawn = np.isfinite(_to_float32(low)) & np.isfinite(_to_float32(high))
    return np.where(is_drawn, low, np.nan), np.where(is_drawn, high, np.nan)


def _any_changes(*counts: NDArray[np.intp] | None) -> NDArray[np.bool_] | None:
    """Whether any of the `counts` changes at each point; None if there are none."""
    changes = [_changes(numbers) for numbers in counts if numbers is not None]
    return np.logical_or.reduce(changes) if changes else None


def _changes(counts: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether each point is the last with its number of seeds, or the first."""
    changed = np.diff(counts) != 0
    ends: NDArray[np.bool_] = np.append(changed, False) | np.insert(changed, 0, False)
    return ends if len(counts) else changed


def _drawn_positions(
    x: NDArray[Any],
    y: NDArray[Any],
    settings: CurveSettings,
    max_points: int,
    keep: NDArray[np.bool_] | None,
) -> NDArray[np.intp]:
    """The positions of the points that are drawn: those that the axes can show, thinned, and those of `keep`."""
    shown = np.flatnonzero(np.isfinite(_to_float32(y)) & ((x > 0) | (not settings.log_x)))
    thinned = shown[thin(y[shown], max_points, log=settings.log_x)]
    return thinned if keep is None or len(thinned) == len(shown) else np.union1d(thinned, shown[keep[shown]])


def _to_float32(values: NDArray[Any]) -> Floats:
    """The values in the precision of charts; those too large for it are infinite, and not drawn."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32, copy=False)


# Thinning


def max_points(variants: int) -> int:
    """The number of points that each of `variants` lines may have, so that the whole chart stays light.

    Behind a line two more of its size are drawn at most: the two edges of a band.
    """
    return int(np.clip(MAX_TOTAL_POINTS // (3 * max(variants, 1)), MIN_POINTS, MAX_POINTS))
