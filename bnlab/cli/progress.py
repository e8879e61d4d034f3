"""Showing the progress of runs in the terminal until they have ended."""

import time
from collections.abc import Sequence
from contextlib import suppress

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from bnlab.cli.options import EXIT_INTERRUPTED
from bnlab.runs.errors import StoreError
from bnlab.runs.process import EXIT_SECONDS, exit_after
from bnlab.runs.reader import evaluations_frame
from bnlab.runs.run import Run
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.shares import COMMAND_LINE

POLL_SECONDS = 0.25
STOP_SECONDS = 2.0
"""How long runs may take to commit their last steps, less than EXIT_SECONDS; later ones keep their last checkpoint."""


def watch(console: Console, scheduler: Scheduler, labels: dict[str, str]) -> None:
    """Show a progress bar for each run of `labels`, which maps digests to labels, until all have ended."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[state]:<9}", markup=False),
        TextColumn("{task.fields[detail]}", markup=False),
    )
    with Progress(*columns, console=console, refresh_per_second=8) as progress:
        bars = {d: progress.add_task(label, total=1.0, state="", detail="") for d, label in labels.items()}
        printed_states: dict[str, str] = {}
        printed_problem = ""
        while True:
            started = time.monotonic()
            runs = scheduler.store.runs(labels)
            accuracies = _last_accuracies(scheduler, runs)
            for run in runs:
                detail = _detail_text(run, accuracies.get(run.digest))
                progress.update(bars[run.digest], completed=run.progress, state=run.state, detail=detail)
                if not console.is_terminal and printed_states.get(run.digest) != run.state:
                    console.print(f"{labels[run.digest]}: {run.state} {detail}", soft_wrap=True)
                printed_states[run.digest] = run.state
            if scheduler.problem and scheduler.problem != printed_problem:
                console.print(scheduler.problem, style="red")
            printed_problem = scheduler.problem
            if all(run.state.is_finished() for run in runs):
                return
            wait_before_poll(time.monotonic() - started)


def wait_before_poll(seconds: float) -> None:
    """Sleep before reading the progress again, which took so many seconds: hundreds of runs are read less often."""
    time.sleep(max(POLL_SECONDS, 20 * seconds))


def end_in_time(scheduler: Scheduler, digests: Sequence[str]) -> None:
    """After an interrupt: end this process after EXIT_SECONDS, also while workers start, with the runs stopped.

    It may end by itself before.
    """

    def stop() -> None:
        scheduler.release()
        with suppress(StoreError):  # then they wait for the next scheduler
            scheduler.store.request_stop(digests, COMMAND_LINE)  # they stop at once, since no scheduler leases them

    exit_after(EXIT_SECONDS, stop, EXIT_INTERRUPTED)


def wait_until_stopped(scheduler: Scheduler, digests: Sequence[str]) -> None:
    """Stop runs that no visitor wants, and wait until they have committed their last steps, at most STOP_SECONDS."""
    scheduler.stop(digests, COMMAND_LINE)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline and any(map(_is_stopping, scheduler.store.runs(digests))):
        time.sleep(0.05)


def _is_stopping(run: Run) -> bool:
    return run.stop_requested and not run.state.is_finished()


def _last_accuracies(scheduler: Scheduler, runs: Sequence[Run]) -> dict[str, float]:
    accuracies = evaluations_frame(scheduler.store, runs).groupby("run")["val_accuracy"].last()
    return {str(digest): accuracy for digest, accuracy in accuracies.items()}


def _detail_text(run: Run, accuracy: float | None) -> str:
    parts = [f"val_accuracy {accuracy:.4f}"] if accuracy is not None else []
    if not run.state.is_finished() and run.seconds_left is not None:
        parts.append(f"{run.seconds_left:.0f} s of training left")
    return ", ".join([*parts, run.error] if run.error else parts)
