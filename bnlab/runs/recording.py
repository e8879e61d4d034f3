"""Runs that ship with bnlab, so that nobody meets an empty page: written from a store, read into one.

A recording holds the curves and layers of finished runs, not their weights. Values are kept as float16, which is more
than a screen shows; digests, steps, seconds and validation figures are exact.
"""

import io
import json
import os
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, insert, select
from sqlalchemy.exc import IntegrityError

from bnlab.runs.run import Run, RunState
from bnlab.runs.schema import evaluations, latencies, layers, recordings, runs, snapshots, steps
from bnlab.runs.store import Store
from bnlab.runs.writer import FLOATS

PACKED = np.dtype("<f2")
PARTS: dict[str, Table] = {
    "steps": steps,
    "evaluations": evaluations,
    "layers": layers,
    "snapshots": snapshots,
    "latencies": latencies,
}
"""Each table by its key in a recording: part of the file's format, as the names of the tables' columns are."""
SHIPPED = files("bnlab.runs") / "data" / "notebook.npz"


def write_recording(store: Store, chosen: Sequence[Run], path: Path, without_snapshots: Iterable[str] = ()) -> None:
    """Write completed runs of `store` to `path`; `without_snapshots` names those whose layers' values are left out."""
    arrays: dict[str, Any] = {"runs": _text(json.dumps([_described(run) for run in chosen]))}
    left_out = set(without_snapshots)
    with store.engine.connect() as connection:
        for key, table in PARTS.items():
            digests = [run.digest for run in chosen if table is not snapshots or run.digest not in left_out]
            query = select(table).where(table.c.run.in_(digests)).order_by(*table.primary_key.columns)
            rows = [dict(row._mapping) for row in connection.execute(query)]
            arrays |= _packed(key, rows)
    np.savez_compressed(path, **arrays)


def read_recording(store: Store, packed: bytes | None = None) -> None:
    """Put the runs of a recording, the shipped one by default, into `store`, but for those it has already."""
    with np.load(io.BytesIO(SHIPPED.read_bytes() if packed is None else packed)) as arrays:
        described: list[dict[str, Any]] = json.loads(arrays["runs"].tobytes())
        known = {run.digest for run in store.runs(run["digest"] for run in described)}
        fresh = [run for run in described if run["digest"] not in known]
        if not fresh:
            return
        # Another app that starts on the same store at this moment may have been faster: all of it or nothing.
        with suppress(IntegrityError), store.engine.begin() as connection:
            _insert_runs(connection, fresh)
            for key, table in PARTS.items():
                digests = {run["digest"] for run in fresh}
                rows = [row for row in _unpacked(key, arrays) if row["run"] in digests]
                if rows:
                    connection.execute(insert(table), rows)


def describe_machine() -> str:
    """Today and this machine, in words, as a recording's origin."""
    today = datetime.now(UTC)
    return f"{today.day} {today:%B %Y}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def _described(run: Run) -> dict[str, Any]:
    kept = {name: getattr(run, name) for name in ("digest", "label", "step", "total_steps", "seconds", "created_at")}
    return kept | {"spec": run.spec.model_dump_json(), "origin": run.recorded or describe_machine()}


def _insert_runs(connection: Connection, described: Sequence[Mapping[str, Any]]) -> None:
    now = time.time()
    ended = {"state": RunState.COMPLETED, "error": "", "stop_requested": False, "owner": "", "lease_until": 0.0}
    times = {"queued_at": now, "updated_at": now, "fence": 0}
    rows = [{name: value for name, value in run.items() if name != "origin"} | ended | times for run in described]
    connection.execute(insert(runs), rows)
    connection.execute(insert(recordings), [{"run": run["digest"], "origin": run["origin"]} for run in described])


def _packed(key: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A table's rows as three arrays: the plain columns as JSON, all binary values in a row, and their lengths."""
    plain = [{name: value for name, value in row.items() if not isinstance(value, bytes)} for row in rows]
    binary = [{name: value for name, value in row.items() if isinstance(value, bytes)} for row in rows]
    floats = [np.frombuffer(value, FLOATS).astype(PACKED) for own in binary for value in own.values()]
    return {
        key: _text(json.dumps(plain)),
        f"{key}_names": _text(json.dumps(list(binary[0]) if binary else [])),
        f"{key}_values": np.concatenate([*floats, np.empty(0, PACKED)]),
        f"{key}_lengths": np.array([len(values) for values in floats], np.int32),
    }


def _unpacked(key: str, arrays: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    names = json.loads(arrays[f"{key}_names"].tobytes())
    ends = np.cumsum(arrays[f"{key}_lengths"])[:-1]
    floats = iter(np.split(arrays[f"{key}_values"].astype(FLOATS), ends))
    for plain in json.loads(arrays[key].tobytes()):
        yield plain | {name: next(floats).tobytes() for name in names}


def _text(text: str) -> Any:
    return np.frombuffer(text.encode(), np.uint8)
