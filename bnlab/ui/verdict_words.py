"""How verdicts look: a sign, a colour and words, the same everywhere."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from bnlab.claims.evidence import looked_into
from bnlab.claims.probed import PROBED_STEPS
from bnlab.claims.trial import Trial
from bnlab.claims.verdicts import Verdict
from bnlab.ui.court import needs_work

Colour = Literal["blue", "orange", "violet", "gray"]


@dataclass(frozen=True)
class Look:
    """`sign` and `title` say it without colour; `tint` is `colour` as CSS, seen through."""

    sign: str
    title: str
    colour: Colour
    tint: str


LOOKS = {
    Verdict.SUPPORTED: Look("✔", "Supported", "blue", "rgba(0,114,178,.16)"),
    Verdict.CONTRADICTED: Look("✖", "Contradicted", "orange", "rgba(213,94,0,.18)"),
    Verdict.CONDITIONAL: Look("◐", "Holds only in part", "violet", "rgba(204,121,167,.2)"),
    Verdict.NO_DIFFERENCE: Look("≈", "No detectable difference", "gray", "rgba(127,127,127,.16)"),
    Verdict.TOO_FEW: Look("…", "Not enough seeds", "gray", "rgba(127,127,127,.16)"),
}


MOST_NAMED = 5


def where_words(trial: Trial) -> str:
    """Under how many conditions it holds and under how many not, and the fewer of them by name; else nothing."""
    if len(trial.where) < 2:
        return ""
    counts = (
        f"{LOOKS[verdict].sign} {LOOKS[verdict].title.lower()}: {len(names)}" for verdict, names in trial.where.items()
    )
    return f"Of {len(trial.cells)} conditions: {', '.join(counts)}.{_named(trial)}"


def _named(trial: Trial) -> str:
    """Where the claim holds or, if those are fewer, where it does not."""
    holds = trial.where.get(Verdict.SUPPORTED, ())
    others = [cell.condition.name for cell in trial.cells if cell.verdict is not Verdict.SUPPORTED]
    start, names = ("It holds for", holds) if len(holds) <= len(others) else ("It holds but for", others)
    return f" {start}: {'; '.join(names)}." if holds and len(names) <= MOST_NAMED else ""


@lru_cache(maxsize=64)  # it counts hundreds of specs
def effort_words(trial: Trial) -> str:
    """What stands behind a trial: seeds, runs, steps, seconds, and where it was held."""
    effort, seeds = trial.effort, len(trial.case.seeds)
    origin = f"Recorded on {trial.origin}" if trial.origin else "Measured here"
    if not needs_work(trial.case.claim):
        return "Counted from the networks as they are built; nothing has to be trained."
    probed = looked_into(trial.case)
    looked = f"{_many(probed, 'network')} trained for up to {PROBED_STEPS} steps and looked into"
    if not effort.runs:
        return f"{origin}. {_many(seeds, 'seed')}; {looked}."
    diverged = f", of which {effort.diverged:,} diverged and count as a guess" if effort.diverged else ""
    return (
        f"{origin}. {_many(seeds, 'seed')}, {_many(effort.runs, 'run')}{diverged}, {effort.steps:,} steps, "
        f"{time_words(effort.seconds)} of training{f'; {looked}' if probed else ''}."
    )


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def time_words(seconds: float) -> str:
    """Seconds, or minutes or hours where they are many."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
