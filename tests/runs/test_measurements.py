"""The measurement cache: results are found by id, arguments and spec, and computed by workers."""

import pandas as pd
import pytest

from bnlab.runs.measurements import (
    Measurement,
    read_measurements,
    stored_keys,
    stored_measurements,
    take_measurement,
    write_measurement,
)
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec

SPEC = RunSpec()
OTHER = RunSpec(seed=1)


def list_layers(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    return pd.DataFrame({"layer": [layer.name for layer in describe_network(spec).layers]})


def list_units(_store_url: str, spec: RunSpec, *added: int) -> pd.DataFrame:
    return pd.DataFrame({"units": [*spec.hidden_units, *added]})


def test_results_are_found_by_id_arguments_and_spec(store: Store) -> None:
    measurements = [
        Measurement("layers", list_layers, SPEC),
        Measurement("units", list_units, SPEC),
        Measurement("units", list_units, SPEC, (5, 10)),
        Measurement("layers", list_layers, OTHER),
        Measurement("units", list_units, SPEC, (5,)),
    ]
    taken = measurements[:3]
    for measurement in taken:
        take_measurement(store.url, measurement)
    tables = read_measurements(store, measurements)
    assert set(tables) == stored_measurements(store, measurements) == set(taken)
    pd.testing.assert_frame_equal(tables[taken[0]], list_layers("", SPEC))
    assert tables[taken[1]]["units"].tolist() == [300, 100]
    assert tables[taken[2]]["units"].tolist() == [300, 100, 5, 10]
    assert read_measurements(store, []) == {}
    assert stored_keys(store) == {(key, SPEC.digest) for key in ("layers", "units", "units:5-10")}


def test_the_function_is_not_part_of_the_identity(store: Store) -> None:
    write_measurement(store, Measurement("layers", list_layers, SPEC), pd.DataFrame({"layer": ["a"]}))
    moved = Measurement("layers", list_units, SPEC)
    assert read_measurements(store, [moved])[moved]["layer"].tolist() == ["a"]


def test_a_later_result_replaces_an_earlier_one(store: Store) -> None:
    measurement = Measurement("units", list_units, SPEC)
    for value in (1.0, float("nan")):
        write_measurement(store, measurement, pd.DataFrame({"value": [value]}))
    (table,) = read_measurements(store, [measurement]).values()
    assert table["value"].isna().all()


@pytest.mark.workers
def test_a_worker_takes_a_measurement(store: Store, scheduler: str) -> None:
    task_scheduler, measurement = Scheduler(store, scheduler=scheduler), Measurement("units", list_units, SPEC, (7,))
    try:
        task_scheduler.submit(take_measurement, store.url, measurement).result(timeout=60)
    finally:
        task_scheduler.close()
    assert read_measurements(store, [measurement])[measurement]["units"].tolist() == [300, 100, 7]
