"""The overhead of recording relative to the training steps."""

import multiprocessing
import tempfile
import time

from benchmarks.step_times import SPECS
from bnlab.runs.store import Store
from bnlab.runs.worker import train_slice
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec


def recording_shares(epochs: int) -> dict[str, dict[str, float]]:
    """Network -> seconds in steps, and as fractions of these: validation, and all other overhead.

    The other overhead: layer records, snapshots, checkpoints, transactions, and resuming after each training slice.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return {label: pool.apply(_shares, (label, epochs)) for label in SPECS}


def _shares(label: str, epochs: int) -> dict[str, float]:
    spec = revise_spec(SPECS[label], {"epochs": epochs})
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/bnlab.db")
        _train(store, revise_spec(spec, {"seed": 1, "epochs": 1}))  # compiles the program
        total = _train(store, spec)
        steps = store.run(spec.digest).seconds
    validation = _validation_seconds(spec)
    return {"step_seconds": steps, "validation": validation / steps, "all else": (total - steps - validation) / steps}


def _train(store: Store, spec: RunSpec) -> float:
    store.launch(spec, "benchmark", "benchmark")
    start = time.perf_counter()
    while True:
        fence = store.next_fence(spec.digest, "benchmark")
        assert fence is not None
        if train_slice(store.url, spec.digest, fence).is_finished():
            return time.perf_counter() - start


def _validation_seconds(spec: RunSpec) -> float:
    """Seconds spent on validation in one training: the duration of one validation times the number of evaluations."""
    from bnlab.training.schedule import evaluation_steps
    from bnlab.training.trainer import Trainer

    trainer = Trainer(spec)
    trainer.validate()
    start = time.perf_counter()
    for _ in range(10):
        trainer.validate()
    return (time.perf_counter() - start) / 10 * len(evaluation_steps(spec))
