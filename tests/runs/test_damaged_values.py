"""Values in the store that cannot be decoded, as on a damaged page that SQLite does not notice: a sentence each."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Column, literal, select, update

from bnlab.runs.errors import DamagedError, decoding
from bnlab.runs.measurements import Measurement, read_measurements, write_measurement
from bnlab.runs.reader import (
    evaluations_frame,
    history_frame,
    layers_frame,
    read_evaluations,
    read_steps,
    snapshots_frame,
)
from bnlab.runs.recording import SHIPPED_RECORDINGS, read_recording, write_recording
from bnlab.runs.run import RunState
from bnlab.runs.schema import checkpoints, evaluations, layers, measurements, snapshots, steps
from bnlab.runs.store import Store
from bnlab.runs.writer import read_checkpoint
from bnlab.specs.run_spec import RunSpec
from tests.broken_stores import is_a_plain_sentence
from tests.stored_runs import make_evaluation, record_run

SPEC = RunSpec(train_examples=64, batch_size=32, epochs=1)
MEASUREMENT = Measurement("lengths", pd.DataFrame, SPEC)
TABLE = pd.DataFrame({"step": np.arange(1000), "value": np.random.default_rng(0).normal(size=1000)})


@pytest.fixture
def filled(store: Store) -> Store:
    evaluated = (make_evaluation(0), make_evaluation(2))
    record_run(store, SPEC, (2.0, 1.0), evaluated, RunState.COMPLETED)
    write_measurement(store, MEASUREMENT, TABLE)
    return store


def cut(value: bytes) -> bytes:
    return value[:-1]


def garbage(value: bytes) -> bytes:
    return b"\xa5" * len(value)


def one_byte(value: bytes) -> bytes:
    """Parquet without checksums would read another number."""
    middle = len(value) // 2
    return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]


def text(_value: object) -> str:
    return "[2, 3"


READERS: dict[str, Callable[[Store], object]] = {
    "steps": lambda store: read_steps(store, {SPEC.digest: 0}),
    "evaluations": lambda store: read_evaluations(store, [store.run(SPEC.digest)]),
    "evaluations_frame": lambda store: evaluations_frame(store, [store.run(SPEC.digest)]),
    "history": lambda store: history_frame(store, store.run(SPEC.digest)),
    "layers": lambda store: layers_frame(store, SPEC.digest),
    "snapshots": lambda store: snapshots_frame(store, SPEC.digest, "bn_1"),
    "checkpoint": lambda store: read_checkpoint(store, SPEC.digest),
    "measurements": lambda store: read_measurements(store, [MEASUREMENT]),
}


@pytest.mark.parametrize(
    ("column", "damage", "readers"),
    [
        (steps.c.loss, cut, ["steps", "history"]),
        (steps.c.accuracy, lambda value: value[:-4], ["steps", "history"]),
        (evaluations.c.val_loss, text, ["evaluations", "evaluations_frame"]),
        (layers.c.percentiles, cut, ["layers"]),
        (layers.c.percentiles, lambda value: value[:-4], ["layers"]),
        (snapshots.c["values"], cut, ["snapshots"]),
        (snapshots.c["values"], lambda value: value[:-4], ["snapshots"]),
        (checkpoints.c["values"], cut, ["checkpoint"]),
        (checkpoints.c.shape, text, ["checkpoint"]),
        (measurements.c.result, cut, ["measurements"]),
        (measurements.c.result, garbage, ["measurements"]),
        (measurements.c.result, one_byte, ["measurements"]),
    ],
)
def test_what_cannot_be_decoded_is_an_error_of_the_store(
    filled: Store, column: Column[bytes], damage: Callable[[bytes], bytes], readers: list[str]
) -> None:
    for reader in READERS.values():
        reader(filled)
    damage_first(filled, column, damage)
    for name in readers:
        with pytest.raises(DamagedError) as caught:
            READERS[name](filled)
        assert is_a_plain_sentence(str(caught.value))


def damage_first(store: Store, column: Column[bytes], damage: Callable[[bytes], bytes]) -> None:
    """Change the value in the column's first row."""
    keys = column.table.primary_key.columns
    with store.engine.begin() as connection:
        row = connection.execute(select(column, *keys).order_by(*keys)).first()
        assert row is not None
        damaged = damage(row._mapping[column])
        chosen = [key == row._mapping[key] for key in keys]
        connection.execute(update(column.table).where(*chosen).values({column: literal(damaged)}))


def test_a_recording_of_damaged_values_is_not_written(filled: Store, tmp_path: Path) -> None:
    damage_first(filled, steps.c.loss, cut)
    with pytest.raises(DamagedError):
        write_recording(filled, filled.runs(), tmp_path / "recording.npz")
    assert not list(tmp_path.glob("*.npz"))


@pytest.mark.parametrize("damage", [cut, garbage, lambda value: value[:1000]])
def test_a_damaged_recording_adds_nothing(store: Store, damage: Callable[[bytes], bytes]) -> None:
    recording = min((path.read_bytes() for path in SHIPPED_RECORDINGS.values()), key=len)
    with pytest.raises(DamagedError, match="recording"):
        read_recording(store, damage(recording))
    assert store.runs() == []


def test_results_without_checksums_are_read(filled: Store) -> None:
    """As earlier versions of bnlab wrote them."""
    damage_first(filled, measurements.c.result, lambda _value: TABLE.to_parquet(index=False))
    pd.testing.assert_frame_equal(read_measurements(filled, [MEASUREMENT])[MEASUREMENT], TABLE)


@pytest.mark.parametrize("error", [ValueError(), OSError(), KeyError(), TypeError(), UnicodeError(), MemoryError()])
def test_whatever_decoding_raises_is_the_same_error(error: Exception) -> None:
    with pytest.raises(DamagedError), decoding():
        raise error
