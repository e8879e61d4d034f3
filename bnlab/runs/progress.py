"""How far a variant is, as a person would say it."""

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from bnlab.runs.run import Run, RunState

STALE_SECONDS = 20.0
FIRST_ESTIMATE_SECONDS = 0.3
_SUMMED = {
    RunState.RUNNING: "training",
    RunState.QUEUED: "waiting",
    RunState.STOPPED: "stopped",
    RunState.FAILED: "failed",
    RunState.DIVERGED: "diverged",
}


def share_done(runs: Sequence[Run], seeds: int) -> float:
    """The fraction of all seeds' steps that are taken, between 0 and 1."""
    return min(sum(run.progress for run in runs) / seeds, 1.0)


def summary_text(runs: Collection[Run], wanted: int) -> str:
    """Where a comparison of `wanted` runs stands, in one line; `runs` are those that exist."""
    if not runs:
        return "Not trained yet."
    origins = dict.fromkeys(run.recorded for run in runs if run.recorded)
    if len(runs) == wanted and all(run.recorded for run in runs):
        return f"Recorded, not trained here ({'; '.join(origins)})."
    counted = Counter(run.state for run in runs)
    if counted[RunState.COMPLETED] == wanted and not origins:
        return "All trained. Another seed or more epochs make new runs."
    ends = [f"{counted[state]} {word}" for state, word in _SUMMED.items() if counted[state]]
    missing = [f"{wanted - len(runs)} not trained yet"] if wanted > len(runs) else []
    return f"Runs: {', '.join([f'{_done(runs)} of {wanted} done{_recorded(runs)}', *ends, *missing])}."


def state_text(runs: Sequence[Run], seeds: int, queue: Mapping[str, int]) -> str:
    """The state of a variant's runs in a few words; `queue` maps those that wait to their place, from 1."""
    if not runs:
        return "Not trained yet"
    if seeds == 1:
        return _text(runs[0], queue)
    said = f"{_done(runs)} of {seeds} seeds done{_recorded(runs)}"
    active = [run for run in runs if not run.state.is_finished()]
    now = _all_of_them([run for run in active if run.state is RunState.RUNNING]) or _first_of_them(active, queue)
    lefts = [run.seconds_left for run in active if run.seconds_left is not None and _images_per_second(run)]
    ended = [f"{n} {state.lower()}" for state, n in _ends(runs).items()]
    left = f"{sum(lefts):.0f} s of training left" if lefts and len(lefts) == len(active) else ""
    return ", ".join(part for part in (said, *ended, now, left) if part)


def _all_of_them(running: Sequence[Run]) -> str:
    """What the runs do that train, taken together."""
    if not running:
        return ""
    pace = sum(map(_images_per_second, running))
    doing = "stopping" if all(run.stop_requested for run in running) else "training"
    return f"{doing}, {pace:,.0f} images/s" if pace else doing


def _first_of_them(waiting: Sequence[Run], queue: Mapping[str, int]) -> str:
    """Where the first of the runs that wait stands."""
    places = [queue[run.digest] for run in waiting if run.digest in queue]
    if not waiting:
        return ""
    return f"number {min(places)} in the queue" if places and min(places) > 1 else "waiting for a worker"


def _images_per_second(run: Run) -> float:
    """0 as long as too little has been trained to tell."""
    return run.step * run.spec.batch_size / run.seconds if run.seconds >= FIRST_ESTIMATE_SECONDS else 0.0


def _done(runs: Collection[Run]) -> int:
    return sum(run.state is RunState.COMPLETED for run in runs)


def _recorded(runs: Collection[Run]) -> str:
    """How many of those that are done came with bnlab, in brackets; nothing if none did."""
    recorded = sum(run.state is RunState.COMPLETED and bool(run.recorded) for run in runs)
    here = _done(runs) - recorded
    if not recorded:
        return ""
    return f" ({recorded} recorded, {here} trained here)" if here else " (recorded)"


def _ends(runs: Sequence[Run]) -> dict[RunState, int]:
    counted = {s: sum(run.state is s for run in runs) for s in (RunState.STOPPED, RunState.FAILED, RunState.DIVERGED)}
    return {state: n for state, n in counted.items() if n}


def _text(run: Run, queue: Mapping[str, int]) -> str:
    steps = f"step {run.step:,} of {run.total_steps:,}"
    if run.state is RunState.QUEUED:
        place = queue.get(run.digest, 0)
        waiting = f"Waiting for a worker, number {place} in the queue" if place > 1 else "Waiting for a worker"
        return waiting + (f", at {steps}" if run.step else "")
    words = {
        RunState.RUNNING: f"{'Stopping' if run.stop_requested else 'Training'}, {steps}{_left(run)}",
        RunState.COMPLETED: f"{'Recorded' if run.recorded else 'Done'}: {run.seconds:.1f} s of training",
        RunState.STOPPED: f"Stopped at {steps}",
        RunState.FAILED: f"Failed at {steps}",
        RunState.DIVERGED: f"Diverged: the loss was no longer a number at {steps}",
    }
    return words[run.state]


def _left(run: Run) -> str:
    quiet = time.time() - run.updated_at
    if quiet > STALE_SECONDS:
        return f", no word from its worker for {quiet:.0f} s"
    pace = _images_per_second(run)
    return f", {pace:,.0f} images/s, {run.seconds_left:.0f} s left" if pace else ""
