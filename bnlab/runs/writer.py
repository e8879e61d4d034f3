"""Writing a run's records, checkpoint and state to the store, in one transaction per commit."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, Table, case, delete, insert, select, update

from bnlab.runs.errors import ConflictError, StoreError, decoding
from bnlab.runs.run import RunState
from bnlab.runs.schema import checkpoints, evaluations, layers, runs, snapshots, steps
from bnlab.runs.store import Store
from bnlab.training.records import Checkpoint, LayerRecord, Records

STORED_DTYPE = np.dtype("<f4")
"""The type of all arrays in the store."""
RETRY_SECONDS = 10.0
"""For how long a slice tries again to use a store that is away, locked or full, before the run goes to the queue."""
RETRY_PAUSE_SECONDS = 0.2


T = TypeVar("T")


class SupersededError(RuntimeError):
    """A later slice of the run was started, or the run was removed: this slice must not write any more."""


class MissingRunError(SupersededError):
    """The store has no such run: it was removed, or the worker reads another store than the scheduler."""


def retry(attempt: Callable[[], T]) -> T:
    """Call `attempt` until it raises no StoreError, for RETRY_SECONDS; the last error is raised.

    A ConflictError is raised at once: it would come again.
    """
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        try:
            return attempt()
        except ConflictError:
            raise
        except StoreError:
            if time.monotonic() > deadline:
                raise
        time.sleep(RETRY_PAUSE_SECONDS)


def read_checkpoint(store: Store, digest: str) -> Checkpoint | None:
    """The checkpoint of a run; None before its first step, after it was deleted, and if there is no such run.

    Raises:
        bnlab.runs.errors.DamagedError: it cannot be decoded.
    """
    query = select(runs.c.step, runs.c.seconds, checkpoints).join_from(runs, checkpoints)
    with store.engine.connect() as connection:  # one query, so that step and arrays belong together
        rows = connection.execute(query.where(runs.c.digest == digest)).all()
    if not rows:
        return None
    with decoding():
        arrays = {row.name: np.frombuffer(row.values, STORED_DTYPE).reshape(json.loads(row.shape)) for row in rows}
    return Checkpoint(rows[0].step, rows[0].seconds, arrays)


class RunWriter:
    """Writes one run on behalf of the slice numbered `fence`."""

    def __init__(self, store: Store, digest: str, fence: int) -> None:
        self._engine = store.engine
        self._digest = digest
        self._fence = fence

    def stop_requested(self) -> bool:
        """Whether the run is to be stopped; see `retry`.

        Raises:
            SupersededError: a later slice of the run was started, or the run was removed.
            bnlab.runs.errors.StoreError: the store cannot be read.
        """
        query = select(runs.c.stop_requested, runs.c.fence).where(runs.c.digest == self._digest)

        def read() -> Row[bool, int] | None:
            with self._engine.connect() as connection:
                return connection.execute(query).one_or_none()

        row = retry(read)
        if row is None or row.fence != self._fence:
            raise SupersededError(self._digest)
        return bool(row.stop_requested)

    def commit(self, records: Records, checkpoint: Checkpoint, state: RunState) -> None:
        """Write the records, the checkpoint that follows them and the state, all or nothing; see `retry`.

        Raises:
            SupersededError: a later slice of the run was started, or the run was removed; nothing is written.
            bnlab.runs.errors.StoreError: the store cannot be written.
        """
        now = time.time()  # identifies this commit: a lost connection does not tell whether the database made it
        retry(lambda: self._commit(records, checkpoint, state, now))

    def _commit(self, records: Records, checkpoint: Checkpoint, state: RunState, now: float) -> None:
        mine = (runs.c.digest == self._digest) & (runs.c.fence == self._fence)
        # Who launched it after the slice saw the request to stop wants it to go on.
        end = case((runs.c.stop_requested, state), else_=RunState.RUNNING) if state is RunState.STOPPED else state
        with self._engine.begin() as connection:
            updated = connection.execute(
                update(runs)
                .where(mine, runs.c.updated_at != now)
                .values(step=checkpoint.step, seconds=checkpoint.seconds, state=end, updated_at=now)
            )
            if updated.rowcount != 1:
                if connection.scalar(select(runs.c.updated_at).where(mine)) == now:
                    return  # by an earlier attempt
                raise SupersededError(self._digest)
            self._write_records(connection, records)
            connection.execute(delete(checkpoints).where(checkpoints.c.run == self._digest))
            self._insert(
                connection,
                checkpoints,
                [
                    {"name": name, "shape": json.dumps(array.shape), "values": _to_bytes(array)}
                    for name, array in checkpoint.arrays.items()
                ],
            )

    def _write_records(self, connection: Connection, records: Records) -> None:
        if len(records.loss):
            block = {"loss": _to_bytes(records.loss), "accuracy": _to_bytes(records.accuracy)}
            self._insert(connection, steps, [{"first_step": records.first_step, **block}])
        measured = records.evaluations
        self._insert(
            connection,
            evaluations,
            [
                {"step": e.step, "seconds": e.seconds, "val_loss": e.val_loss, "val_accuracy": e.val_accuracy}
                | e.by_statistics
                for e in measured
            ],
        )
        self._insert(connection, layers, [_layer_row(e.step, layer) for e in measured for layer in e.layers])
        self._insert(
            connection,
            snapshots,
            [
                {"step": e.step, "layer": snapshot.layer, "variable": name, "values": _to_bytes(array)}
                for e in measured
                for snapshot in e.snapshots
                for name, array in snapshot.values.items()
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
        "percentiles": _to_bytes(np.asarray(layer.percentiles, np.float32)),
    }


def _to_bytes(array: NDArray[np.float32]) -> bytes:
    return np.ascontiguousarray(array, STORED_DTYPE).tobytes()
