"""A claim on trial: its runs launched and awaited, its numbers read, its verdict."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bnlab.claims.claim import Claim, Condition, Counted, Size
from bnlab.claims.evidence import Evidence, Probe, every_condition, probes, sized, trained_specs
from bnlab.claims.statistics import Interval, confidence_interval, exact_interval, paired_differences
from bnlab.claims.verdicts import Verdict, Where, combine, judge, verdict_text
from bnlab.runs.lab import Lab
from bnlab.runs.run import Run
from bnlab.runs.states import RunState
from bnlab.runs.store import Store
from bnlab.spec.run_spec import RunSpec

LOOK_SECONDS = 0.25
USABLE = (RunState.COMPLETED, RunState.DIVERGED)

Progress = Callable[[Sequence[Run]], None]


class TrialError(RuntimeError):
    """A trial that cannot be read; `str()` is one sentence for the user."""


@dataclass(frozen=True)
class Cell:
    """One condition's numbers, one a seed, the interval of their paired differences, and what that says."""

    condition: Condition
    treatment: tuple[float, ...]
    control: tuple[float, ...]
    interval: Interval
    verdict: Verdict


@dataclass(frozen=True)
class Trial:
    """What was measured of a claim, and what stands behind it; `seconds` are those spent in steps.

    `cells` decide, `beside` are shown with them. `where` maps each verdict to the conditions that gave it.
    """

    claim: Claim
    size: Size
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...]
    beside: tuple[Cell, ...]
    verdict: Verdict
    where: Where
    runs: tuple[Run, ...]

    @property
    def words(self) -> str:
        """The verdict as it is printed."""
        return verdict_text(self.verdict, self.where)

    @property
    def steps(self) -> int:
        """Of all runs together."""
        return sum(run.step for run in self.runs)

    @property
    def seconds(self) -> float:
        """Of all runs together."""
        return math.fsum(run.seconds for run in self.runs)

    @property
    def diverged(self) -> int:
        """How many runs ended in a loss that is not finite; they count like any other."""
        return sum(run.state is RunState.DIVERGED for run in self.runs)

    @property
    def difference(self) -> Interval:
        """Treatment minus control by the claim's measure: each seed's mean over the conditions that have it."""
        own = [cell for cell in self.cells if cell.condition.measure == self.claim.measure]
        pairs = [paired_differences(cell.treatment, cell.control) for cell in own]
        return _interval(self.claim.conditions[0], [math.fsum(row) / len(row) for row in zip(*pairs, strict=True)])


def run_trial(
    lab: Lab, claim: Claim, size: Size, seeds: range | None = None, progress: Progress | None = None
) -> Trial:
    """Put `claim` on trial and wait for the verdict; what has been trained before is not trained again.

    `progress` is called several times a second with all of the trial's runs. `seeds` are the size's unless given.

    Raises:
        TrialError: a run failed or was stopped.
        bnlab.runs.errands.ErrandError: a probe failed.
    """
    chosen = size_seeds(size, seeds)
    launch_trial(lab, claim, size, chosen)
    digests = [spec.digest for spec in trained_specs(claim, size, chosen)]
    while True:
        runs = lab.store.runs(digests)
        if progress is not None:
            progress(runs)
        if all(run.state.is_finished() for run in runs):
            break
        time.sleep(LOOK_SECONDS)
    asked = {probe: lab.submit(probe[0], lab.store.url, probe[1]) for probe in probes(claim, size, chosen)}
    return read_trial(lab.store, claim, size, chosen, {probe: answer.result() for probe, answer in asked.items()})


def launch_trial(lab: Lab, claim: Claim, size: Size, seeds: range) -> None:
    """Launch whichever of the trial's runs have not ended yet; returns at once."""
    for spec in missing_specs(lab.store, claim, size, seeds):
        lab.launch(spec, claim.id)


def missing_specs(store: Store, claim: Claim, size: Size, seeds: range) -> tuple[RunSpec, ...]:
    """The specs that the trial needs and that have not been trained to their end."""
    needed = trained_specs(claim, size, seeds)
    ended = {run.digest for run in store.runs([spec.digest for spec in needed]) if run.state in USABLE}
    return tuple(spec for spec in needed if spec.digest not in ended)


def size_seeds(size: Size, seeds: range | None = None) -> range:
    """`seeds`, or the size's own, from 0."""
    return range(size.seeds) if seeds is None else seeds


def read_trial(
    store: Store, claim: Claim, size: Size, seeds: range, answers: Mapping[Probe, Any] | None = None
) -> Trial:
    """The trial as the store has it, and the probes' `answers`, by what was asked (see `evidence.probes`).

    Raises:
        TrialError: a run or an answer is missing.
    """
    specs = trained_specs(claim, size, seeds)
    evidence = Evidence(store, specs, answers or {})
    _check_runs(claim, specs, evidence.runs)
    _check_answers(claim, set(probes(claim, size, seeds)) - set(answers or {}))
    cells = {condition: _cell(evidence, condition, size, seeds) for condition in every_condition(claim)}
    deciding = tuple(cells[condition] for condition in claim.conditions)
    verdict, where = combine({cell.condition.name: cell.verdict for cell in deciding})
    beside = tuple(cells[condition] for condition in claim.beside)
    return Trial(claim, size, tuple(seeds), deciding, beside, verdict, where, tuple(evidence.runs.values()))


def trial_document(trial: Trial) -> dict[str, Any]:
    """The trial as JSON holds it; what is not finite is null.

    `conditions` has every arm once; `difference` is treatment minus control (see `Trial.difference`).
    """
    difference = trial.difference
    return {
        "id": trial.claim.id,
        "verdict": trial.words,
        "measure": trial.claim.measure.name,
        "unit": trial.claim.measure.unit,
        "conditions": _arms(trial),
        "difference": {"mean": _finite(difference.mean), "ci": _ends(difference), "n": difference.n},
        "runs": len(trial.runs),
        "seconds": trial.seconds,
    }


def _arms(trial: Trial) -> list[dict[str, Any]]:
    documents = []
    for cell in (*trial.cells, *trial.beside):
        for arm, values in zip(cell.condition.arms, (cell.control, cell.treatment), strict=True):
            interval = _interval(cell.condition, values)
            name = f"{cell.condition.name}: {arm.name}"
            numbers = {"per_seed": [_finite(value) for value in values], "mean": _finite(interval.mean)}
            documents.append({"name": name, **numbers, "ci": _ends(interval)})
    return documents


def _cell(evidence: Evidence, condition: Condition, size: Size, seeds: range) -> Cell:
    control, treatment = (
        tuple(evidence.number(condition.measure, sized(arm, size, seed)) for seed in seeds) for arm in condition.arms
    )
    interval = _interval(condition, paired_differences(treatment, control))
    predicted = condition.prediction
    return Cell(
        condition, treatment, control, interval, judge(interval, predicted.direction, predicted.smallest_effect)
    )


def _interval(condition: Condition, values: Sequence[float]) -> Interval:
    counted = isinstance(condition.measure.source, Counted)
    return exact_interval(values) if counted else confidence_interval(values)


def _check_runs(claim: Claim, specs: Sequence[RunSpec], runs: Mapping[str, Run]) -> None:
    usable = [run for run in runs.values() if run.state in USABLE]
    if len(usable) < len(specs):
        errors = sorted({run.error for run in runs.values() if run.error})
        lacking = f"{len(specs) - len(usable)} of the {len(specs)} runs of {claim.id}"
        raise TrialError(" ".join([f"{lacking} have not been trained to their end.", *errors]))


def _check_answers(claim: Claim, lacking: set[Probe]) -> None:
    if lacking:
        raise TrialError(f"{len(lacking)} of the probes of {claim.id} have not been answered.")


def _ends(interval: Interval) -> list[float | None]:
    return [_finite(interval.low), _finite(interval.high)]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
