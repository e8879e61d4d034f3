"""The worker's side of the store: what a run recorded and where it stands, written in one transaction."""

import json
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Table, delete, insert, select, update

from bnlab.runs.run import RunState
from bnlab.runs.schema import checkpoints, evaluations, latencies, layers, runs, snapshots, steps
from bnlab.runs.store import Store
from bnlab.training.records import Checkpoint, LayerRecord, Records

FLOATS = np.dtype("<f4")


class SupersededError(RuntimeError):
    """Another slice of the run was handed out since: this one must write nothing more."""


def read_checkpoint(store: Store, digest: str) -> Checkpoint | None:
    """The checkpoint of a run; None where none is kept, as before a run's first step or of a run that was removed."""
    query = select(runs.c.step, runs.c.seconds, checkpoints).join_from(runs, checkpoints)
    with store.engine.connect() as connection:  # one query, so that step and arrays belong together
        rows = connection.execute(query.where(runs.c.digest == digest)).all()
    if not rows:
        return None
    arrays = {row.name: np.frombuffer(row.values, FLOATS).reshape(json.loads(row.shape)) for row in rows}
    return Checkpoint(rows[0].step, rows[0].seconds, arrays)


class RunWriter:
    """Writes one run on behalf of the slice numbered `fence`."""

    def __init__(self, store: Store, digest: str, fence: int) -> None:
        self._engine = store.engine
        self._digest = digest
        self._fence = fence

    def stop_requested(self) -> bool:
        """Whether somebody wants the run stopped.

        Raises:
            SupersededError: a later slice of the run exists.
        """
        query = select(runs.c.stop_requested, runs.c.fence).where(runs.c.digest == self._digest)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None or row.fence != self._fence:
            raise SupersededError(self._digest)
        return bool(row.stop_requested)

    def commit(self, records: Records, checkpoint: Checkpoint, state: RunState) -> None:
        """Write the records, the checkpoint that follows them and the state, all or nothing.

        Raises:
            SupersededError: a later slice of the run exists; nothing is written.
        """
        with self._engine.begin() as connection:
            moved = connection.execute(
                update(runs)
                .where(runs.c.digest == self._digest, runs.c.fence == self._fence)
                .values(step=checkpoint.step, seconds=checkpoint.seconds, state=state, updated_at=time.time())
            )
            if moved.rowcount != 1:
                raise SupersededError(self._digest)
            self._write_records(connection, records)
            connection.execute(delete(checkpoints).where(checkpoints.c.run == self._digest))
            self._insert(
                connection,
                checkpoints,
                [
                    {"name": name, "shape": json.dumps(array.shape), "values": _bytes(array)}
                    for name, array in checkpoint.arrays.items()
                ],
            )

    def write_latencies(self, seconds: Mapping[int, float]) -> None:
        """Note how long a prediction takes, by batch size."""
        with self._engine.begin() as connection:
            connection.execute(delete(latencies).where(latencies.c.run == self._digest))
            rows = [{"batch_size": size, "seconds": fastest} for size, fastest in seconds.items()]
            self._insert(connection, latencies, rows)

    def _write_records(self, connection: Connection, records: Records) -> None:
        if len(records.loss):
            block = {"loss": _bytes(records.loss), "accuracy": _bytes(records.accuracy)}
            self._insert(connection, steps, [{"first_step": records.first_step, **block}])
        measured = records.evaluations
        self._insert(
            connection,
            evaluations,
            [
                {"step": m.step, "seconds": m.seconds, "val_loss": m.val_loss, "val_accuracy": m.val_accuracy}
                for m in measured
            ],
        )
        self._insert(connection, layers, [_layer_row(m.step, layer) for m in measured for layer in m.layers])
        self._insert(
            connection,
            snapshots,
            [
                {"step": m.step, "layer": s.layer, "variable": name, "values": _bytes(array)}
                for m in measured
                for s in m.snapshots
                for name, array in s.values.items()
            ],
        )

    def _insert(self, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            connection.execute(insert(table), [{"run": self._digest, **row} for row in rows])


def _layer_row(step: int, layer: LayerRecord) -> dict[str, Any]:
    return {
        "step": step,
        "layer": layer.layer,
        "gradient_norm": layer.gradient_norm,
        "weight_norm": layer.weight_norm,
        "percentiles": _bytes(np.asarray(layer.percentiles, np.float32)),
    }


def _bytes(array: NDArray[np.float32]) -> bytes:
    return np.ascontiguousarray(array, FLOATS).tobytes()
