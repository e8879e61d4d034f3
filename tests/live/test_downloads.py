"""Files to download: the table of results by a page's address, and files that a session offers."""

import gc
import io
from pathlib import Path
from typing import Any

import pandas as pd
from starlette.applications import Starlette

from bnlab.live.downloads import RESULTS, Downloads, results_route, results_url
from bnlab.runs.errors import StoreError
from bnlab.runs.predictions import reveal_results
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.prediction import lesson_id
from bnlab.specs.run_spec import RunSpec
from tests.asgi import get
from tests.live.still_scheduler import StillScheduler
from tests.stored_runs import make_evaluation, record_run


def test_the_results_of_an_address_are_a_file(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    spec = RunSpec(epochs=1, train_examples=64, hidden_units=(16,), batch_size=64)
    record_run(store, spec, (2.0,), (make_evaluation(1, val_accuracy=0.5),), RunState.COMPLETED)
    app = Starlette(routes=[results_route(StillScheduler(store), "/lab")])
    parameters = {"v": ["学生 & co", "Other~seed~7"], "epochs": ["1"], "train_examples": ["64"], "batch_size": ["64"]}
    answer = get(app, results_url("/lab", parameters | {"hidden_units": ["16"]}))
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="{RESULTS}"'
    table = pd.read_csv(io.BytesIO(answer.body))
    assert table["label"].tolist() == ["学生 & co"], "the other was not trained"
    assert table["val_accuracy"].tolist() == [0.5]


def test_hidden_results_are_no_file(tmp_path: Path) -> None:
    store, lesson = Store(f"sqlite:///{tmp_path}/bnlab.db"), lesson_id("a key")
    app = Starlette(routes=[results_route(StillScheduler(store), "")])
    assert get(app, results_url("", {"predict": [lesson]})).status == 403
    reveal_results(store, lesson)
    assert get(app, results_url("", {"predict": [lesson]})).status == 200


def test_results_that_cannot_be_read_are_a_sentence() -> None:
    def unreachable() -> Any:
        raise StoreError("The store is away.")

    answer = get(Starlette(routes=[results_route(unreachable, "")]), results_url("", {}))
    assert (answer.status, answer.text) == (503, "The store is away.")


def test_an_offered_file_is_kept_as_long_as_its_session_keeps_it() -> None:
    downloads = Downloads("/lab")
    app = Starlette(routes=[downloads.route()])
    kept, other = downloads.offer(b"PK", "bnlab-runs.zip"), downloads.offer(b"K", "folded.keras")
    answer = get(app, kept.url)
    assert (answer.status, answer.body) == (200, b"PK")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="bnlab-runs.zip"'
    assert get(app, other.url).body == b"K"
    assert get(app, kept.url).body == b"PK", "a second time, too"
    url = kept.url
    del kept
    gc.collect()
    assert get(app, url).status == 404
