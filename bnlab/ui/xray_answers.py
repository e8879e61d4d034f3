"""What workers have found in X-rays that somebody asked for, shared by all sessions of the app."""

import threading
from collections.abc import Iterable
from concurrent.futures import Future

import pandas as pd

from bnlab.runs.depth import look_into
from bnlab.runs.lab import Lab
from bnlab.spec.run_spec import RunSpec

MOST_ANSWERS = 2_048

Answer = Future[pd.DataFrame]


class XrayAnswers:
    """The answers by spec and step, asked for once; a few that came long ago are forgotten. Safe in any thread."""

    def __init__(self) -> None:
        """Nothing was asked."""
        self._lock = threading.Lock()
        self._asked: dict[tuple[str, int], Answer] = {}

    def ask(self, lab: Lab, spec: RunSpec, steps: Iterable[int]) -> None:
        """Have `spec` X-rayed after those of `steps` that nobody has asked for, or that failed; returns at once."""
        with self._lock:
            known = {step for step in steps if _is_good(self._asked.get((spec.digest, step)))}
            fresh = [step for step in steps if step not in known]
            if fresh:
                answer = lab.submit(look_into, spec, fresh)
                self._asked |= {(spec.digest, step): answer for step in fresh}
            while len(self._asked) > MOST_ANSWERS:
                self._asked.pop(next(iter(self._asked)))

    def of(self, spec: RunSpec, step: int) -> Answer | None:
        """The answer for that step, which may be about others as well; None if nobody has asked."""
        return self._asked.get((spec.digest, step))


def _is_good(answer: Answer | None) -> bool:
    return answer is not None and not (answer.done() and answer.exception())
