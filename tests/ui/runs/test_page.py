"""The Runs page in AppTest; what needs clicks on rows is tested in a browser."""

import json
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import insert
from streamlit.testing.v1 import AppTest

from bnlab.charts.curve_settings import CurveSettings
from bnlab.runs.run import RunState
from bnlab.runs.schema import recordings
from bnlab.runs.store import Store
from bnlab.specs.comparison import MAX_VARIANTS
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.components import PERCENT
from bnlab.ui.navigation import page_path
from bnlab.ui.runs.table import CHOSEN, IN_PROGRESS
from bnlab.ui.runs.toolbar import COLUMNS_MENU, FILTER_FIELD, FILTER_MENU
from bnlab.ui.state import LINK_NUMBER, LINKED, STATE_KEY
from tests.compare_links import enabled_links, follow_link
from tests.opened_page import OpenPage, open_page
from tests.runs.store_rows import update_row
from tests.runs.unreadable_runs import CHANGES, make_unreadable
from tests.slow import all_but_one_slow
from tests.stored_runs import OWNER, make_evaluation, record_run

__all__ = ["open_page"]

PLAIN = RunSpec(epochs=1, train_examples=64, optimizer="adam")
NORMALIZED = RunSpec(epochs=1, train_examples=64, placement="before_activation")
STOPPED = RunSpec(epochs=1, train_examples=64, seed=7)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    record_run(store, PLAIN, (2.0, 1.0), (make_evaluation(0), make_evaluation(2, 0.5, 0.9)), RunState.COMPLETED)
    record_run(store, NORMALIZED, (2.0, 1.0), (make_evaluation(0), make_evaluation(2, 0.4, 0.95)), RunState.COMPLETED)
    record_run(store, STOPPED, (2.0,), (make_evaluation(0),), RunState.STOPPED)
    store.rename(NORMALIZED.digest, "With BN")
    return store


def runs_page(open_page: OpenPage, store: Store, *chosen: RunSpec, **query: str) -> AppTest:
    app = open_page(store, **query)
    app.session_state[CHOSEN] = {spec.digest for spec in chosen}
    return app.switch_page(page_path("runs")).run()


def actions(app: AppTest) -> set[str]:
    """The keys of the page's buttons, and "open" for an enabled link to Compare."""
    assert not app.exception
    buttons = {str(button.key).removeprefix("runs-") for button in app.button}
    return buttons | {"open" for _ in enabled_links(app, "Open in Compare")}


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
    assert table["seed"].tolist() == [7, 0, 0]


def test_runs_are_found_by_name_by_field_and_by_state(open_page: OpenPage, store: Store) -> None:
    app = runs_page(open_page, store)
    search = app.text_input(key="runs-search")
    search.set_value("with bn").run()
    assert listed(app) == [NORMALIZED.digest]
    search.set_value("adam").run()
    assert listed(app) == [PLAIN.digest]
    search.set_value("Before the activation").run()
    assert listed(app) == [NORMALIZED.digest]
    search.set_value("stopped").run()
    assert listed(app) == [STOPPED.digest]
    search.set_value(app.dataframe[0].value["made"].iloc[0].strftime("%Y-%m-%d")).run()
    assert len(listed(app)) == 3
    search.set_value("nothing like it").run()
    assert not app.dataframe
    assert len(app.info) == 1
    app.button(key="runs-clear").click().run()
    assert app.text_input(key="runs-search").value == ""
    assert len(listed(app)) == 3
    app.button_group(key="runs-states").set_value(["STOPPED"]).run()
    assert not app.exception
    assert listed(app) == [STOPPED.digest]


def test_what_was_trained_here_and_what_was_recorded_are_told_apart(open_page: OpenPage, store: Store) -> None:
    recorded = RunSpec(epochs=1, train_examples=64, seed=9)
    record_run(store, recorded, (2.0, 1.0), (make_evaluation(0), make_evaluation(2, 0.5, 0.9)), RunState.COMPLETED)
    with store.engine.begin() as connection:
        connection.execute(insert(recordings).values(run=recorded.digest, origin="elsewhere"))
    app = runs_page(open_page, store)
    states = app.button_group(key="runs-states")
    assert states.options == ["Complete", "Stopped", "Recorded"]
    states.set_value(["COMPLETED", "STOPPED"]).run()
    assert set(listed(app)) == {PLAIN.digest, NORMALIZED.digest, STOPPED.digest}
    app.button_group(key="runs-states").set_value(["RECORDED"]).run()
    assert not app.exception
    assert listed(app) == [recorded.digest]
    assert app.dataframe[0].value["state"].tolist() == ["Recorded"]


def shown_columns(app: AppTest, table: int = 0) -> list[str]:
    """The ids of the columns that are not hidden."""
    assert not app.exception
    element = app.dataframe[table]
    configured = json.loads(element.proto.columns)
    return [name for name in element.value.columns if not configured.get(name, {}).get("hidden")]


ALWAYS = ["label", "state", "progress", "val_accuracy"]


def test_only_settings_that_differ_among_the_listed_runs_are_columns(open_page: OpenPage, store: Store) -> None:
    app = runs_page(open_page, store)
    assert shown_columns(app) == [*ALWAYS, "placement", "optimizer", "seed"]
    app.text_input(key="runs-search").set_value("a").run()
    app.button_group(key="runs-states").set_value(["COMPLETED"]).run()
    assert shown_columns(app) == [*ALWAYS, "placement", "optimizer"]
    app.session_state[COLUMNS_MENU] = True
    app.run().multiselect(key="runs-columns").set_value(["digest", "epsilon", "seed"]).run()
    assert shown_columns(app) == [*ALWAYS, "placement", "optimizer", "seed", "epsilon", "digest"]
    assert app.dataframe[0].value["seed"].tolist() == [0, 0]
    assert app.dataframe[0].value["epsilon"].isna().tolist() == [False, True], "nothing is normalized in the other"


def test_times_are_shown_when_they_are_asked_for(open_page: OpenPage, store: Store) -> None:
    app = runs_page(open_page, store)
    app.toggle(key="runs-timing").set_value(True).run()
    assert shown_columns(app)[-3:] == ["seconds", "images_per_second", "shared"]
    table = app.dataframe[0].value.set_index("digest")
    assert table["images_per_second"][PLAIN.digest] == pytest.approx(64 / 0.2)
    assert table["shared"].tolist() == ["alone"] * 3


def test_groups_have_their_results_and_their_runs_together(open_page: OpenPage, store: Store) -> None:
    app = runs_page(open_page, store)
    app.selectbox(key="runs-group").set_value("placement").run()
    assert not app.exception
    groups, table = (element.value for element in app.dataframe)
    assert groups["group"].tolist() == ["Before the activation", "None"]
    assert groups["runs"].tolist() == [1, 2]
    assert groups["completed"].tolist() == [1, 1]
    assert groups["val_accuracy"].tolist() == pytest.approx([95, 90])
    assert table["digest"].tolist() == [NORMALIZED.digest, STOPPED.digest, PLAIN.digest]
    app.selectbox(key="runs-group").set_value("epochs").run()
    assert shown_columns(app, 1)[:3] == ["label", "epochs", "state"], "the group's field, although it does not differ"


def test_a_filter_is_set_by_the_values_that_there_are_and_removed_by_its_button(
    open_page: OpenPage, store: Store
) -> None:
    app = runs_page(open_page, store)
    app.session_state[FILTER_MENU] = True
    app.run().selectbox(key=FILTER_FIELD).set_value("optimizer").run()
    values = app.multiselect(key="runs-values-optimizer")
    assert values.options == ["Adam (1)", "SGD (2)"]
    values.set_value(["adam"]).run()
    assert listed(app) == [PLAIN.digest]
    app.selectbox(key=FILTER_FIELD).set_value("placement").run()
    app.multiselect(key="runs-values-placement").set_value(["before_activation"]).run()
    assert not app.dataframe
    assert [info.value for info in app.info] == ["No matching runs."]
    app.button(key="runs-remove-optimizer").click().run()
    assert listed(app) == [NORMALIZED.digest]
    app.button(key="runs-remove-placement").click().run()
    assert len(listed(app)) == 3


def test_what_is_listed_is_in_the_address(open_page: OpenPage, store: Store) -> None:
    app = runs_page(open_page, store)
    app.text_input(key="runs-search").set_value("a").run()
    app.button_group(key="runs-states").set_value(["COMPLETED", "STOPPED"]).run()
    app.selectbox(key="runs-group").set_value("seed").run()
    app.toggle(key="runs-timing").set_value(True).run()
    assert not app.exception
    address = {name: value for name, value in app.query_params.items() if name.startswith("runs-")}
    assert address == {
        "runs-search": "a",
        "runs-filter": ["state~COMPLETED", "state~STOPPED"],
        "runs-group": "seed",
        "runs-timing": "true",
    }
    app.switch_page(page_path("compare")).run()
    app.switch_page(page_path("runs")).run()
    assert not app.exception
    assert app.text_input(key="runs-search").value == "a"
    assert app.selectbox(key="runs-group").value == "seed"


def test_an_address_opens_what_it_lists(open_page: OpenPage, store: Store) -> None:
    query = {"runs-filter": "placement~none", "runs-group": "optimizer", "runs-columns": "epochs"}
    app = runs_page(open_page, store, **query)
    assert not app.exception
    assert app.dataframe[1].value["digest"].tolist() == [PLAIN.digest, STOPPED.digest]
    assert shown_columns(app, 1) == ["label", "optimizer", *ALWAYS[1:], "epochs", "seed"]
    assert not app.warning


def test_what_an_address_cannot_list_is_said(open_page: OpenPage, store: Store) -> None:
    app = runs_page(open_page, store, **{"runs-filter": "placement~nowhere", "runs-group": "placment"})
    assert len(listed(app)) == 3
    assert len(app.warning) == 2
    assert "did you mean placement?" in app.warning[1].value


def test_without_runs_the_way_to_compare_is_shown(open_page: OpenPage, tmp_path: Path) -> None:
    app = runs_page(open_page, Store(f"sqlite:///{tmp_path}/empty.db"))
    assert not app.exception
    assert app.info[0].value.startswith("No runs yet.")


def test_a_waiting_run_keeps_the_page_alive(open_page: OpenPage, store: Store) -> None:
    store.launch(RunSpec(epochs=2), "waiting", OWNER)
    app = runs_page(open_page, store)
    assert not app.exception
    assert app.dataframe[0].value["state"].iloc[0] == IN_PROGRESS


EXPORT, COMPARE = "export-start", "Batch normalization lab"


@pytest.mark.parametrize(
    ("lesson", "allowed"),
    all_but_one_slow(
        [
            ({"hide": "training"}, {"open"}),
            ({}, {"open", "continue", "annotate", "rename", "delete", "delete-checkpoints"}),
            ({"lock": "epochs"}, {"continue"}),
            ({"hide": "variants"}, {"continue"}),
            ({"lock": "all"}, {"continue"}),
            ({"lock": "all", "hide": "training.variants"}, set()),
        ]
    ),
)
def test_a_lesson_leaves_what_a_class_may_do_with_a_run(
    lesson: dict[str, str], allowed: set[str], open_page: OpenPage, store: Store
) -> None:
    app = runs_page(open_page, store, STOPPED, **lesson)
    app.session_state["disk-use"] = True
    assert actions(app.run()) == allowed | {EXPORT}


def test_a_lesson_without_training_lets_no_run_be_stopped(open_page: OpenPage, store: Store) -> None:
    waiting = store.launch(RunSpec(epochs=2), "waiting", OWNER).spec
    assert "stop" in actions(runs_page(open_page, store, waiting))
    assert "stop" not in actions(runs_page(open_page, store, waiting, hide="training"))


@pytest.mark.parametrize(
    ("lesson", "ways"),
    all_but_one_slow(
        [
            ({}, "to open them in Compare, export, rename, tag or delete them."),
            ({"hide": "training"}, "to open them in Compare or export them."),
            ({"lock": "all"}, "to export them."),
        ]
    ),
)
def test_what_runs_are_to_be_chosen_for_is_what_can_be_done(
    lesson: dict[str, str], ways: str, open_page: OpenPage, store: Store
) -> None:
    assert ways in runs_page(open_page, store, **lesson).caption[0].value


def test_chosen_runs_are_opened_in_compare_while_a_run_waits(open_page: OpenPage, store: Store) -> None:
    store.launch(RunSpec(epochs=2), "waiting", OWNER)
    app = runs_page(open_page, store, NORMALIZED, STOPPED)
    (opening,) = enabled_links(app, "Open in Compare")
    follow_link(app, opening)
    assert not app.exception
    assert app.title[0].value == COMPARE
    assert app.session_state[STATE_KEY].comparison.labels == ["A", "With BN"]
    assert app.query_params["v"], "the address says what is compared"
    assert LINK_NUMBER not in app.query_params
    assert app.switch_page(page_path("runs")).run().title[0].value == "Runs", "once, not whenever one comes back"


def test_a_link_opens_the_runs_that_were_chosen_since_it_was_drawn(open_page: OpenPage, store: Store) -> None:
    app = runs_page(open_page, store, NORMALIZED)
    (opening,) = enabled_links(app, "Open in Compare")
    app.session_state[CHOSEN] = {NORMALIZED.digest, STOPPED.digest}  # as the callback of the table does
    app.session_state[STATE_KEY].settings = CurveSettings(projector=True)
    follow_link(app, opening)
    assert not app.exception
    assert app.session_state[STATE_KEY].comparison.labels == ["A", "With BN"]
    assert app.session_state[STATE_KEY].settings.projector
    assert LINKED not in app.query_params


def test_no_more_runs_are_opened_than_compare_shows(open_page: OpenPage, store: Store) -> None:
    for seed in range(MAX_VARIANTS):
        store.launch(RunSpec(epochs=2, seed=seed), "waiting", OWNER)
    waiting = [run.spec for run in store.runs()]
    assert "open" not in actions(runs_page(open_page, store, *waiting))
    assert "open" in actions(runs_page(open_page, store, *waiting[:MAX_VARIANTS]))


@pytest.mark.parametrize("kind", all_but_one_slow(CHANGES))
def test_a_run_of_another_version_is_listed_and_can_be_deleted(kind: str, open_page: OpenPage, store: Store) -> None:
    newer = RunSpec(epochs=2, train_examples=64)
    make_unreadable(store, newer, "newer **run**", kind)
    app = runs_page(open_page, store, STOPPED)
    assert not app.exception
    assert "not readable by this version" in app.warning[0].value
    table = app.dataframe[0].value
    assert (table["label"].tolist(), table["digest"].tolist()) == (["newer **run**"], [newer.digest])
    assert app.dataframe[1].value["digest"].tolist() == [STOPPED.digest, NORMALIZED.digest, PLAIN.digest]
    app.button(key="unreadable-delete").click().run()
    assert not app.exception
    assert not app.warning
    assert store.unreadable_runs() == []
    assert len(listed(app)) == 3


def test_runs_of_another_version_alone_are_listed(open_page: OpenPage, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/newer.db")
    make_unreadable(store, PLAIN, "newer", "a dataset")
    app = runs_page(open_page, store, lock="all")
    assert not app.exception
    assert app.dataframe[0].value["label"].tolist() == ["newer"]
    assert not [button for button in app.button if button.key == "unreadable-delete"], "a lesson deletes nothing"


@pytest.mark.parametrize(
    ("zone", "shown"),
    all_but_one_slow(
        [("Asia/Tokyo", "2026-05-04 12:02"), ("America/New_York", "2026-05-03 23:02"), ("No/Where", "2026-05-04 03:02")]
    ),
)
def test_times_are_in_the_readers_time_zone(
    zone: str, shown: str, open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    update_row(store, STOPPED, created_at=1_777_863_721.5)
    make_unreadable(store, RunSpec(epochs=2), "newer", "a field", created_at=1_777_863_721.5)
    monkeypatch.setattr(type(st.context), "timezone", zone)
    app = runs_page(open_page, store)
    tables = [frame.value.set_index("digest")["made"] for frame in app.dataframe]
    times = [f"{tables[0][RunSpec(epochs=2).digest]:%Y-%m-%d %H:%M}", f"{tables[1][STOPPED.digest]:%Y-%m-%d %H:%M}"]
    assert times == [shown, shown]
    app.text_input(key="runs-search").set_value(shown).run()
    assert app.dataframe[1].value["digest"].tolist() == [STOPPED.digest]
