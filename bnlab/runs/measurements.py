"""The measurement cache: tables computed by workers from specs and stored under a declared id."""

import io
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from sqlalchemy import Column, Row, delete, insert, select

from bnlab.runs.errors import decoding
from bnlab.runs.schema import measurements as results_table
from bnlab.runs.store import Store
from bnlab.runs.worker_store import open_worker_store
from bnlab.specs.run_spec import RunSpec


@dataclass(frozen=True)
class Measurement:
    """One measurement of one spec: a worker calls `function(store_url, spec, *arguments)`, which returns a table.

    The result is stored under `id`, the arguments and the spec's digest. If the meaning of a function's results
    changes, its measurement needs a new id; the function may be renamed and moved.
    """

    id: str
    function: Callable[..., pd.DataFrame] = field(compare=False)
    spec: RunSpec
    arguments: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """The id with the arguments, as `depth_profile:0-10-100`."""
        return f"{self.id}:{'-'.join(map(str, self.arguments))}" if self.arguments else self.id


def take_measurement(store_url: str, measurement: Measurement) -> None:
    """Compute a measurement and store it: a task for `Scheduler.submit`. Raises what its function raises."""
    table = measurement.function(store_url, measurement.spec, *measurement.arguments)
    write_measurement(open_worker_store(store_url), measurement, table)


def write_measurement(store: Store, measurement: Measurement, table: pd.DataFrame) -> None:
    """Store a result, replacing an earlier one; checksums tell a damaged one from other values."""
    result = table.to_parquet(index=False, write_page_checksum=True)
    row = {"measurement": measurement.key, "spec": measurement.spec.digest}
    with store.engine.begin() as connection:
        connection.execute(delete(results_table).filter_by(**row))
        connection.execute(insert(results_table), [row | {"result": result}])


def read_measurements(store: Store, measurements: Iterable[Measurement]) -> dict[Measurement, pd.DataFrame]:
    """The stored results of `measurements`.

    Raises:
        bnlab.runs.errors.DamagedError: one of them cannot be decoded.
    """
    rows = _stored_rows(store, measurements, results_table.c.spec, results_table.c.result)
    with decoding():
        return {measurement: _decode(row.result) for measurement, row in rows}


def _decode(result: bytes) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(result), page_checksum_verification=True)


def stored_measurements(store: Store, measurements: Iterable[Measurement]) -> set[Measurement]:
    """The `measurements` that have a stored result."""
    return {measurement for measurement, _ in _stored_rows(store, measurements, results_table.c.spec)}


def stored_keys(store: Store) -> set[tuple[str, str]]:
    """The key and the spec's digest of every stored result."""
    query = select(results_table.c.measurement, results_table.c.spec)
    with store.engine.connect() as connection:
        return {(row.measurement, row.spec) for row in connection.execute(query)}


def _stored_rows(
    store: Store, measurements: Iterable[Measurement], *columns: Column[Any]
) -> list[tuple[Measurement, Row[Any]]]:
    """The stored rows of `measurements`, one query per key; `columns` must contain the spec's digest."""
    by_key: dict[str, dict[str, Measurement]] = defaultdict(dict)
    for measurement in measurements:
        by_key[measurement.key][measurement.spec.digest] = measurement
    rows: list[tuple[Measurement, Row[Any]]] = []
    with store.engine.connect() as connection:
        for key, by_digest in by_key.items():
            query = select(*columns).where(results_table.c.measurement == key, results_table.c.spec.in_(by_digest))
            rows += [(by_digest[row.spec], row) for row in connection.execute(query)]
    return rows
