"""The table of runs and the choice of its rows, run by Streamlit's AppTest."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.runs.table import TABLE
from tests.stored_runs import make_evaluation, record_run


def script(url: str) -> None:
    import streamlit as st

    from bnlab.runs.store import Store
    from bnlab.ui.runs.query import RunsQuery
    from bnlab.ui.runs.table import render_table

    store = Store(url)
    hidden = st.session_state.get("hidden", ())
    found = [run for run in store.runs() if run.label not in hidden]
    if found:
        st.text(",".join(run.label for run in render_table(store, found, RunsQuery())))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    for label in "CBA":  # the newest is the first row
        add(store, label)
    return store


def add(store: Store, label: str) -> None:
    run = record_run(
        store, RunSpec(seed=ord(label), train_examples=64), (1.0,), (make_evaluation(0),), RunState.COMPLETED
    )
    store.rename(run.digest, label)


@pytest.fixture
def app(store: Store) -> AppTest:
    """The rows A, B and C, of which A and C are chosen."""
    app = AppTest.from_function(script, kwargs={"url": store.url}).run()
    choose(app, 0, 2)
    return app


def choose(app: AppTest, *rows: int) -> None:
    """As the browser tells it: by the places of the rows."""
    app.session_state[TABLE] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    app.run()


def chosen(app: AppTest) -> str:
    assert not app.exception
    return app.text[0].value


def hide(app: AppTest, *labels: str) -> None:
    app.session_state["hidden"] = labels
    app.run()


def test_rows_are_chosen_in_the_tables_order(app: AppTest) -> None:
    assert chosen(app) == "A,C"
    choose(app, 2, 1)
    assert chosen(app) == "B,C"


def test_a_choice_stays_with_its_runs_when_one_comes_and_when_one_goes(app: AppTest, store: Store) -> None:
    add(store, "D")
    app.run()
    assert app.dataframe[0].value["label"].tolist() == ["D", "A", "B", "C"]
    assert chosen(app) == "A,C"
    assert app.session_state[TABLE]["selection"]["rows"] == [1, 3]
    store.delete(run.digest for run in store.runs() if run.label in "AD")
    app.run()
    assert chosen(app) == "C"


def test_what_a_search_hides_is_not_chosen_until_it_is_seen_again(app: AppTest) -> None:
    hide(app, "A")
    assert chosen(app) == "C"
    choose(app)
    assert chosen(app) == ""
    hide(app)
    assert chosen(app) == "A"


def test_a_choice_outlives_a_search_that_finds_nothing_and_another_page(app: AppTest) -> None:
    hide(app, *"ABC")
    assert not app.dataframe
    hide(app)
    assert chosen(app) == "A,C"
