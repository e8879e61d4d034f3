"""Watching runs in the terminal until they have ended."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from bnlab.runs.reader import evaluations_frame
from bnlab.runs.run import Run
from bnlab.runs.scheduler import Scheduler

TICK_SECONDS = 0.25


def watch(console: Console, lab: Scheduler, names: dict[str, str]) -> None:
    """Draw a live bar for each run of `names` (digest -> what to call it) until all have ended."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[state]:<9}"),
        TextColumn("{task.fields[detail]}"),
    )
    with Progress(*columns, console=console, refresh_per_second=8) as progress:
        bars = {d: progress.add_task(name, total=1.0, state="", detail="") for d, name in names.items()}
        told: dict[str, str] = {}
        problem = ""
        while True:
            runs = lab.store.runs(names)
            accuracy = _latest_accuracy(lab, runs)
            for run in runs:
                detail = _detail(run, accuracy.get(run.digest))
                progress.update(bars[run.digest], completed=run.progress, state=run.state, detail=detail)
                if not console.is_terminal and told.get(run.digest) != run.state:
                    console.print(f"{names[run.digest]}: {run.state} {detail}", soft_wrap=True)
                told[run.digest] = run.state
            if lab.problem and lab.problem != problem:
                console.print(lab.problem, style="red")
            problem = lab.problem
            if all(run.state.is_finished() for run in runs):
                return
            time.sleep(TICK_SECONDS)


def wait_until_stopped(lab: Scheduler, digests: Sequence[str]) -> None:
    """Ask for a stop and wait until the runs have written what they have; ten seconds at the most."""
    lab.stop(digests)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not all(r.state.is_finished() for r in lab.store.runs(digests)):
        time.sleep(0.05)


def _latest_accuracy(lab: Scheduler, runs: Sequence[Run]) -> dict[str, float]:
    latest = evaluations_frame(lab.store, runs).groupby("run")["val_accuracy"].last()
    return {str(digest): accuracy for digest, accuracy in latest.items()}


def _detail(run: Run, accuracy: float | None) -> str:
    parts = [f"val_accuracy {accuracy:.4f}"] if accuracy is not None else []
    if not run.state.is_finished() and run.seconds_left is not None:
        parts.append(f"{run.seconds_left:.0f} s of training left")
    return ", ".join([*parts, run.error] if run.error else parts)
