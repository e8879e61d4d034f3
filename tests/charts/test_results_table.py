"""The cells of the results table."""

import math
from pathlib import Path

import pytest

from bnlab.charts.results_table import (
    COLUMNS,
    MISSING,
    measured_runs,
    result_columns,
    result_texts,
    results_table,
)
from bnlab.runs.latencies import last_measured, write_latencies
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.runs.summary import RESULTS_COLUMNS, SHARED_TEXTS
from bnlab.specs.network import prediction_key
from bnlab.specs.run_spec import RunSpec
from tests.runs.store_rows import update_row
from tests.stored_runs import make_evaluation, record_run


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("difference", -0.00003, "+0.00"),
        ("difference", -0.0123, "−1.23"),
        ("difference", 0.5, "+50.00"),
        ("val_accuracy", 0.97125, "97.12 %"),
        ("val_loss", 0.12345, "0.1235"),
        ("val_loss", 5.2e21, MISSING),
        ("val_loss", math.inf, MISSING),
        ("params", 25_450, "25,450"),
        ("latency_1", 0.00025, "0.250"),
        ("shared", True, SHARED_TEXTS[True]),
        ("shared", False, SHARED_TEXTS[False]),
    ],
)
def test_a_value_is_written_as_its_column_says(name: str, value: float, text: str) -> None:
    assert COLUMNS[name].format(value) == text


def test_every_column_of_the_frame_but_the_label_is_one_of_the_table() -> None:
    assert {"label", *COLUMNS} == set(RESULTS_COLUMNS)


def test_columns_that_say_nothing_are_left_out(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    diverged = record_run(store, RunSpec(epochs=1), (math.inf,), (make_evaluation(0),), RunState.DIVERGED)
    assert result_columns([diverged], seeds=2, baseline="A") == list(COLUMNS)
    assert "difference_runs" not in result_columns([], seeds=2, baseline="A"), "as many as are measured"
    one = result_columns([], seeds=1, baseline="")
    hidden = {"runs", "difference", "difference_runs", "diverged"}
    assert not {name for name in one if name.endswith("_sd")} | hidden & set(one)


def test_the_texts_follow_the_store(tmp_path: Path) -> None:
    store, spec = Store(f"sqlite:///{tmp_path}/bnlab.db"), RunSpec(epochs=1, train_examples=64)
    run = record_run(store, spec, (2.0,), (make_evaluation(0), make_evaluation(1, 0.25, 0.75)), RunState.RUNNING)
    measured = measured_runs({"A": [run], "B": []}, {run.digest: 1})
    (row,) = result_texts(store, measured, "", 0.0).values()
    assert (row["val_loss"], row["val_accuracy"], row["latency_1"]) == ("0.2500", "75.00 %", MISSING)
    assert results_table(store, measured, "", 0.0) is results_table(store, measured, "", 0.0), "computed once"
    write_latencies(store, {prediction_key(spec): {1: 0.002}})
    (row,) = result_texts(store, measured, "", last_measured(store)).values()
    assert (row["latency_1"], row["latency_256"]) == ("2.000", MISSING)


def test_the_texts_say_how_seconds_were_measured(tmp_path: Path) -> None:
    store, spec = Store(f"sqlite:///{tmp_path}/bnlab.db"), RunSpec(epochs=1, train_examples=64)
    record_run(store, spec, (2.0,), (make_evaluation(0),), RunState.RUNNING)
    texts = []
    for shared in (None, False, True):
        update_row(store, spec, shared=shared)
        measured = measured_runs({"A": store.runs()}, {spec.digest: 0})
        texts.append(result_texts(store, measured, "", 0.0)["A"]["shared"])
    assert texts == [SHARED_TEXTS[None], SHARED_TEXTS[False], SHARED_TEXTS[True]]
