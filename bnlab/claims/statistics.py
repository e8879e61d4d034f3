"""Paired differences and how sure they are."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
RESAMPLES = 9_999

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """The `mean` of `n` numbers and the 95 % confidence interval from `low` to `high` for what it estimates.

    Unbounded where nothing can be said: for fewer than two numbers, or where one is not finite.
    """

    mean: float
    low: float
    high: float
    n: int

    @property
    def width(self) -> float:
        """How far apart its ends are."""
        return self.high - self.low

    def contains(self, value: float) -> bool:
        """Whether `value` lies in it, ends included."""
        return self.low <= value <= self.high


def paired_differences(treatment: Sequence[float], control: Sequence[float]) -> list[float]:
    """Treatment minus control, seed by seed.

    Raises:
        ValueError: they are not equally many, so they are no pairs.
    """
    return [t - c for t, c in zip(treatment, control, strict=True)]


def exact_interval(values: Sequence[float]) -> Interval:
    """The interval of what is counted, not estimated: no width, whatever the number of seeds."""
    return Interval(_mean(values), min(values), max(values), len(values))


def confidence_interval(values: Sequence[float]) -> Interval:
    """The mean of `values` with a 95 % confidence interval; the same values always give the same one.

    It reaches as far as the wider of two on each side: Student's t, right for few and normal values, and SciPy's
    bias-corrected and accelerated (BCa) bootstrap, which follows their skew. The bootstrap alone is too narrow for few
    values: of 5 normal ones it covers the true mean in 83 % of all cases instead of 95 %. So its level is raised to
    where it would be right for normal values (Hesterberg 2015, "What teachers should know about the bootstrap").

    How often it covered the true mean in 2,000 simulations each, in %:

    =========================  ===  ===  ===  ===  ===
    seeds                        5    8   10   15   20
    =========================  ===  ===  ===  ===  ===
    normal                      96   96   95   95   95
    heavy tails (t, 3 d.f.)     96   96   96   96   96
    skewed (exponential)        92   93   93   94   96
    one run in five fails       72   83   90   96   98
    =========================  ===  ===  ===  ===  ===

    The last row is a mixture: what no seed has shown yet no method can know, so with few seeds rare failures are
    missed. Equal values give an interval without width: nothing was seen to vary.
    """
    numbers = np.asarray(values, dtype=np.float64)
    mean = _mean(values)
    if numbers.size < 2 or not np.isfinite(numbers).all():
        return Interval(mean, -math.inf, math.inf, numbers.size)
    if np.ptp(numbers) <= 1e-12 * np.abs(numbers).max():  # equal, but for the last digits
        return Interval(mean, mean, mean, numbers.size)
    low, high = _limits(numbers)
    return Interval(mean, float(low), float(high), numbers.size)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values and np.isfinite(values).all() else math.nan


def _limits(values: Floats) -> tuple[Floats, Floats]:
    """Both ends for values `[..., n]`, each `[...]`."""
    # Half a second to import, which nothing but a verdict needs.
    from scipy import stats  # type: ignore[import-untyped]  # noqa: PLC0415

    n = values.shape[-1]
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)
    level = 1 - 2 * stats.norm.cdf(-quantile * math.sqrt(n / (n - 1)))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # values too alike for BCa: its ends are missing, and Student's stand
        reach = quantile * values.std(axis=-1, ddof=1) / math.sqrt(n)
        bootstrap = stats.bootstrap(
            (values,),
            np.mean,
            axis=-1,
            confidence_level=level,
            n_resamples=RESAMPLES,
            batch=100,
            method="BCa",
            rng=np.random.default_rng(0),
        ).confidence_interval
    mean = values.mean(axis=-1)
    return np.fmin(mean - reach, bootstrap.low), np.fmax(mean + reach, bootstrap.high)
