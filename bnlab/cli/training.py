"""Training the runs of a command: launching them, showing their progress, stopping them at Ctrl + C."""

import sys
import time
from collections.abc import Collection

from bnlab.cli.options import EXIT_INTERRUPTED, console
from bnlab.cli.progress import end_in_time, wait_until_stopped, watch
from bnlab.runs.config import Settings
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


def train(store: Store, variants: dict[str, list[RunSpec]], labels: dict[str, str], group: str = "") -> float:
    """Launch the runs, singly or as a group, and show their progress until all have ended.

    Returns:
        The seconds from the start of the workers to the end of the last run.
    """
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
