"""What the commands write as JSON."""

import json
import math
from pathlib import Path

import pytest

from bnlab.cli.output import comparison_document, write_json
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.stored_runs import make_evaluation, record_run


def test_numbers_that_json_does_not_know_become_null(tmp_path: Path) -> None:
    path = tmp_path / "numbers.json"
    write_json(path, {"loss": math.nan, "norms": [math.inf, -math.inf, 1.5, 0, None, "NaN", True]})
    assert json.loads(path.read_text()) == {"loss": None, "norms": [None, None, 1.5, 0, None, "NaN", True]}


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
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
