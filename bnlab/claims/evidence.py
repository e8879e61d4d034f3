"""What trials are read from: ended runs and the answers of probes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from bnlab.claims.claim import Arm, Claim, Condition, Counted, Measure, Probed, Size
from bnlab.runs.frames import moments_frame
from bnlab.runs.run import Run
from bnlab.runs.store import Store
from bnlab.spec.parse import revise_spec
from bnlab.spec.run_spec import RunSpec

Probe = tuple[Callable[[str, RunSpec], Any], RunSpec]
"""What is asked, and of which spec."""


def sized(arm: Arm, size: Size, seed: int) -> tuple[RunSpec, ...]:
    """The arm's specs in that size and with that seed: both arms' runs see the same batches in the same order."""
    return tuple(revise_spec(spec, {**size.changes, "seed": seed}) for spec in arm.specs)


def trained_specs(claim: Claim, size: Size, seeds: Sequence[int]) -> tuple[RunSpec, ...]:
    """The specs whose runs the trial needs, each once; those of one seed stand together."""
    return _specs_of([c for c in every_condition(claim) if _needs_a_run(c.measure)], size, seeds)


def probes(claim: Claim, size: Size, seeds: Sequence[int]) -> tuple[Probe, ...]:
    """What the trial asks probes, each once."""
    asked: dict[Probe, None] = {}
    for condition in every_condition(claim):
        if isinstance(source := condition.measure.source, Probed):
            asked |= dict.fromkeys((source.ask, spec) for spec in _specs_of([condition], size, seeds))
    return tuple(asked)


def every_condition(claim: Claim) -> tuple[Condition, ...]:
    """Those that decide and those beside."""
    return (*claim.conditions, *claim.beside)


class Evidence:
    """The runs, moments and answers behind a trial, to be read off one number at a time."""

    def __init__(self, store: Store, specs: Iterable[RunSpec], answers: Mapping[Probe, Any]) -> None:
        """Read the runs of `specs` with their moments."""
        self.runs = {run.digest: run for run in store.runs([spec.digest for spec in specs])}
        frame = moments_frame(store, list(self.runs.values()))
        self._empty = frame.iloc[:0]
        self._moments = {str(digest): own for digest, own in frame.groupby("run")}
        self._answers = answers

    def number(self, measure: Measure, specs: Iterable[RunSpec]) -> float:
        """The measure of one arm, whose specs all have one seed.

        Raises:
            KeyError: a run or an answer that it needs is missing.
        """
        return float(measure.over([self._one(measure, spec) for spec in specs]))

    def _one(self, measure: Measure, spec: RunSpec) -> float:
        source = measure.source
        if isinstance(source, Counted):
            return source.of(spec)
        if isinstance(source, Probed):
            return source.of(self._answers[source.ask, spec])
        run = self.runs[spec.digest]
        return source.of(run, self._moments_of(run))

    def _moments_of(self, run: Run) -> pd.DataFrame:
        return self._moments.get(run.digest, self._empty)


def _specs_of(conditions: Iterable[Condition], size: Size, seeds: Sequence[int]) -> tuple[RunSpec, ...]:
    arms = [arm for condition in conditions for arm in condition.arms]
    return tuple(dict.fromkeys(spec for seed in seeds for arm in arms for spec in sized(arm, size, seed)))


def _needs_a_run(measure: Measure) -> bool:
    source = measure.source
    return source.after_training if isinstance(source, Probed) else not isinstance(source, Counted)
