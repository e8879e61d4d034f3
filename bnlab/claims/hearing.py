"""A hearing: a case whose runs are trained and whose probes are asked, until a verdict can be read."""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property

from bnlab.claims.case import Case, read_case
from bnlab.claims.evidence import counts, probes, trained_specs
from bnlab.claims.labels import labelled_specs
from bnlab.claims.registry import CLAIMS
from bnlab.runs.answers import Question, answer_question, answered
from bnlab.runs.experiment_queue import dequeue, enqueue, queued
from bnlab.runs.groups import launched_alone
from bnlab.runs.lab import Lab
from bnlab.runs.run import Run
from bnlab.runs.states import RunState
from bnlab.runs.store import Store
from bnlab.spec.run_spec import RunSpec

ENDED_WITHOUT = (RunState.FAILED, RunState.STOPPED)


@dataclass(frozen=True)
class Standing:
    """How far a hearing has come: its runs as they are, and how many of its probes are answered.

    `problem` is one sentence about what went wrong, empty otherwise; where the hearing `rests`, it goes no further
    until it is begun again. `seconds_left` tells when the last probe will be answered, at the pace of those answered
    so far; None where no pace is known.
    """

    runs: tuple[Run, ...]
    needed: int
    answered: int
    asked: int
    problem: str
    rests: bool
    seconds_left: float | None = None

    @property
    def trained(self) -> int:
        """How many runs can be read."""
        return sum(counts(run) for run in self.runs)

    @property
    def share(self) -> float:
        """From 0 to 1, where a run and an answer count alike."""
        steps = sum(min(1.0, run.step / max(1, run.total_steps)) for run in self.runs if not run.recorded)
        whole = self.needed + self.asked
        return (steps + self.answered) / whole if whole else 1.0

    @property
    def is_over(self) -> bool:
        """Whether the trial can be read."""
        return self.trained == self.needed and self.answered == self.asked


class Hearing:
    """One case before one lab. All but the questions that are out is in the store, so another lab can go on with it."""

    def __init__(self, lab: Lab, case: Case) -> None:
        """Nothing happens before `begin`, or before the first `look` at a case that was begun earlier."""
        self.case = case
        self._lab = lab
        self._out: dict[Question, Future[None]] = {}
        self._first_asked: tuple[float, int] | None = None  # when, and how many answers there were

    def begin(self) -> None:
        """Put the case into the queue and launch whichever of its runs have not ended yet; returns at once."""
        self._first_asked = None
        self._out = {question: answer for question, answer in self._out.items() if not answer.done()}
        enqueue(self._lab.store, [self.case.name])
        missing = set(missing_specs(self._lab.store, self.case))
        labelled = [(spec, label) for spec, label in labelled_specs(self.case) if spec in missing]
        self._lab.launch_group(self.case.name, labelled)

    def look(self) -> Standing:
        """Where the hearing stands; asks the probes once all runs have ended."""
        specs, questions = self._specs, self._questions
        runs = tuple(self._lab.store.find(specs).values())
        known = answered(self._lab.store, questions)
        if sum(counts(run) for run in runs) == len(specs):
            self._ask([question for question in questions if question not in known], len(known))
        failures = self._failures(runs)
        problem = " ".join(failures) or self._lab.problem
        left = self._seconds_left(len(known), len(questions))
        return Standing(runs, len(specs), len(known), len(questions), problem, bool(failures), left)

    def stop(self) -> None:
        """Take the case out of the queue and stop its runs: what they have done is kept, those without a step go.

        Runs that another case needs, or that somebody has launched by themselves, are left alone.
        """
        store = self._lab.store
        dequeue(store, self.case.name)
        others = [case for name in queued(store) if (case := read_case(name, CLAIMS))]
        needed = {spec.digest for case in others for spec in trained_specs(case)}
        own = {spec.digest for spec in self._specs} - needed
        self._lab.withdraw(own - launched_alone(store, own))
        for answer in self._out.values():
            answer.cancel()
        self._out.clear()

    @cached_property
    def _specs(self) -> tuple[RunSpec, ...]:
        return trained_specs(self.case)  # hundreds, and a page looks every second

    @cached_property
    def _questions(self) -> tuple[Question, ...]:
        return probes(self.case)

    def _ask(self, questions: Sequence[Question], known: int) -> None:
        self._first_asked = self._first_asked or (time.monotonic(), known)
        for question in questions:
            if question not in self._out:
                self._out[question] = self._lab.submit(answer_question, self._lab.store.url, question)

    def _seconds_left(self, known: int, asked: int) -> float | None:
        began, before = self._first_asked or (0.0, known)
        return (time.monotonic() - began) * (asked - known) / (known - before) if known > before else None

    def _failures(self, runs: Sequence[Run]) -> list[str]:
        without = [run for run in runs if run.state in ENDED_WITHOUT]
        many = f"{len(without)} of its runs {'was' if len(without) == 1 else 'were'} stopped or failed."
        errors = {run.error for run in without if run.error}
        errors |= {str(error) for answer in self._out.values() if answer.done() and (error := answer.exception())}
        return [*([many] if without else []), *sorted(errors)]


def is_ready(store: Store, case: Case) -> bool:
    """Whether all that the trial needs is in the store."""
    return not missing_specs(store, case) and len(answered(store, probes(case))) == len(probes(case))


def missing_specs(store: Store, case: Case) -> tuple[RunSpec, ...]:
    """The specs that the trial needs and that have not been trained here to their end."""
    needed = trained_specs(case)
    ended = {digest for digest, run in store.find(needed).items() if counts(run)}
    return tuple(spec for spec in needed if spec.digest not in ended)
