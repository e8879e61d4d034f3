"""The table of all runs, against what was written."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bnlab.runs import summary
from bnlab.runs.recording import read_recording, write_recording
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.runs.summary import RUNS_COLUMNS, runs_frame
from bnlab.specs.run_spec import RunSpec
from tests.runs.store_rows import update_row
from tests.stored_runs import OWNER, make_evaluation, record_run

SPEC = RunSpec(train_examples=8, batch_size=4, epochs=2)


def specs(count: int) -> list[RunSpec]:
    return [SPEC.model_copy(update={"seed": seed}) for seed in range(count)]


def test_row_of_a_run(store: Store) -> None:
    spec = SPEC.model_copy(update={"placement": "before_activation", "seed": 7})
    run = record_run(store, spec, (3.0, 2.0, 1.0), (make_evaluation(0, 2.0, 0.1), make_evaluation(2, 1.0, 0.75)))
    (row,) = runs_frame(store, [run]).to_dict("records")
    assert row == {
        "digest": spec.digest,
        "label": "A",
        "state": "RUNNING",
        "progress": 0.75,
        "val_accuracy": 0.75,
        "seconds": pytest.approx(0.3),
        "shared": False,
        "images_per_second": pytest.approx(3 * 4 / 0.3),
        "made": pd.Timestamp(datetime.fromtimestamp(int(run.created_at), UTC)),
        "recorded": False,
        "tags": [],
        "note": "",
    }


def test_only_seconds_that_there_are_were_measured_in_some_way(store: Store) -> None:
    waiting, alone, shared, recorded = specs(4)
    store.launch(waiting, "waiting", OWNER)
    for spec in (alone, shared, recorded):
        record_run(store, spec, (3.0,), (make_evaluation(0),))
    store.mark_shared([shared.digest])
    update_row(store, recorded, shared=None)
    frame = runs_frame(store, store.runs())
    assert dict(zip(frame["digest"], frame["shared"], strict=True)) == {
        waiting.digest: None,
        alone.digest: False,
        shared.digest: True,
        recorded.digest: None,
    }
    assert frame.set_index("digest")["images_per_second"].isna().to_dict() == {
        spec.digest: spec is waiting for spec in (waiting, alone, shared, recorded)
    }


def test_rows_are_in_the_order_of_the_runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "MAX_DIGESTS", 2)
    runs = [record_run(store, s, (), (make_evaluation(0, val_accuracy=s.seed / 8),)) for s in specs(3)]
    frame = runs_frame(store, [runs[1], runs[2], runs[0]])
    assert frame["digest"].tolist() == [runs[1].digest, runs[2].digest, runs[0].digest]
    assert frame["val_accuracy"].tolist() == [1 / 8, 2 / 8, 0], "of more runs than one query names"


def test_accuracy_is_that_of_the_last_evaluation(store: Store) -> None:
    first, second, overflowed, waiting = specs(4)
    record_run(store, first, (), (make_evaluation(4, val_accuracy=0.9), make_evaluation(0, val_accuracy=0.1)))
    record_run(store, second, (), (make_evaluation(0, val_accuracy=0.2),))
    record_run(
        store, overflowed, (), (make_evaluation(0, val_accuracy=0.3), make_evaluation(1, val_accuracy=float("nan")))
    )
    store.launch(waiting, "A", OWNER)
    frame = runs_frame(store, store.runs()).set_index("digest")["val_accuracy"]
    digests = [spec.digest for spec in (first, second, overflowed, waiting)]
    np.testing.assert_array_equal(frame[digests], [0.9, 0.2, np.nan, np.nan])


def test_no_runs_give_an_empty_frame(store: Store) -> None:
    record_run(store, SPEC, (), (make_evaluation(0),))
    frame = runs_frame(store, [])
    assert frame.empty
    assert tuple(frame.columns) == RUNS_COLUMNS
    assert frame["val_accuracy"].dtype == float


def test_recorded_runs_are_marked(store: Store, tmp_path: Path) -> None:
    shipped, trained = specs(2)
    elsewhere = Store(f"sqlite:///{tmp_path}/elsewhere.db")
    run = record_run(elsewhere, shipped, (2.0, 1.0), (make_evaluation(0),), RunState.COMPLETED)
    write_recording(elsewhere, [run], tmp_path / "runs.npz")
    read_recording(store, (tmp_path / "runs.npz").read_bytes())
    record_run(store, trained, (2.0, 1.0))
    frame = runs_frame(store, store.runs())
    assert frame["recorded"].dtype == bool
    assert dict(zip(frame["digest"], frame["recorded"], strict=True)) == {shipped.digest: True, trained.digest: False}
