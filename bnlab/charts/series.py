"""Loss and accuracy over training as points for charts.

Every recorded step is thinned to few enough points for a screen, averaged over seeds, optionally reduced by a baseline,
and smoothed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Annotated, Any

import numpy as np
import pandas as pd
from cachetools import LRUCache, cached
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bnlab.runs.curves_cache import RunCurves
from bnlab.specs.choices import Choice, one_of

Floats = NDArray[np.float32]
Points = tuple[Floats, Floats]
Columns = Mapping[str, NDArray[Any]]
"""Arrays of equal length by name; a DataFrame would be too slow at every update of a live chart."""

MAX_POINTS = 150
MIN_POINTS = 50
MAX_TOTAL_POINTS = 1_500
CACHED_SERIES = 512
TRAINING_COLUMNS = ("loss", "accuracy")
VALIDATION_COLUMNS = ("val_loss", "val_accuracy")
THINNED_COLUMNS = tuple(f"{name}{end}" for name in TRAINING_COLUMNS for end in ("", "_low", "_high"))

X_AXES: dict[str, Choice] = {
    "epoch": Choice("Epochs", "How often every training image has been seen."),
    "step": Choice("Steps", "How many updates were made."),
    "seconds": Choice("Seconds", "Time spent in training steps, on the machine that trained."),
}


class CurveSettings(BaseModel):
    """The reader's settings of the curves; part of the page's URL.

    Raises:
        pydantic.ValidationError: a field is out of its bounds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    x: Annotated[str, AfterValidator(one_of(X_AXES))] = Field(
        "epoch", title="Against", description="What runs to the right.", json_schema_extra={"enum": list(X_AXES)}
    )
    smoothing: float = Field(
        0.6,
        ge=0,
        le=0.99,
        title="Smoothing",
        description="The weight of the past in the training curves' running average; the raw curve stays behind.",
    )
    log_x: bool = Field(False, title="Log x", description="Show the first steps as wide as the last epochs.")
    log_y: bool = Field(
        False,
        title="Log loss",
        description="Show losses on a logarithmic axis; not differences, which may be below zero.",
    )
    singles: bool = Field(False, title="Every seed", description="Draw each seed's own curve beside the mean.")
    baseline: str = Field(
        "", max_length=40, title="Baseline", description="The variant that the others are compared with, by its name."
    )
    differences: bool = Field(
        False, title="Differences", description="Draw each curve minus the baseline's instead of the curve."
    )
    projector: bool = Field(False, title="Projector", description="Large type and thick lines, for the last row.")


@dataclass(frozen=True)
class Curve:
    """One of the charts.

    Attributes:
        id: names the chart in URLs, caches and file names.
        column: the column that is drawn.
        title: the title on the page.
        is_fraction: whether its values are fractions, shown in percent.
        is_noisy: whether values are recorded at every step, and smoothed.
    """

    id: str
    column: str
    title: str
    is_fraction: bool
    is_noisy: bool


TRAINING_CURVES = (
    Curve("training-loss", "loss", "Training loss", False, True),
    Curve("training-accuracy", "accuracy", "Training accuracy", True, True),
)
VALIDATION_CURVES = (
    Curve("validation-loss", "val_loss", "Validation loss", False, False),
    Curve("validation-accuracy", "val_accuracy", "Validation accuracy", True, False),
)
CURVES = (*TRAINING_CURVES, *VALIDATION_CURVES)


@dataclass(frozen=True, eq=False)
class Series:
    """A variant's columns: the mean over its seeds (see `average_seeds`), and each seed's.

    Compared by identity: the same runs at the same steps share one cached object.
    """

    mean: Columns
    seeds: Sequence[Columns]

    def __len__(self) -> int:
        """The number of points of the mean."""
        return len(self.mean["step"])


@dataclass(frozen=True, eq=False)
class SeriesPoints:
    """One variant's points on the chosen x axis, without those that the axes cannot show.

    Attributes:
        mean: the line.
        band: the mean minus and plus the seeds' standard deviation; None for one seed.
        raw: the values before smoothing; None if they are not drawn.
        seeds: each seed's line; empty unless `settings.singles` and there are several.
        x, epochs: of all points of the mean, also those that the axes cannot show.
        end: the last value before smoothing, possibly not finite; None if there is none.
    """

    mean: Points
    band: tuple[Points, Points] | None
    raw: Points | None
    seeds: Sequence[Points]
    x: NDArray[Any]
    epochs: NDArray[np.float64]
    end: float | None


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
    """

    curve: Curve
    settings: CurveSettings
    lines: Mapping[str, SeriesPoints]
    is_difference: bool
    has_points: bool
    has_finite: bool


def prepare_curves(runs: Mapping[str, Sequence[RunCurves]], settings: CurveSettings) -> list[CurveData]:
    """The data of each of `CURVES`; `runs` maps each variant's label to its runs, one per seed."""
    training = {label: training_series(seeds, len(runs)) for label, seeds in runs.items()}
    validation = {label: validation_series(seeds) for label, seeds in runs.items()}
    return [prepare_curve(training if curve.is_noisy else validation, curve, settings) for curve in CURVES]


def prepare_curve(series: Mapping[str, Series], curve: Curve, settings: CurveSettings) -> CurveData:
    """The data of one chart; `series` by the variants' labels."""
    is_difference = settings.differences and settings.baseline in series
    log_y = settings.log_y and not (curve.is_fraction or is_difference)
    settings = settings.model_copy(update={"log_y": log_y})
    drawn = _differences(series, curve, settings) if is_difference else series
    means = [variant.mean for variant in series.values() if len(variant)]
    return CurveData(
        curve,
        settings,
        {label: _points(variant, curve, settings) for label, variant in drawn.items()},
        is_difference,
        has_points=bool(means),
        has_finite=any(np.isfinite(mean[curve.column]).any() for mean in means),
    )


# Series of runs


def training_series(runs: Sequence[RunCurves], variants: int) -> Series:
    """Training loss and accuracy of one variant's runs, thinned for a chart of `variants` lines."""
    return _training_series(runs, steps_per_point(max((run.step for run in runs), default=0), max_points(variants)))


def _training_key(runs: Sequence[RunCurves], stride: int) -> tuple[object, ...]:
    return stride, *((run.digest, run.created_at, run.step) for run in runs)


@cached(LRUCache(CACHED_SERIES), key=_training_key, lock=Lock())
def _training_series(runs: Sequence[RunCurves], stride: int) -> Series:
    return _series([_thin_run(run, stride) for run in runs], THINNED_COLUMNS)


def _validation_key(runs: Sequence[RunCurves]) -> tuple[object, ...]:
    return tuple((run.digest, run.created_at, len(run.evaluations["step"])) for run in runs)


@cached(LRUCache(CACHED_SERIES), key=_validation_key, lock=Lock())
def validation_series(runs: Sequence[RunCurves]) -> Series:
    """Validation loss and accuracy of one variant's runs."""
    return _series([run.evaluations for run in runs], VALIDATION_COLUMNS)


def _series(seeds: Sequence[Columns], names: Sequence[str]) -> Series:
    empty = dict.fromkeys(["step", "epoch", "seconds", *names], np.empty(0))
    return Series(average_seeds(seeds, names) if seeds else empty, seeds)


def _thin_run(run: RunCurves, stride: int) -> Columns:
    """A run's thinned columns with epoch and seconds; seconds are interpolated between two evaluations."""
    columns = thin_columns(run.steps, stride)
    # The last evaluation may be newer than the run's step: neither steps nor seconds may decrease.
    steps = np.maximum.accumulate(np.append(run.evaluations["step"], run.step))
    seconds = np.maximum.accumulate(np.append(run.evaluations["seconds"], run.seconds))
    step = columns["step"]
    return columns | {"epoch": step / run.steps_per_epoch, "seconds": np.interp(step, steps, seconds)}


# Thinning


def max_points(variants: int) -> int:
    """The number of points that each of `variants` lines may have, so that the whole chart stays light.

    Behind a line two more of its size are drawn: the lowest and highest value at each point, or a band.
    """
    return int(np.clip(MAX_TOTAL_POINTS // (3 * max(variants, 1)), MIN_POINTS, MAX_POINTS))


def steps_per_point(steps: int, points: int) -> int:
    """The stride that thins `steps` to at most `points`: one of 1, 2, 3, 4, 6, 8, 12, 16, 24 and so on.

    Strides grow in large ratios, so that a growing curve rarely changes all its points.
    """
    stride = 1
    while steps > stride * points:
        stride = stride * 4 // 3 if stride % 3 == 0 else max(stride * 3 // 2, stride + 1)
    return stride


def thin_columns(steps: Columns, stride: int) -> dict[str, NDArray[Any]]:
    """Columns step, loss, accuracy and each one's _low and _high: mean, minimum and maximum of every `stride` steps.

    `steps` has the columns step, loss, accuracy, one entry per step. A point has the last of its steps; an incomplete
    last group of steps is left out.
    """
    complete = len(steps["step"]) // stride * stride
    columns = {"step": steps["step"][stride - 1 : complete : stride]}
    for name in TRAINING_COLUMNS:
        values = steps[name][:complete].reshape(-1, stride)
        with np.errstate(invalid="ignore"):  # infinities of both signs have no mean
            columns[name] = values.mean(axis=1, dtype=np.float64).astype(np.float32)
        columns[f"{name}_low"], columns[f"{name}_high"] = values.min(axis=1), values.max(axis=1)
    return columns


# Averages over seeds


def average_seeds(seeds: Sequence[Columns], names: Sequence[str]) -> Columns:
    """Columns step, epoch, seconds and `names`: each the mean over the seeds that have a value, and its _sd.

    Every seed has the columns step (sorted), epoch, seconds and `names`. Values that are not finite are left out.
    After a seed's end, seconds continue at the pace of the others, so that they never decrease. A single seed is
    returned unchanged, without _sd.
    """
    if len(seeds) == 1:
        return seeds[0]
    steps = np.unique(np.concatenate([seed["step"] for seed in seeds]))
    positions = [np.searchsorted(steps, seed["step"]) for seed in seeds]

    def over_seeds(columns: Sequence[NDArray[Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        table = np.full((len(seeds), len(steps)), np.nan)
        for row, position, column in zip(table, positions, columns, strict=True):
            row[position] = column
        return _mean_and_sd(table)

    paces, _ = over_seeds([np.diff(seed["seconds"], prepend=0.0) for seed in seeds])
    epochs, _ = over_seeds([seed["epoch"] for seed in seeds])
    statistics = {name: over_seeds([seed[name] for seed in seeds]) for name in names}
    means = {name: mean for name, (mean, _) in statistics.items()}
    deviations = {f"{name}_sd": deviation for name, (_, deviation) in statistics.items()}
    return {"step": steps, "epoch": epochs, "seconds": paces.cumsum(), **means, **deviations}


def _mean_and_sd(table: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and sample standard deviation of each column's finite values; NaN where there are too few."""
    finite = np.isfinite(table)
    count = finite.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(finite, table, 0.0).sum(axis=0) / count
        squares = np.where(finite, table - mean, 0.0) ** 2
        return mean, np.sqrt(squares.sum(axis=0) / np.where(count > 1, count - 1, np.nan))


# Differences to the baseline


def _differences(series: Mapping[str, Series], curve: Curve, settings: CurveSettings) -> dict[str, Series]:
    """The other variants minus the baseline, which would be the line at zero that the axis has."""
    along = "seconds" if settings.x == "seconds" else "epoch"
    baseline = series[settings.baseline]
    others = {label: variant for label, variant in series.items() if label != settings.baseline}
    return {label: _difference(variant, baseline, curve.column, along) for label, variant in others.items()}


@lru_cache(maxsize=CACHED_SERIES)
def _difference(series: Series, baseline: Series, column: str, along: str) -> Series:
    def difference(columns: Columns) -> Columns:
        names = [name for name in (column, f"{column}_low", f"{column}_high") if name in columns]
        subtrahend = {**baseline.mean, **dict.fromkeys(names, baseline.mean[column])}
        return subtract_baseline(columns, subtrahend, names, along)

    return Series(difference(series.mean), [difference(seed) for seed in series.seeds])


def subtract_baseline(columns: Columns, baseline: Columns, names: Sequence[str], along: str) -> Columns:
    """`columns` with the baseline subtracted from `names`, interpolated at equal `along` ("epoch" or "seconds").

    Points before the baseline's first and after its last are left out. Standard deviations are the variant's.
    """
    x, baseline_x = columns[along], baseline[along]
    covered = (x >= baseline_x[0]) & (x <= baseline_x[-1]) if len(baseline_x) else np.zeros(len(x), bool)
    result = {name: values[covered] for name, values in columns.items()}
    if not len(baseline_x):
        return result
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        return result | {n: result[n] - np.interp(result[along], baseline_x, baseline[n]) for n in names}


# Points


@lru_cache(maxsize=CACHED_SERIES)
def _points(series: Series, curve: Curve, settings: CurveSettings) -> SeriesPoints:
    mean, several = series.mean, len(series.seeds) > 1
    has_raw = not several and curve.is_noisy and settings.smoothing > 0 and not settings.differences
    return SeriesPoints(
        mean=_line_points(mean, curve, settings),
        band=_band_points(mean, curve, settings) if several else None,
        raw=_raw_points(mean, curve, settings) if has_raw else None,
        seeds=[_line_points(seed, curve, settings) for seed in series.seeds] if several and settings.singles else [],
        x=mean[settings.x],
        epochs=mean["epoch"],
        end=float(mean[curve.column][-1]) if len(series) else None,
    )


def _line_points(columns: Columns, curve: Curve, settings: CurveSettings) -> Points:
    x, y = _to_float32(columns[settings.x]), _smooth_column(columns, curve, settings)
    return _drawable_points(x, y, settings)


def _band_points(mean: Columns, curve: Curve, settings: CurveSettings) -> tuple[Points, Points]:
    """The mean minus and plus the seeds' standard deviation; on a logarithmic axis, at most a decade down."""
    x, y = _to_float32(mean[settings.x]), _smooth_column(mean, curve, settings)
    deviations = _to_float32(mean[f"{curve.column}_sd"])
    spread = np.where(np.isnan(deviations), np.float32(0), deviations)
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = y - spread, y + spread
    if settings.log_y:
        low = np.maximum(low, y / 10)
    drawable = _is_drawable(x, low, settings) & np.isfinite(high)
    return (x[drawable], low[drawable]), (x[drawable], high[drawable])


def _raw_points(mean: Columns, curve: Curve, settings: CurveSettings) -> Points:
    """The lowest and the highest value of each point's steps, so that thinning loses no peak."""
    ends = mean[settings.x]
    middles = ends - np.diff(ends, prepend=0.0) / 2
    x = _to_float32(np.column_stack([middles, ends]).ravel())
    y = _to_float32(np.column_stack([mean[f"{curve.column}_low"], mean[f"{curve.column}_high"]]).ravel())
    return _drawable_points(x, y, settings)


def _smooth_column(columns: Columns, curve: Curve, settings: CurveSettings) -> Floats:
    values = _to_float32(columns[curve.column])
    return smooth(values, settings.smoothing) if curve.is_noisy else values


def smooth(values: Floats, weight: float) -> Floats:
    """The exponentially weighted mean of `values` with bias correction; `weight` is that of the past, in [0, 1).

    As TensorBoard smooths, and as Adam corrects its averages (Kingma and Ba 2015, section 3). Values that are not
    finite are left out of the average and are NaN in the result.
    """
    if weight == 0 or values.size == 0:
        return values
    known = pd.Series(values, dtype=float).where(np.isfinite(values))
    averages = known.ewm(alpha=1 - weight, adjust=True, ignore_na=False).mean().where(known.notna())
    return averages.to_numpy(np.float32)


def _to_float32(values: NDArray[np.generic]) -> Floats:
    """The values in the precision of charts; those too large for it are infinite, and not drawn."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _drawable_points(x: Floats, y: Floats, settings: CurveSettings) -> Points:
    drawable = _is_drawable(x, y, settings)
    return x[drawable], y[drawable]


def _is_drawable(x: Floats, y: Floats, settings: CurveSettings) -> NDArray[np.bool_]:
    """Whether the axes can show each point."""
    return np.isfinite(y) & ((x > 0) | (not settings.log_x))
