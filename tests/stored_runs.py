"""Runs written to a store as a worker writes them, without a worker or TensorFlow."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.runs.writer import RunWriter
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import Evaluation, LayerRecord, Records, Snapshot

OWNER = "elsewhere:1:2.00:abcd"


@dataclass
class CheckpointStub:
    """The attributes of a checkpoint that `RunWriter` reads."""

    step: int
    seconds: float = 0.0
    arrays: dict[str, np.ndarray] = field(default_factory=lambda: {"dense_1/kernel": np.zeros((2, 3), np.float32)})


def float32_array(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def make_evaluation(step: int, val_loss: float = 1.0, val_accuracy: float = 0.5, **changes: Any) -> Evaluation:
    layer = LayerRecord("dense_1", 0.25, 3.0, (-2.0, -1.0, 0.0, 1.0, 2.0))
    snapshot = Snapshot("bn_1", {"gamma": float32_array(1, 1), "beta": float32_array(0, step)})
    fields = {"seconds": step / 10, "layers": (layer,), "snapshots": (snapshot,)} | changes
    return Evaluation(step, val_loss=val_loss, val_accuracy=val_accuracy, **fields)


def open_writer(store: Store, spec: RunSpec, label: str = "A") -> RunWriter:
    """Launch a run and return the writer of its first training slice."""
    run = store.launch(spec, label, OWNER)
    fence = store.next_fence(run.digest, OWNER)
    assert fence is not None
    return RunWriter(store, run.digest, fence)


def record_run(
    store: Store,
    spec: RunSpec,
    losses: tuple[float, ...] = (),
    evaluations: tuple[Evaluation, ...] = (),
    state: RunState = RunState.RUNNING,
) -> Run:
    """Write a run with these training losses, accuracies of a tenth of them, and 0.1 s per step."""
    curve = float32_array(*losses)
    records = Records(0, curve, curve / 10, list(evaluations))
    writer = open_writer(store, spec)
    if state is RunState.STOPPED:
        store.request_stop([spec.digest])
    writer.commit(records, CheckpointStub(len(losses), len(losses) / 10), state)
    return store.run(spec.digest)
