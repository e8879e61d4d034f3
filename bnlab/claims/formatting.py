"""A claim's numbers and verdicts as text."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from bnlab.claims.measures import MAX_STEPS
from bnlab.claims.model import Claim
from bnlab.claims.results import ExperimentResult, count_briefly_trained
from bnlab.claims.verdicts import Verdict

WHOLE_FROM = 1_000


_SIGNS = {-1: "−", 0: "±", 1: "+"}


def format_value(value: float, digits: int = 4) -> str:
    """With that many digits, and without decimals from WHOLE_FROM on: 97.36, 0.0001, 266,610."""
    return (f"{value:,.0f}" if abs(value) >= WHOLE_FROM else f"{value:z.{digits}g}").replace("-", "−")


def format_difference(value: float) -> str:
    """With its sign: +0.62, −3.7, +1,600."""
    return ("+" if value > 0 else "") + format_value(value, 3)


def format_thresholds(claim: Claim) -> list[str]:
    """The smallest effects that count with their signs and units, one line for each reason."""
    effects_by_reason: dict[str, dict[str, None]] = {}
    for condition in claim.conditions:
        prediction = condition.prediction
        effect = f"{_SIGNS[prediction.direction]}{prediction.smallest_effect:g} {condition.measure.difference_unit}"
        effects_by_reason.setdefault(prediction.reason, {})[effect] = None
    return [f"{', '.join(effects)}: {reason}" for reason, effects in effects_by_reason.items()]


Colour = Literal["blue", "orange", "violet", "gray"]


@dataclass(frozen=True)
class VerdictStyle:
    """`sign` and `title` make do without colour; `tint` is `colour` as CSS, translucent."""

    sign: str
    title: str
    colour: Colour
    tint: str


VERDICT_STYLES = {
    Verdict.SUPPORTED: VerdictStyle("✔", "Supported", "blue", "rgba(0,114,178,.16)"),
    Verdict.CONTRADICTED: VerdictStyle("✖", "Contradicted", "orange", "rgba(213,94,0,.18)"),
    Verdict.CONDITIONAL: VerdictStyle("◐", "Holds only in part", "violet", "rgba(204,121,167,.2)"),
    Verdict.NO_DIFFERENCE: VerdictStyle("≈", "No detectable difference", "gray", "rgba(127,127,127,.16)"),
    Verdict.TOO_FEW: VerdictStyle("…", "Not enough seeds", "gray", "rgba(127,127,127,.16)"),
}


MAX_NAMED = 5


def verdict_counts_text(trial: ExperimentResult) -> str:
    """How many conditions have which verdict, and the few that differ from most by name; empty if all agree."""
    if len(trial.by_verdict) < 2:
        return ""
    counts = (
        f"{VERDICT_STYLES[verdict].sign} {VERDICT_STYLES[verdict].title.lower()}: {len(conditions)}"
        for verdict, conditions in trial.by_verdict.items()
    )
    return f"Of {len(trial.results)} conditions: {', '.join(counts)}.{_exceptions(trial)}"


def _exceptions(trial: ExperimentResult) -> str:
    """Where the claim holds or, if those are fewer, where it does not."""
    holds = [result.condition.title for result in trial.results if result.verdict is Verdict.SUPPORTED]
    others = [result.condition.title for result in trial.results if result.verdict is not Verdict.SUPPORTED]
    start, titles = ("It holds for", holds) if len(holds) <= len(others) else ("It holds but for", others)
    return f" {start}: {'; '.join(titles)}." if holds and len(titles) <= MAX_NAMED else ""


@lru_cache(maxsize=64)  # it counts hundreds of specs
def cost_text(trial: ExperimentResult) -> str:
    """What a trial took: seeds, runs, steps, seconds, and where it was measured."""
    effort, seeds = trial.effort, len(trial.experiment.seeds)
    origin = f"Recorded on {trial.origin}" if trial.origin else "Measured here"
    if not trial.experiment.claim.needs_workers:
        return "Counted from the networks as they are built; nothing has to be trained."
    brief = count_briefly_trained(trial.experiment)
    measured = f"{_many(brief, 'network')} trained for up to {MAX_STEPS} steps and looked into"
    if not effort.runs:
        return f"{origin}. {_many(seeds, 'seed')}; {measured}."
    diverged = f", of which {effort.diverged:,} diverged and count as a guess" if effort.diverged else ""
    return (
        f"{origin}. {_many(seeds, 'seed')}, {_many(effort.runs, 'run')}{diverged}, {effort.steps:,} steps, "
        f"{duration_text(effort.seconds)} of training{f'; {measured}' if brief else ''}."
    )


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def duration_text(seconds: float) -> str:
    """In seconds, minutes or hours, depending on how many they are."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
