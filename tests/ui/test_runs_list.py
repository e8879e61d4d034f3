"""The Runs page, run by Streamlit's AppTest; what needs a choice of rows is tested in a real browser."""

import json
from pathlib import Path

import pytest
from sqlalchemy import insert
from streamlit.testing.v1 import AppTest

from bnlab.runs.schema import recordings
from bnlab.runs.states import RunState
from bnlab.runs.store import Store
from bnlab.spec.run_spec import RunSpec
from bnlab.ui.results import PERCENT
from tests.opened_page import OpenPage, open_page
from tests.recording import OWNER, moment, record

__all__ = ["open_page"]

PLAIN = RunSpec(epochs=1, train_examples=64, optimizer="adam")
NORMALIZED = RunSpec(epochs=1, train_examples=64, placement="before_activation")
STOPPED = RunSpec(epochs=1, train_examples=64, seed=7)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    record(store, PLAIN, (2.0, 1.0), (moment(0), moment(2, 0.5, 0.9)), RunState.COMPLETED)
    record(store, NORMALIZED, (2.0, 1.0), (moment(0), moment(2, 0.4, 0.95)), RunState.COMPLETED)
    record(store, STOPPED, (2.0,), (moment(0),), RunState.STOPPED)
    store.rename(NORMALIZED.digest, "With BN")
    return store


def runs_page(open_page: OpenPage, store: Store) -> AppTest:
    return open_page(store).switch_page("pages/runs.py").run()


def listed(app: AppTest) -> list[str]:
    return app.dataframe[0].value["digest"].tolist()


def test_all_runs_are_listed_the_newest_first(open_page: OpenPage, store: Store) -> None:
    app = runs_page(open_page, store)
    assert not app.exception
    table = app.dataframe[0].value
    assert table["digest"].tolist() == [STOPPED.digest, NORMALIZED.digest, PLAIN.digest]
    assert table["label"].tolist() == ["A", "With BN", "A"]
    assert table["state"].tolist() == ["Stopped", "Complete", "Complete"]
    assert table["val_accuracy"].tolist() == [50.0, 95.0, 90.0]
    assert table["progress"].tolist() == [50.0, 100.0, 100.0]
    columns = json.loads(app.dataframe[0].proto.columns)
    assert columns["val_accuracy"]["type_config"]["format"] == PERCENT, "97.50 % beside 97.48 %"
    assert table["placement"].tolist() == ["None", "Before the activation", "None"]


def test_runs_are_found_by_name_by_field_and_by_state(open_page: OpenPage, store: Store) -> None:
    app = runs_page(open_page, store)
    search = app.text_input(key="runs-search")
    search.set_value("with bn").run()
    assert listed(app) == [NORMALIZED.digest]
    search.set_value("adam").run()
    assert listed(app) == [PLAIN.digest]
    search.set_value("nothing like it").run()
    assert not app.dataframe
    assert [info.value for info in app.info] == ["No run is like that."]
    search.set_value("").run()
    app.button_group(key="runs-states").set_value(["Stopped"]).run()
    assert not app.exception
    assert listed(app) == [STOPPED.digest]


def test_what_was_trained_here_and_what_was_recorded_are_told_apart(open_page: OpenPage, store: Store) -> None:
    recorded = RunSpec(epochs=1, train_examples=64, seed=9)
    record(store, recorded, (2.0, 1.0), (moment(0), moment(2, 0.5, 0.9)), RunState.COMPLETED)
    with store.engine.begin() as connection:
        connection.execute(insert(recordings).values(run=recorded.digest, origin="elsewhere"))
    app = runs_page(open_page, store)
    states = app.button_group(key="runs-states")
    assert states.options == ["Complete", "Stopped", "Recorded"]
    states.set_value(["Complete", "Stopped"]).run()
    assert set(listed(app)) == {PLAIN.digest, NORMALIZED.digest, STOPPED.digest}
    app.button_group(key="runs-states").set_value(["Recorded"]).run()
    assert not app.exception
    assert listed(app) == [recorded.digest]
    assert app.dataframe[0].value["state"].tolist() == ["Recorded"]


def test_without_runs_the_way_to_compare_is_shown(open_page: OpenPage, tmp_path: Path) -> None:
    app = runs_page(open_page, Store(f"sqlite:///{tmp_path}/empty.db"))
    assert not app.exception
    assert app.info[0].value.startswith("No runs yet.")


def test_a_waiting_run_keeps_the_page_alive(open_page: OpenPage, store: Store) -> None:
    store.launch(RunSpec(epochs=2), "waiting", OWNER)
    app = runs_page(open_page, store)
    assert not app.exception
    assert app.dataframe[0].value["state"].iloc[0] == "Waiting"
