"""The view of all runs: those that wait or train, and for what the page has to be rendered again."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from bnlab.live.events import Document
from bnlab.live.reading import DEFAULT_VERSION, STATES_VERSION, PageVersions, Reading, page_version, version_of
from bnlab.runs.progress import fraction_done, state_text, summary_text
from bnlab.runs.run import Run, RunState

MAX_LISTED = 20
"""How many of the active runs are listed: those in training, then those that are next."""


@dataclass(frozen=True)
class RunsView:
    """The active runs among all runs of the store."""

    digests: ClassVar[None] = None
    drawn_digests: ClassVar[tuple[str, ...]] = ()

    def inputs(self, reading: Reading) -> object:
        """The document depends on all runs, and on what is done with those that are active."""
        active = [digest for digest, run in reading.runs.items() if not run.state.is_finished()]
        return list(reading.runs.values()), reading.inputs(active)

    def document(self, reading: Reading) -> Document:
        """What the page shows of this reading."""
        active = [run for run in reading.runs.values() if not run.state.is_finished()]
        active.sort(key=lambda run: (run.state is not RunState.RUNNING, _number(reading, run)))
        labels = Counter(run.label for run in active)
        return {
            "page": runs_versions(reading.runs.values(), reading.problem),
            "summary": summary_text(active, len(active), reading.activity) if active else "",
            "active": {
                f"run-{run.digest}": {
                    "label": run.label if labels[run.label] == 1 else f"{run.label}, seed {run.spec.seed}",
                    "state": state_text([run], 1, reading.queue, reading.activity),
                    "share": f"{fraction_done([run], 1):.0%}",
                }
                for run in active[:MAX_LISTED]
            },
        }


def _number(reading: Reading, run: Run) -> int:
    """The run's position in the queue; 0 if it does not wait, or was launched since the queue was read."""
    place = reading.queue.get(run.digest)
    return place.number if place else 0


def runs_versions(runs: Iterable[Run], problem: str) -> PageVersions:
    """The versions of the Runs page, whose table shows the names, notes, tags and ends of all runs.

    It does not tell waiting from training, as a page does that filters by states: that one depends on STATES_VERSION.
    """
    listed = list(runs)
    shown = [(run.digest, _shown_state(run), run.error, run.recorded, run.label, run.note, run.tags) for run in listed]
    states = sorted({run.state for run in listed})
    coarse = version_of(sorted(shown), states, problem)
    return {DEFAULT_VERSION: coarse, STATES_VERSION: page_version(listed, problem, coarse)}


def _shown_state(run: Run) -> str:
    return run.state if run.state.is_finished() else "active"
