"""What recording adds to the training steps, part by part."""

import multiprocessing
import tempfile
import time

from benchmarks.step import SPECS
from bnlab.runs.store import Store
from bnlab.runs.worker import train_slice
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec


def recording_shares(epochs: int) -> dict[str, dict[str, float]]:
    """Network -> seconds in steps, and as fractions of them: validation, and all else around the steps.

    All else: probes, snapshots, records, checkpoints, transactions, resuming from slice to slice.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return {label: pool.apply(_shares, (label, epochs)) for label in SPECS}


def _shares(label: str, epochs: int) -> dict[str, float]:
    spec = revise_spec(SPECS[label], {"epochs": epochs})
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/bnlab.db")
        _train(store, revise_spec(spec, {"seed": 1, "epochs": 1}))  # compiles
        wall = _train(store, spec)
        steps = store.run(spec.digest).seconds
    validation = _validation_seconds(spec)
    return {"step_seconds": steps, "validation": validation / steps, "all else": (wall - steps - validation) / steps}


def _train(store: Store, spec: RunSpec) -> float:
    store.launch(spec, "benchmark", "benchmark")
    began = time.perf_counter()
    while True:
        fence = store.next_fence(spec.digest, "benchmark")
        assert fence is not None
        if train_slice(store.url, spec.digest, fence).is_finished():
            return time.perf_counter() - began


def _validation_seconds(spec: RunSpec) -> float:
    """Seconds that validating alone takes in one training: one evaluation's time at each moment."""
    from bnlab.training.schedule import evaluation_steps
    from bnlab.training.trainer import Trainer

    training = Trainer(spec)
    training.validate()
    began = time.perf_counter()
    for _ in range(10):
        training.validate()
    return (time.perf_counter() - began) / 10 * len(evaluation_steps(spec))
