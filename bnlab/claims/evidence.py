"""What trials are read from: ended runs and the answers of probes."""

from collections.abc import Iterable

import pandas as pd

from bnlab.claims.case import Case
from bnlab.claims.claim import Arm, Claim, Condition, Counted, Measure, Probed
from bnlab.runs.answers import Question, read_answers
from bnlab.runs.frames import moments_frame
from bnlab.runs.run import Run
from bnlab.runs.states import RunState
from bnlab.runs.store import Store
from bnlab.spec.parse import revise_spec
from bnlab.spec.run_spec import RunSpec


def sized(arm: Arm, case: Case, seed: int) -> tuple[RunSpec, ...]:
    """The arm's specs in the case's size and with that seed: both arms' runs see the same batches in the same order."""
    return tuple(revise_spec(spec, {**case.size.changes, "seed": seed}) for spec in arm.specs)


def trained_specs(case: Case) -> tuple[RunSpec, ...]:
    """The specs whose runs the trial needs, each once; those of one seed stand together."""
    return _specs_of([c for c in every_condition(case.claim) if _needs_a_run(c.measure)], case)


def probes(case: Case) -> tuple[Question, ...]:
    """What the trial asks workers, each once."""
    asked: dict[Question, None] = {}
    for condition in every_condition(case.claim):
        if isinstance(source := condition.measure.source, Probed):
            asked |= dict.fromkeys(Question(source.ask, spec) for spec in _specs_of([condition], case))
    return tuple(asked)


def looked_into(case: Case) -> int:
    """How many networks are trained for the sake of a question alone: for some steps, and kept nowhere."""
    return len({question.spec for question in probes(case)} - set(trained_specs(case)))


def every_condition(claim: Claim) -> tuple[Condition, ...]:
    """Those that decide and those beside."""
    return (*claim.conditions, *claim.beside)


def counts(run: Run) -> bool:
    """Whether a run can be read: trained here, to its end, be it that it diverged."""
    return run.state in (RunState.COMPLETED, RunState.DIVERGED) and not run.recorded


class Evidence:
    """The runs, moments and answers behind a trial, to be read off one number at a time."""

    def __init__(self, store: Store, specs: Iterable[RunSpec], questions: Iterable[Question]) -> None:
        """Read the runs of `specs` with their moments, and the answers to `questions`, as far as they are there."""
        self.runs = store.find(specs)
        self.answers = read_answers(store, questions)
        frame = moments_frame(store, list(self.runs.values()))
        self._empty = frame.iloc[:0]
        self._moments = {str(digest): own for digest, own in frame.groupby("run")}

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
            return source.of(self.answers[Question(source.ask, spec)])
        run = self.runs[spec.digest]
        return source.of(run, self._moments_of(run))

    def _moments_of(self, run: Run) -> pd.DataFrame:
        return self._moments.get(run.digest, self._empty)


def _specs_of(conditions: Iterable[Condition], case: Case) -> tuple[RunSpec, ...]:
    arms = [arm for condition in conditions for arm in condition.arms]
    return tuple(dict.fromkeys(spec for seed in case.seeds for arm in arms for spec in sized(arm, case, seed)))


def _needs_a_run(measure: Measure) -> bool:
    source = measure.source
    return source.after_training if isinstance(source, Probed) else not isinstance(source, Counted)
