"""Loss and accuracy over training, as the points that a chart shows of them.

From every recorded step to few enough points for a screen: thinned, averaged over seeds, as differences to a baseline,
smoothed.
"""

from collections.abc import Iterable, Mapping, Sequence
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
"""Arrays of one length by name: what a DataFrame would hold, without what it costs at every update."""

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
    """What can be set about the curves; part of the page's address.

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
        id: names the chart in addresses and caches, and as a file.
        column: the column that it draws.
        title: what it is called on the page.
        is_fraction: whether its values are fractions, shown in percent.
        is_noisy: whether it is recorded at every step, and so is smoothed.
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
    """A variant's columns: the mean over its seeds (see `seeds_columns`), and each seed's own.

    The same runs at the same steps give the same object, from which nothing is computed twice.
    """

    mean: Columns
    seeds: Sequence[Columns]

    def __len__(self) -> int:
        """How many points the mean has."""
        return len(self.mean["step"])


@dataclass(frozen=True, eq=False)
class SeriesPoints:
    """What a chart shows of one variant, on the chosen x axis. Points that an axis cannot show are left out.

    Attributes:
        mean: the line.
        band: the mean minus and plus the seeds' standard deviation; None for one seed.
        raw: what the smoothed line was made of; None where there is nothing behind it.
        seeds: each seed's own line; empty unless they are asked for and there are several.
        x, epochs: of all points of the mean, also of those that cannot be shown.
        end: the last value before smoothing, which may not be finite; None where there is none.
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
    """What one chart shows.

    Attributes:
        curve: which chart it is.
        settings: as they hold for this chart: accuracies and differences have no logarithmic axis.
        lines: by label, what is drawn; without the baseline where differences to it are.
        is_difference: whether `lines` are differences to the baseline.
        has_points: whether anything has been recorded of any variant.
        has_finite: whether any of it is finite.
    """

    curve: Curve
    settings: CurveSettings
    lines: Mapping[str, SeriesPoints]
    is_difference: bool
    has_points: bool
    has_finite: bool


def prepare_curves(runs: Mapping[str, Sequence[RunCurves]], settings: CurveSettings) -> list[CurveData]:
    """What each of `CURVES` shows; `runs` maps each variant's label to its runs, one a seed."""
    training = {label: training_series(seeds, len(runs)) for label, seeds in runs.items()}
    validation = {label: validation_series(seeds) for label, seeds in runs.items()}
    return [prepare_curve(training if curve.is_noisy else validation, curve, settings) for curve in CURVES]


def prepare_curve(series: Mapping[str, Series], curve: Curve, settings: CurveSettings) -> CurveData:
    """What one chart shows of `series`, by label."""
    is_difference = settings.differences and settings.baseline in series
    log_y = settings.log_y and not (curve.is_fraction or is_difference)
    settings = settings.model_copy(update={"log_y": log_y})
    drawn = _differences(series, curve, settings) if is_difference else series
    means = [own.mean for own in series.values() if len(own)]
    return CurveData(
        curve,
        settings,
        {label: _points(own, curve, settings) for label, own in drawn.items()},
        is_difference,
        has_points=bool(means),
        has_finite=any(np.isfinite(mean[curve.column]).any() for mean in means),
    )


def training_series(runs: Sequence[RunCurves], variants: int) -> Series:
    """Training loss and accuracy of one variant's runs, thinned to what each of `variants` lines may have."""
    stretch = steps_per_point(max((run.step for run in runs), default=0), max_points(variants))
    return _training_series(runs, stretch)


def _training_key(runs: Sequence[RunCurves], stretch: int) -> tuple[object, ...]:
    return stretch, *((run.digest, run.created_at, run.step) for run in runs)


@cached(LRUCache(CACHED_SERIES), key=_training_key, lock=Lock())
def _training_series(runs: Sequence[RunCurves], stretch: int) -> Series:
    return _series([_thinned(run, stretch) for run in runs], THINNED_COLUMNS)


def _validation_key(runs: Sequence[RunCurves]) -> tuple[object, ...]:
    return tuple((run.digest, run.created_at, len(run.evaluations["step"])) for run in runs)


@cached(LRUCache(CACHED_SERIES), key=_validation_key, lock=Lock())
def validation_series(runs: Sequence[RunCurves]) -> Series:
    """Validation loss and accuracy of one variant's runs."""
    return _series([run.evaluations for run in runs], VALIDATION_COLUMNS)


def _series(seeds: Sequence[Columns], names: Sequence[str]) -> Series:
    return Series(average_seeds(seeds, names) if seeds else _empty(names), seeds)


def _empty(names: Iterable[str]) -> Columns:
    return dict.fromkeys(["step", "epoch", "seconds", *names], np.empty(0))


def _thinned(run: RunCurves, stretch: int) -> Columns:
    """With epoch and seconds; the seconds between two evaluations are taken as evenly spent."""
    columns = thin_columns(run.steps, stretch)
    # The last evaluation may be newer than the run's own step: neither steps nor seconds decrease.
    steps = np.maximum.accumulate(np.append(run.evaluations["step"], run.step))
    seconds = np.maximum.accumulate(np.append(run.evaluations["seconds"], run.seconds))
    step = columns["step"]
    return columns | {"epoch": step / run.steps_per_epoch, "seconds": np.interp(step, steps, seconds)}


def max_points(variants: int) -> int:
    """How many points each of `variants` lines may have, so that all of them together stay light.

    A line is drawn with two more of its size behind it: the lowest and highest value at each point, or a band.
    """
    return int(np.clip(MAX_TOTAL_POINTS // (3 * max(variants, 1)), MIN_POINTS, MAX_POINTS))


def steps_per_point(steps: int, points: int) -> int:
    """How many steps a point stands for: 1, 2, 3, 4, 6, 8, 12 …, so that a growing curve keeps its points for long."""
    stretch = 1
    while steps > stretch * points:
        stretch = stretch * 4 // 3 if stretch % 3 == 0 else max(stretch * 3 // 2, stretch + 1)
    return stretch


def thin_columns(steps: Columns, stretch: int) -> dict[str, NDArray[Any]]:
    """Columns step, loss, accuracy and each one's _low and _high: mean, minimum and maximum of every `stretch` steps.

    `steps` has the columns step, loss, accuracy, one entry a step. A last stretch that is not full yet is left out; a
    point stands at the end of its stretch.
    """
    full = len(steps["step"]) // stretch * stretch
    columns = {"step": steps["step"][stretch - 1 : full : stretch]}
    for name in TRAINING_COLUMNS:
        values = steps[name][:full].reshape(-1, stretch)
        with np.errstate(invalid="ignore"):  # infinities of both signs have no mean
            columns[name] = values.mean(axis=1, dtype=np.float64).astype(np.float32)
        columns[f"{name}_low"], columns[f"{name}_high"] = values.min(axis=1), values.max(axis=1)
    return columns


def average_seeds(seeds: Sequence[Columns], names: Sequence[str]) -> Columns:
    """Columns step, epoch, seconds and `names`, each the mean over the seeds that have got there, and its _sd.

    Every seed has the columns step (in order), epoch, seconds and `names`. Beyond a seed's end, seconds go on at the
    pace of the others, so that they never decrease. A run whose values are no longer finite counts until then.
    One seed is its own mean, and has no _sd.
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
    """Of each column's finite values; missing where there is none, and the deviation where there is one."""
    finite = np.isfinite(table)
    count = finite.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(finite, table, 0.0).sum(axis=0) / count
        squares = np.where(finite, table - mean, 0.0) ** 2
        return mean, np.sqrt(squares.sum(axis=0) / np.where(count > 1, count - 1, np.nan))


def _differences(series: Mapping[str, Series], curve: Curve, settings: CurveSettings) -> dict[str, Series]:
    """The others minus the baseline's.

    Its own would be the line at zero, which the axis has, in a band that belongs to none of the differences.
    """
    along = "seconds" if settings.x == "seconds" else "epoch"
    baseline = series[settings.baseline]
    others = {label: own for label, own in series.items() if label != settings.baseline}
    return {label: _difference(own, baseline, curve.column, along) for label, own in others.items()}


@lru_cache(maxsize=CACHED_SERIES)
def _difference(series: Series, baseline: Series, column: str, along: str) -> Series:
    def difference(columns: Columns) -> Columns:
        names = [name for name in (column, f"{column}_low", f"{column}_high") if name in columns]
        same_for_all = {**baseline.mean, **dict.fromkeys(names, baseline.mean[column])}
        return subtract_baseline(columns, same_for_all, names, along)

    return Series(difference(series.mean), [difference(seed) for seed in series.seeds])


def subtract_baseline(columns: Columns, baseline: Columns, names: Sequence[str], along: str) -> Columns:
    """`columns` with the baseline's values subtracted from `names`, at equal `along` ("epoch" or "seconds").

    Points before the baseline's first and beyond its last are left out. A standard deviation stays the variant's own.
    """
    x, known = columns[along], baseline[along]
    within = (x >= known[0]) & (x <= known[-1]) if len(known) else np.zeros(len(x), bool)
    kept = {name: values[within] for name, values in columns.items()}
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        return kept | {name: kept[name] - np.interp(kept[along], known, baseline[name]) for name in names if len(known)}


@lru_cache(maxsize=CACHED_SERIES)
def _points(series: Series, curve: Curve, settings: CurveSettings) -> SeriesPoints:
    mean, several = series.mean, len(series.seeds) > 1
    has_raw = not several and curve.is_noisy and settings.smoothing > 0 and not settings.differences
    return SeriesPoints(
        mean=_line(mean, curve, settings),
        band=_band(mean, curve, settings) if several else None,
        raw=_extremes(mean, curve, settings) if has_raw else None,
        seeds=[_line(seed, curve, settings) for seed in series.seeds] if several and settings.singles else [],
        x=mean[settings.x],
        epochs=mean["epoch"],
        end=float(mean[curve.column][-1]) if len(series) else None,
    )


def _line(columns: Columns, curve: Curve, settings: CurveSettings) -> Points:
    x, y = _floats(columns[settings.x]), _values(columns, curve, settings)
    return _shown(x, y, settings)


def _band(mean: Columns, curve: Curve, settings: CurveSettings) -> tuple[Points, Points]:
    """The mean minus and plus the seeds' standard deviation; on a logarithmic axis, at most a decade down."""
    x, y = _floats(mean[settings.x]), _values(mean, curve, settings)
    deviations = _floats(mean[f"{curve.column}_sd"])
    spread = np.where(np.isnan(deviations), np.float32(0), deviations)
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = y - spread, y + spread
    if settings.log_y:
        low = np.maximum(low, y / 10)
    shown = _is_shown(x, low, settings) & np.isfinite(high)
    return (x[shown], low[shown]), (x[shown], high[shown])


def _extremes(mean: Columns, curve: Curve, settings: CurveSettings) -> Points:
    """In each point's stretch its lowest and its highest value, so that no peak is lost by thinning."""
    ends = mean[settings.x]
    middles = ends - np.diff(ends, prepend=0.0) / 2
    x = _floats(np.column_stack([middles, ends]).ravel())
    y = _floats(np.column_stack([mean[f"{curve.column}_low"], mean[f"{curve.column}_high"]]).ravel())
    return _shown(x, y, settings)


def _values(columns: Columns, curve: Curve, settings: CurveSettings) -> Floats:
    values = _floats(columns[curve.column])
    return smooth(values, settings.smoothing) if curve.is_noisy else values


def smooth(values: Floats, weight: float) -> Floats:
    """The exponentially weighted mean of `values`, in which the past has `weight`, corrected for its start at nothing.

    As TensorBoard smooths, and as Adam corrects its averages (Kingma and Ba 2015, section 3). What is not finite is
    left out of the average and stays missing.
    """
    if weight == 0 or values.size == 0:
        return values
    known = pd.Series(values, dtype=float).where(np.isfinite(values))
    averages = known.ewm(alpha=1 - weight, adjust=True, ignore_na=False).mean().where(known.notna())
    return averages.to_numpy(np.float32)


def _floats(values: NDArray[np.generic]) -> Floats:
    """The values as they are drawn; too large a one is infinite, and so not shown."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _shown(x: Floats, y: Floats, settings: CurveSettings) -> Points:
    shown = _is_shown(x, y, settings)
    return x[shown], y[shown]


def _is_shown(x: Floats, y: Floats, settings: CurveSettings) -> NDArray[np.bool_]:
    """Which points the axes can show."""
    return np.isfinite(y) & ((x > 0) | (not settings.log_x))
