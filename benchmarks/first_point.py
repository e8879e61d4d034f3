"""Time from launching a run to its first recorded evaluation, on workers that are set up."""

import tempfile
import time

from benchmarks.step_times import SPECS
from bnlab.runs.reader import evaluations_frame
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec


def first_point_seconds() -> dict[str, dict[str, float]]:
    """Network -> seconds on a worker that has to compile its program, and on one that has already compiled it."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/bnlab.db")
        scheduler = Scheduler(store, workers=1)
        try:
            small = RunSpec(hidden_units=(8,), train_examples=64, epochs=1)
            _seconds_to_first_point(scheduler, small)  # sets up the worker
            return {
                label: {
                    "new network": _seconds_to_first_point(scheduler, revise_spec(spec, {"epochs": 1})),
                    "known network": _seconds_to_first_point(scheduler, revise_spec(spec, {"epochs": 1, "seed": 1})),
                }
                for label, spec in SPECS.items()
            }
        finally:
            scheduler.close()


def _seconds_to_first_point(scheduler: Scheduler, spec: RunSpec) -> float:
    start = time.perf_counter()
    run = scheduler.launch(spec, "benchmark")
    while evaluations_frame(scheduler.store, [run]).empty:
        time.sleep(0.005)
    seconds = time.perf_counter() - start
    while not scheduler.store.run(run.digest).state.is_finished():
        time.sleep(0.02)
    return seconds
