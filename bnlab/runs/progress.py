"""How far runs are: as text for a variant or a comparison, and as numbers for a group."""

import math
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from bnlab.runs.activity import Activity
from bnlab.runs.estimates import Place, about_text
from bnlab.runs.run import ACTIVE, TRAINED, Run, RunState
from bnlab.specs.run_spec import program_key

STALE_SECONDS = 20.0
"""After how long without a commit the text says so."""
LAUNCH_SECONDS = 1.0
"""The largest difference of `queued_at` between runs that were queued at one launch."""
MAX_OVERHEAD = 30.0
"""The largest ratio of elapsed time to time in steps while a run trains, which tiny runs have; beyond, none trained."""
MIN_DONE = 0.05
"""The fraction of the work after which its pace is known; the start of the workers dominates before."""

WAITING = "waiting for a worker"
STARTING = "Starting TensorFlow, once: {seconds:.0f} s"
COMPILING = "Compiling the training step, once per kind of network"

_STATE_LABELS = {
    RunState.RUNNING: "training",
    RunState.QUEUED: "waiting",
    RunState.STOPPED: "stopped",
    RunState.FAILED: "failed",
    RunState.DIVERGED: "diverged",
}


def fraction_done(runs: Sequence[Run], seeds: int) -> float:
    """The fraction of the steps of all `seeds` that are taken, between 0 and 1."""
    return min(sum(run.progress for run in runs) / seeds, 1.0)


def summary_text(runs: Collection[Run], total: int, activity: Activity | None = None) -> str:
    """The state of a comparison of `total` runs in one line; `runs` are those that exist.

    Without `activity` every RUNNING run counts as being trained.
    """
    if not runs:
        return "Not trained yet."
    origins = dict.fromkeys(run.recorded for run in runs if run.recorded)
    if len(runs) == total and all(run.recorded for run in runs):
        return f"Recorded, not trained here ({'; '.join(origins)})."
    counts = Counter(_shown_state(run, activity) for run in runs)
    if counts[RunState.COMPLETED] == total and not origins:
        return "All trained. To train more, raise Seeds or Epochs."
    others = [f"{counts[state]} {label}" for state, label in _STATE_LABELS.items() if counts[state]]
    missing = [f"{total - len(runs)} not trained yet"] if total > len(runs) else []
    speed = [text] if (text := _speed_text(runs, activity)) else []
    done = f"{_count_completed(runs)} of {total} done{_recorded_text(runs)}"
    return f"Runs: {', '.join([done, *others, *missing, *speed])}."


def state_text(runs: Sequence[Run], seeds: int, queue: Mapping[str, Place], activity: Activity | None = None) -> str:
    """The state of a variant's runs in a few words; `queue` has the places of waiting runs.

    Without `activity` every RUNNING run counts as being trained.
    """
    if not runs:
        return "Not trained yet"
    if seeds == 1:
        return _run_text(runs[0], queue, activity)
    done = f"{_count_completed(runs)} of {seeds} seeds done{_recorded_text(runs)}"
    counts = Counter(_shown_state(run, activity) for run in runs)
    ended = [
        f"{counts[state]} {_STATE_LABELS[state]}"
        for state in (RunState.STOPPED, RunState.FAILED, RunState.DIVERGED)
        if counts[state]
    ]
    active = [run for run in runs if not run.state.is_finished()]
    if active and (starting := _starting_text(activity)):
        return starting
    seconds_left = [run.seconds_left for run in active if run.seconds_left is not None]
    all_known = seconds_left and len(seconds_left) == len(active)
    left = f"{sum(seconds_left):.0f} s of training left" if all_known else ""
    states = _active_texts(active, queue, activity)
    is_waiting = active and not any(_shown_state(run, activity) is RunState.RUNNING for run in active)
    # How long it waits comes first: a card cuts long texts off, and its bar shows how much is done.
    first = (states[0].capitalize(), done, *ended) if is_waiting else (done, *ended, *states)
    parts = (*first, _speed_text(runs, activity), left)
    return ", ".join(part for part in parts if part)


def _active_texts(active: Sequence[Run], queue: Mapping[str, Place], activity: Activity | None) -> list[str]:
    """How many runs are being trained and how many wait; the place in the queue if none is being trained."""
    training = [run for run in active if _shown_state(run, activity) is RunState.RUNNING]
    waiting = len(active) - len(training)
    if not active:
        return []
    if not training:
        return [_waiting_text(active, queue)]
    verb = "stopping" if all(run.stop_requested for run in training) else "training"
    return [f"{len(training)} {verb}", *([f"{waiting} waiting"] if waiting else [])]


def _shown_state(run: Run, activity: Activity | None) -> RunState:
    """The run's state, but QUEUED for a RUNNING one that waits for its next slice."""
    waits = run.state is RunState.RUNNING and activity is not None and run.digest not in activity.training
    return RunState.QUEUED if waits else run.state


def _starting_text(activity: Activity | None) -> str:
    """That the workers are starting, while they are."""
    return "" if activity is None or activity.starting is None else STARTING.format(seconds=activity.starting)


def _waiting_text(waiting: Sequence[Run], queue: Mapping[str, Place]) -> str:
    places = [queue[run.digest] for run in waiting if run.digest in queue]
    return _place_text(min(places)) if places else WAITING


def _place_text(place: Place) -> str:
    """In few words, which a card of a variant has room for: the place, or for the next one that it waits."""
    waiting = f"number {place.number} in the queue" if place.number > 1 else WAITING
    return f"{waiting}, {about_text(place.seconds)}" if place.seconds else waiting


def _run_text(run: Run, queue: Mapping[str, Place], activity: Activity | None) -> str:
    steps = f"step {run.step:,} of {run.total_steps:,}"
    if not run.state.is_finished() and (starting := _starting_text(activity)):
        return starting
    if _shown_state(run, activity) is RunState.RUNNING and not run.step and not _is_silent(run):
        return "Stopping" if run.stop_requested else COMPILING
    if _shown_state(run, activity) is RunState.QUEUED:
        waiting = _place_text(queue[run.digest]) if run.digest in queue else WAITING
        return waiting.capitalize() + (f", at {steps}" if run.step else "")
    texts = {
        RunState.RUNNING: f"{'Stopping' if run.stop_requested else 'Training'}, {steps}{_pace_text(run, activity)}",
        RunState.COMPLETED: f"{'Recorded' if run.recorded else 'Done'}: {run.seconds:.1f} s of training",
        RunState.STOPPED: f"Stopped at {steps}",
        RunState.FAILED: f"Failed at {steps}",
        RunState.DIVERGED: f"Diverged: loss not finite at {steps}",
    }
    return texts[run.state]


def _pace_text(run: Run, activity: Activity | None) -> str:
    if _is_silent(run):
        return f", worker not responding for {time.time() - run.updated_at:.0f} s"
    speed = _speed_text([run], activity)
    left = f"{run.seconds_left:.0f} s of training left" if run.seconds_left else ""
    return "".join(f", {part}" for part in (speed, left) if part)


def _is_silent(run: Run) -> bool:
    """Whether the run's worker has made no commit for long."""
    return time.time() - run.updated_at > STALE_SECONDS


def _speed_text(runs: Iterable[Run], activity: Activity | None) -> str:
    """The images per second of `runs` together; empty if none is known."""
    speed = sum(activity.speeds.get(run.digest, 0.0) for run in runs) if activity else 0.0
    return f"{speed:,.0f} images/s" if speed else ""


def _recorded_text(runs: Collection[Run]) -> str:
    """How many of the completed runs were shipped with bnlab, in brackets; empty if none was."""
    recorded = sum(run.state is RunState.COMPLETED and bool(run.recorded) for run in runs)
    trained_here = _count_completed(runs) - recorded
    if not recorded:
        return ""
    return f" ({recorded} recorded, {trained_here} trained here)" if trained_here else " (recorded)"


def _count_completed(runs: Collection[Run]) -> int:
    return sum(run.state is RunState.COMPLETED for run in runs)


@dataclass(frozen=True)
class GroupProgress:
    """How far a group's runs are together.

    Attributes:
        done: the number of completed and diverged runs.
        total: the number of all runs.
        diverged: the number of diverged runs.
        failed: the number of failed runs, which can be continued.
        stopped: the number of stopped runs, which can be continued.
        waiting: the number of runs that wait for a worker.
        share: the fraction of the work that is done.
        seconds_left: an estimate of the time until the last run ends; None before MIN_DONE of the work is done, and if
            no run is active.
    """

    done: int
    total: int
    diverged: int
    failed: int
    stopped: int
    waiting: int
    share: float
    seconds_left: float | None


def group_progress(members: Sequence[Run], now: float | None = None) -> GroupProgress:
    """How far `members` are at `now`, in seconds since the epoch and by default the current time."""
    states = [run.state for run in members]
    work = _total_work(members)
    return GroupProgress(
        done=sum(state in TRAINED for state in states),
        total=len(members),
        diverged=states.count(RunState.DIVERGED),
        failed=states.count(RunState.FAILED),
        stopped=states.count(RunState.STOPPED),
        waiting=states.count(RunState.QUEUED),
        share=_work_done(members, work) / math.fsum(work) if members else 0.0,
        seconds_left=_seconds_left(members, work, time.time() if now is None else now),
    )


def _total_work(members: Sequence[Run]) -> list[float]:
    """The seconds that all steps of each run take: at the mean speed of runs with its program, or else of all runs."""
    seconds_per_step: dict[object, list[float]] = {}
    for run in members:
        if run.step:
            seconds_per_step.setdefault(_speed_key(run), []).append(run.seconds / run.step)
    means = {key: fmean(values) for key, values in seconds_per_step.items()}
    default = (fmean(means.values()) if means else 1.0) or 1.0
    return [run.total_steps * (means.get(_speed_key(run), default) or default) for run in members]


def _speed_key(run: Run) -> object:
    return program_key(run.spec), run.spec.batch_size


def _work_done(members: Sequence[Run], work: Sequence[float]) -> float:
    return math.fsum(
        seconds if run.state in TRAINED else seconds * run.progress for run, seconds in zip(members, work, strict=True)
    )


def _seconds_left(members: Sequence[Run], work: Sequence[float], now: float) -> float | None:
    """The remaining time at the pace of the latest launch, which includes measuring and waiting for other runs."""
    if not any(run.state in ACTIVE for run in members):
        return None
    launched_at = max(run.queued_at for run in members if run.state in ACTIVE) - LAUNCH_SECONDS
    latest = [(run, seconds) for run, seconds in zip(members, work, strict=True) if run.queued_at >= launched_at]
    done = _work_done([run for run, _ in latest], [seconds for _, seconds in latest])
    remaining = math.fsum(
        seconds * (1 - run.progress) for run, seconds in zip(members, work, strict=True) if run.state in ACTIVE
    )
    if done <= MIN_DONE * (done + remaining):
        return None
    trained = math.fsum(run.seconds for run, _ in latest)
    elapsed = min(now - min(run.queued_at for run, _ in latest), MAX_OVERHEAD * trained)
    return elapsed * remaining / done
