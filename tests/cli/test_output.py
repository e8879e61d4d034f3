"""JSON documents and tables of the commands."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from bnlab.cli.options import plain_console
from bnlab.cli.output import SHARED_MARK, comparison_document, results_table, runs_table, write_json
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.stored_runs import make_evaluation, record_run

ROW = {
    "label": "A",
    "params": 10,
    "trainable": 10,
    "runs": 1,
    "diverged": 0,
    "diverged_step": math.nan,
    "val_loss": 0.25,
    "val_loss_sd": math.nan,
    "val_accuracy": 0.9,
    "val_accuracy_sd": math.nan,
    "seconds_per_epoch": 1.0,
    "seconds_to_95": math.nan,
    "seconds_to_97": math.nan,
    "shared": None,
}


def test_non_finite_numbers_become_null(tmp_path: Path) -> None:
    path = tmp_path / "numbers.json"
    write_json(path, {"loss": math.nan, "norms": [math.inf, -math.inf, 1.5, 0, None, "NaN", True]})
    assert json.loads(path.read_text()) == {"loss": None, "norms": [None, None, 1.5, 0, None, "NaN", True]}


def test_files_are_written_atomically(tmp_path: Path) -> None:
    path = tmp_path / "numbers.json"
    write_json(path, [1])
    write_json(path, [2])
    with pytest.raises(TypeError):
        write_json(path, [object()])
    assert json.loads(path.read_text()) == [2]
    assert [file.name for file in tmp_path.iterdir()] == ["numbers.json"]


def test_a_run_that_diverged_has_the_history_of_its_finished_epochs(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'bnlab.db'}")
    spec = RunSpec(train_examples=8, batch_size=4, epochs=5)
    run = record_run(
        store, spec, (1.0, 3.0, math.inf), (make_evaluation(0), make_evaluation(2, math.nan, 0.1)), RunState.DIVERGED
    )
    (document,) = comparison_document(store, [("A", run)], 1.5)["runs"]
    (epoch,) = document["history"]
    assert (document["state"], document["steps"], epoch["epoch"], epoch["loss"]) == ("DIVERGED", 3, 1, 2.0)
    assert math.isnan(epoch["val_loss"])


@pytest.mark.parametrize(
    ("loss", "sd", "expected"),
    [
        (0.25, math.nan, "0.2500"),
        (0.25, 0.5, "0.2500 ± 0.5000"),
        (9.9216236e32, math.nan, "9.9216e+32"),
        (9.9216236e32, 1e33, "9.9216e+32 ± 1.0000e+33"),
        (math.nan, math.nan, "–"),
    ],
)
def test_loss_format(loss: float, sd: float, expected: str) -> None:
    console = plain_console(width=200)
    with console.capture() as printed:
        console.print(results_table(pd.DataFrame([ROW | {"val_loss": loss, "val_loss_sd": sd}])))
    assert expected in [cell.strip() for cell in printed.get().split("  ")]


def test_seconds_beside_other_work_are_marked() -> None:
    alone, beside, unknown = (ROW | {"label": str(shared), "shared": shared} for shared in (False, True, None))
    table = results_table(pd.DataFrame([alone, beside | {"seconds_to_95": 2.0}, unknown]))
    seconds = [list(column.cells) for column in table.columns[5:]]
    assert seconds == [["1.00", "1.00 †", "1.00"], ["never", "2.0 s †", "never"], ["never"] * 3]
    assert str(table.caption).startswith("†: ")
    assert results_table(pd.DataFrame([alone, unknown])).caption is None


def test_diverged_seeds_are_counted() -> None:
    some = ROW | {"runs": 3, "diverged": 1, "diverged_step": 1_018.0}
    table = results_table(pd.DataFrame([ROW, some]))
    assert list(table.columns[-1].cells) == ["", "1 of 4 seeds, step 1,018"]
    assert [column.header for column in results_table(pd.DataFrame([ROW])).columns] == [
        column.header for column in table.columns[:-1]
    ]


@pytest.mark.parametrize("shared", [False, True])
def test_seconds_of_runs_beside_other_work_are_marked(tmp_path: Path, shared: bool) -> None:
    store = Store(f"sqlite:///{tmp_path / 'bnlab.db'}")
    spec = RunSpec(train_examples=8, batch_size=4, epochs=5)
    record_run(store, spec, (1.0,), (make_evaluation(0),))
    if shared:
        store.mark_shared([spec.digest])
    table = runs_table(store.runs())
    assert bool(table.caption) is shared
    (seconds,) = table.columns[5].cells
    assert str(seconds).endswith(SHARED_MARK) is shared
