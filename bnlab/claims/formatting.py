"""A claim's values, verdicts and training cost as text."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from bnlab.claims.model import Claim
from bnlab.claims.results import ExperimentResult, count_briefly_trained
from bnlab.claims.verdicts import Verdict
from bnlab.claims.worker_measures import MAX_STEPS

MIN_WHOLE = 1_000
MAX_NAMED_CONDITIONS = 5

_DIRECTION_SIGNS = {-1: "−", 0: "±", 1: "+"}


def format_value(value: float, digits: int = 4) -> str:
    """A value with `digits` significant digits, without decimals from MIN_WHOLE on: 97.36, 0.0001, 266,610."""
    return (f"{value:,.0f}" if abs(value) >= MIN_WHOLE else f"{value:z.{digits}g}").replace("-", "−")


def format_difference(value: float) -> str:
    """A difference with its sign: +0.62, −3.7, +1,600."""
    return ("+" if value > 0 else "") + format_value(value, 3)


def duration_text(seconds: float) -> str:
    """Seconds, minutes or hours, depending on the length: 119 s, 2 min, 2.5 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def format_thresholds(claim: Claim) -> list[str]:
    """The smallest effects of interest, with their signs and units, one line per reason."""
    effects_by_reason: dict[str, dict[str, None]] = {}
    for condition in claim.conditions:
        prediction = condition.prediction
        sign = _DIRECTION_SIGNS[prediction.direction]
        effect = f"{sign}{prediction.smallest_effect:g} {condition.measure.difference_unit}"
        effects_by_reason.setdefault(prediction.reason, {})[effect] = None
    return [f"{', '.join(effects)}: {reason}" for reason, effects in effects_by_reason.items()]


@dataclass(frozen=True)
class VerdictStyle:
    """How a verdict is shown: `sign` and `title` do without `color`, a class of style.css."""

    sign: str
    title: str
    color: Literal["green", "orange", "violet", "gray"]


VERDICT_STYLES = {
    Verdict.SUPPORTED: VerdictStyle("✔", "Supported", "green"),
    Verdict.CONTRADICTED: VerdictStyle("✖", "Contradicted", "orange"),
    Verdict.CONDITIONAL: VerdictStyle("◐", "True in part", "violet"),
    Verdict.NO_DIFFERENCE: VerdictStyle("=", "No difference", "gray"),
    Verdict.TOO_FEW_SEEDS: VerdictStyle("?", "Undecided", "gray"),
}


def verdict_counts_text(result: ExperimentResult) -> str:
    """How many conditions have which verdict, and which few differ from the rest; empty if all agree."""
    if len(result.by_verdict) < 2:
        return ""
    counts = (
        f"{VERDICT_STYLES[verdict].sign} {VERDICT_STYLES[verdict].title.lower()}: {len(conditions)}"
        for verdict, conditions in result.by_verdict.items()
    )
    return f"Of {len(result.conditions)} conditions: {', '.join(counts)}.{_exceptions_text(result)}"


def _exceptions_text(result: ExperimentResult) -> str:
    """The conditions for which the claim holds or, if those are fewer, for which it does not."""
    holds = [r.condition.title for r in result.conditions if r.verdict is Verdict.SUPPORTED]
    others = [r.condition.title for r in result.conditions if r.verdict is not Verdict.SUPPORTED]
    start, titles = ("It holds for", holds) if len(holds) <= len(others) else ("It holds except for", others)
    return f" {start}: {'; '.join(titles)}." if holds and len(titles) <= MAX_NAMED_CONDITIONS else ""


@lru_cache(maxsize=64)  # computing it builds hundreds of specs
def cost_text(result: ExperimentResult) -> str:
    """The seeds, runs, steps and seconds of a result, and where it was measured."""
    cost, seeds = result.cost, len(result.experiment.seeds)
    origin = f"Recorded on {result.origin}" if result.origin else "Measured here"
    if not result.experiment.claim.needs_workers:
        return "Counted from the networks as they are built; nothing is trained."
    briefly_trained = count_briefly_trained(result.experiment)
    measured = f"{_count_text(briefly_trained, 'network')} trained for up to {MAX_STEPS} steps and measured"
    if not cost.runs:
        return f"{origin}. {_count_text(seeds, 'seed')}; {measured}."
    diverged = f", of which {cost.diverged:,} diverged and were scored as chance (10 %)" if cost.diverged else ""
    return (
        f"{origin}. {_count_text(seeds, 'seed')}, {_count_text(cost.runs, 'run')}{diverged}, {cost.steps:,} steps, "
        f"{duration_text(cost.seconds)} of training{f'; {measured}' if briefly_trained else ''}."
    )


def _count_text(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
