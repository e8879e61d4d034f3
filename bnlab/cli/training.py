"""Training the runs of a command: launching them, showing their progress, stopping them at Ctrl + C."""

import sys
import time
from collections.abc import Collection, Iterable, Mapping

from bnlab.cli.options import EXIT_INTERRUPTED, console, fail
from bnlab.cli.progress import end_in_time, wait_until_stopped, watch
from bnlab.runs.config import Settings
from bnlab.runs.run import Run, unreadable_text
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.shares import COMMAND_LINE
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec


def run_labels(variants: dict[str, list[RunSpec]]) -> dict[str, str]:
    """The label of each run on the terminal, by its digest."""
    return {
        spec.digest: label if len(specs) == 1 else f"{label}, seed {spec.seed}"
        for label, specs in variants.items()
        for spec in specs
    }


def are_trained(store: Store, digests: Collection[str]) -> bool:
    """Whether launching the runs would train nothing."""
    existing = store.runs(digests)
    have_ended = all(run.state.is_finished() and not run.can_launch for run in existing)
    return have_ended and len(existing) == len(digests)


def trained_runs(store: Store, labels: Mapping[str, str]) -> dict[str, Run]:
    """The runs by their digests; the command ends with an error if one was deleted while it trained."""
    found = {run.digest: run for run in store.runs(labels)}
    refuse_unreadable(store, labels)
    if gone := [label for digest, label in labels.items() if digest not in found]:
        fail(f"The run “{gone[0]}” was deleted meanwhile: the same command trains it again.")
    return found


def refuse_unreadable(store: Store, digests: Iterable[str]) -> None:
    """End the command with an error if one of these runs has to be trained and is not readable."""
    needed = set(digests)
    if unreadable := [run for run in store.unreadable_runs() if run.digest in needed and not run.recorded]:
        fail(unreadable_text(unreadable))


def train(store: Store, variants: dict[str, list[RunSpec]], labels: dict[str, str], group: str = "") -> float:
    """Launch the runs, singly or as a group, and show their progress until all have ended.

    Returns:
        The seconds from the start of the workers to the end of the last run.
    """
    refuse_unreadable(store, labels)
    started = time.monotonic()
    scheduler = Scheduler(store, scheduler=Settings().scheduler)
    try:
        labelled = [(spec, label) for label, specs in variants.items() for spec in specs]
        if group:
            scheduler.launch_group(group, labelled, COMMAND_LINE)
        else:
            scheduler.launch_runs(labelled, COMMAND_LINE)
        watch(console, scheduler, labels)
        return time.monotonic() - started
    except KeyboardInterrupt:
        end_in_time(scheduler, list(labels))
        console.print("Stopping; what was trained is kept.")
        wait_until_stopped(scheduler, list(labels))
        console.print("Stopped. The same command goes on from here.")
        sys.exit(EXIT_INTERRUPTED)
    finally:
        scheduler.close()
