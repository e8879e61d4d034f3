"""Recordings: files of trained runs, some of which are shipped with bnlab so that no page is empty at first.

A recording has the curves and layers of its runs, not their weights. Arrays are stored as float16, which is precise
enough for charts; digests, steps, seconds and validation figures are exact.
"""

import io
import json
import os
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, insert, select

from bnlab.runs.errors import DAMAGED_RECORDING, ConflictError, decoding
from bnlab.runs.run import Run, RunState
from bnlab.runs.schema import evaluations, layers, recordings, runs, snapshots, steps
from bnlab.runs.store import Store
from bnlab.runs.writer import STORED_DTYPE

PACKED_DTYPE = np.dtype("<f2")
TABLES: dict[str, Table] = {
    "steps": steps,
    "evaluations": evaluations,
    "layers": layers,
    "snapshots": snapshots,
}
"""Each table by its key in a recording. The keys and the names of the columns are part of the file's format.

Files of earlier versions have `latencies` as well, which were measured while others trained and are not read.
"""
SHIPPED_RECORDINGS = {
    path.name.removesuffix(".npz"): path
    for path in sorted((files("bnlab.runs") / "data").iterdir(), key=lambda path: path.name)
    if path.name.endswith(".npz")
}
"""The recordings that are shipped, by the name of their preset; presets may share runs."""


def write_recording(store: Store, trained: Sequence[Run], path: Path, without_snapshots: Iterable[str] = ()) -> None:
    """Write runs of `store` that are completed or diverged to `path`.

    The snapshots of the digests in `without_snapshots` are left out.
    """
    arrays: dict[str, Any] = {"runs": _text_array(json.dumps([_describe_run(run) for run in trained]))}
    excluded = set(without_snapshots)
    with store.engine.connect() as connection:
        for key, table in TABLES.items():
            digests = [run.digest for run in trained if table is not snapshots or run.digest not in excluded]
            query = select(table).where(table.c.run.in_(digests)).order_by(*table.primary_key.columns)
            rows = [dict(row._mapping) for row in connection.execute(query)]
            with decoding():
                arrays |= _pack_rows(key, rows)
    np.savez_compressed(path, **arrays)


def read_shipped_recordings(store: Store) -> None:
    """Add the runs of all recordings that are shipped to `store`; those that exist already are skipped."""
    for path in SHIPPED_RECORDINGS.values():
        read_recording(store, path.read_bytes())


def read_recording(store: Store, recording: bytes) -> None:
    """Add the runs of a recording to `store`; those that exist already are skipped.

    Raises:
        bnlab.runs.errors.DamagedError: the recording cannot be decoded; nothing is added.
    """
    descriptions = _read_descriptions(recording)
    existing = store.existing(run["digest"] for run in descriptions)
    new_runs = [run for run in descriptions if run["digest"] not in existing]
    if not new_runs:
        return
    digests = {run["digest"] for run in new_runs}
    with decoding(DAMAGED_RECORDING), np.load(io.BytesIO(recording)) as arrays:
        rows = {key: [row for row in _unpack_rows(key, arrays) if row["run"] in digests] for key in TABLES}
    # The error means that another process has just added the same recording.
    with suppress(ConflictError), store.engine.begin() as connection:
        _insert_runs(connection, new_runs)
        for key, table in TABLES.items():
            if rows[key]:
                connection.execute(insert(table), rows[key])


def restore_recordings(store: Store, digests: Iterable[str]) -> None:
    """Replace those of the finished runs `digests` that have a shipped recording by it."""
    store.delete(shipped_digests().intersection(digests))
    read_shipped_recordings(store)


@cache
def shipped_digests() -> frozenset[str]:
    """The digests of all runs whose recordings are shipped."""
    digests: set[str] = set()
    for path in SHIPPED_RECORDINGS.values():
        digests.update(run["digest"] for run in _read_descriptions(path.read_bytes()))
    return frozenset(digests)


def _read_descriptions(recording: bytes) -> list[dict[str, Any]]:
    """The runs of a recording, as `_describe_run` describes them."""
    with decoding(DAMAGED_RECORDING), np.load(io.BytesIO(recording)) as arrays:
        descriptions: list[dict[str, Any]] = json.loads(arrays["runs"].tobytes())
        return descriptions


def describe_machine() -> str:
    """The date and this machine as text, for the origin of recorded runs."""
    today = datetime.now(UTC)
    return f"{today.day} {today:%B %Y}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def _describe_run(run: Run) -> dict[str, Any]:
    return {
        "digest": run.digest,
        "label": run.label,
        "state": run.state,
        "error": run.error,
        "step": run.step,
        "total_steps": run.total_steps,
        "seconds": run.seconds,
        "shared": run.shared,
        "created_at": run.created_at,
        "spec": run.spec.model_dump_json(),
        "origin": run.recorded or describe_machine(),
    }


def _insert_runs(connection: Connection, descriptions: Sequence[Mapping[str, Any]]) -> None:
    now = time.time()
    former = {"state": RunState.COMPLETED, "error": ""}  # recordings of version 0.1 have neither
    lease = {"stop_requested": False, "owner": "", "lease_until": 0.0}
    times = {"queued_at": now, "updated_at": now, "fence": 0}
    rows = [
        former | {name: value for name, value in run.items() if name != "origin"} | lease | times
        for run in descriptions
    ]
    connection.execute(insert(runs), rows)
    connection.execute(insert(recordings), [{"run": run["digest"], "origin": run["origin"]} for run in descriptions])


def _pack_rows(key: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A table's rows as arrays: plain columns and names of binary ones as JSON, binary values, and their lengths."""
    plain = [{name: value for name, value in row.items() if not isinstance(value, bytes)} for row in rows]
    binary = [{name: value for name, value in row.items() if isinstance(value, bytes)} for row in rows]
    with np.errstate(over="ignore"):  # losses of a run that diverges are infinite in float16
        floats = [np.frombuffer(value, STORED_DTYPE).astype(PACKED_DTYPE) for row in binary for value in row.values()]
    return {
        key: _text_array(json.dumps(plain)),
        f"{key}_names": _text_array(json.dumps(list(binary[0]) if binary else [])),
        f"{key}_values": np.concatenate([*floats, np.empty(0, PACKED_DTYPE)]),
        f"{key}_lengths": np.array([len(values) for values in floats], np.int32),
    }


def _unpack_rows(key: str, arrays: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    names = json.loads(arrays[f"{key}_names"].tobytes())
    ends = np.cumsum(arrays[f"{key}_lengths"])[:-1]
    floats = iter(np.split(arrays[f"{key}_values"].astype(STORED_DTYPE), ends))
    for plain in json.loads(arrays[key].tobytes()):
        yield plain | {name: next(floats).tobytes() for name in names}


def _text_array(text: str) -> Any:
    return np.frombuffer(text.encode(), np.uint8)
