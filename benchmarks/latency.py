"""From launch to the first recorded point, on workers that are warm."""

import tempfile
import time

from benchmarks.step import SPECS
from bnlab.runs.reader import evaluations_frame
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec


def first_point_seconds() -> dict[str, dict[str, float]]:
    """Network -> seconds when the worker has trained nothing like it, and when it has its program."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/bnlab.db")
        lab = Scheduler(store, workers=1)
        try:
            _until_first_point(lab, RunSpec(hidden_units=(8,), train_examples=64, epochs=1))  # warms the worker
            return {
                label: {
                    "new network": _until_first_point(lab, revise_spec(spec, {"epochs": 1})),
                    "known network": _until_first_point(lab, revise_spec(spec, {"epochs": 1, "seed": 1})),
                }
                for label, spec in SPECS.items()
            }
        finally:
            lab.close()


def _until_first_point(lab: Scheduler, spec: RunSpec) -> float:
    began = time.perf_counter()
    run = lab.launch(spec, "benchmark")
    while evaluations_frame(lab.store, [run]).empty:
        time.sleep(0.005)
    seconds = time.perf_counter() - began
    while not lab.store.run(run.digest).state.is_finished():
        time.sleep(0.02)
    return seconds
