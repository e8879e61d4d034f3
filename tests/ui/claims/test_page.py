"""The Claims page in AppTest: its first draw, and the effects of its buttons on the store."""

import html
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.charts.formatting import keep_percents
from bnlab.claims import service as service_module
from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.formatting import VERDICT_STYLES
from bnlab.claims.model import plan_experiment
from bnlab.claims.recorded import recorded_results
from bnlab.claims.results import trained_specs
from bnlab.claims.runner import ClaimRunner
from bnlab.runs.experiment_queue import enqueue, experiment_shares, queued
from bnlab.runs.groups import launch_group
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.ui.claims import results as results_module
from bnlab.ui.navigation import page_path
from tests import tiny_claim
from tests.compare_links import enabled_links, follow_link
from tests.opened_page import OpenPage, open_page
from tests.runs.unreadable_runs import make_unreadable
from tests.stored_runs import OWNER, make_evaluation, record_run
from tests.ui.compare_page import shown_label
from tests.visitors import become

__all__ = ["open_page"]

CLAIM = replace(tiny_claim.CLAIM, id="A2", statement="It is <b>better</b>, *always*.")
EXPERIMENT = plan_experiment(CLAIM)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'bnlab.db'}")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace A2 by a tiny claim without a recorded result."""
    monkeypatch.setitem(CLAIMS, "A2", CLAIM)
    monkeypatch.setattr(service_module, "recorded_results", dict)


@pytest.fixture
def claims_page(open_page: OpenPage) -> Any:
    def open_claims(store: Store) -> AppTest:
        return open_page(store).switch_page(page_path("claims")).run()

    return open_claims


def train(store: Store, accuracies: dict[str, float], state: RunState = RunState.COMPLETED) -> None:
    for spec in trained_specs(EXPERIMENT):
        evaluation = make_evaluation(2, val_accuracy=accuracies[spec.placement] + spec.seed / 1000)
        record_run(store, spec, (1.0, 0.5), (evaluation,), state)


def open_row(app: AppTest, name: str) -> AppTest:
    app.button(key=f"toggle-{name}").click().run()
    assert not app.exception
    return app


def summaries(app: AppTest) -> dict[str, str]:
    """The HTML of each row's cells after the statement, by the id of its first claim."""
    found = [element.value for element in app.get("html") if '<div class="claim">' in element.value]
    return {cells.split('id="')[1].split('"')[0].upper(): cells for cells in found}


def test_a_row_per_claim_has_its_verdict_and_its_answer(claims_page: Any, store: Store) -> None:
    app = claims_page(store)
    assert not app.exception
    labels = "\n".join(button.label for button in app.button if (button.key or "").startswith("toggle-"))
    assert all(f"**{name}** " in labels for name in CLAIMS)
    rows = summaries(app)
    for name, result in recorded_results().items():
        (row,) = [row for row in rows.values() if f'id="{name.lower()}"' in row]
        assert keep_percents(html.escape(CLAIMS[name].answer.sentence)) in row
        assert f'"verdict {VERDICT_STYLES[result.verdict].color}"' in row
    assert not [button for button in app.button if (button.key or "").startswith("run-")], "what is closed is not drawn"
    assert store.runs() == []


def test_counted_claims_share_a_row(claims_page: Any, store: Store) -> None:
    counted = [name for name, claim in CLAIMS.items() if not claim.needs_workers]
    app = open_row(claims_page(store), counted[0])
    assert [name for name in counted if f"toggle-{name}" in {button.key for button in app.button}] == counted[:1]
    (table,) = [element.value for element in app.get("html") if 'class="counts"' in element.value]
    for text in ("266,610", "268,210", "+1,600", *counted):
        assert text in table
    assert any("6.4 kB more" in caption.value for caption in app.caption)


def test_rows_open_and_close_and_their_link_opens_them(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, claim="a3").switch_page(page_path("claims")).run()
    app.query_params["claim"] = ["a3"]
    app.run()
    assert any("Recorded on" in caption.value for caption in app.caption)
    assert not app.warning
    open_row(app, "A2")
    assert app.query_params["claim"] == ["a3", "a2"]
    open_row(app, "A3")
    assert app.query_params["claim"] in ("a2", ["a2"])
    open_row(app, "A2")
    assert "claim" not in app.query_params
    assert not app.caption


def test_an_unknown_claim_is_named(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, claim="a33")
    assert any("'a33'; did you mean a3?" in warning.value for warning in app.warning)


@pytest.mark.usefixtures("tiny")
def test_experiment_is_started_and_stopped(claims_page: Any, store: Store) -> None:
    app = claims_page(store)
    assert "Not tested yet" in summaries(app)["A2"]
    open_row(app, "A2")
    app.button(key="run-A2 quick 0:2").click().run()
    assert not app.exception
    assert queued(store) == ["A2 quick 0:2"]
    assert len(store.runs()) == 4
    assert not [button for button in app.button if button.key == "run-A2 quick 0:2"], "one experiment at a time"
    app.button(key="stop-A2 quick 0:2").click().run()
    assert queued(store) == []
    assert store.runs() == [], "runs without a step are deleted"


@pytest.mark.usefixtures("tiny")
def test_stopped_experiment_shows_its_coverage_and_continues(claims_page: Any, store: Store) -> None:
    record_run(store, trained_specs(EXPERIMENT)[0], (1.0, 0.5), (make_evaluation(2),), RunState.COMPLETED)
    app = open_row(claims_page(store), "A2")
    assert "“Resume”: 1 of 4 runs are trained here, 3 to go." in [caption.value for caption in app.caption]
    button = app.button(key="run-A2 quick 0:2")
    assert shown_label(button.label) == "Resume"
    button.click().run()
    assert len(store.runs()) == 4
    assert not any("to go" in caption.value for caption in app.caption)


@pytest.mark.usefixtures("tiny")
def test_coverage_of_added_seeds_excludes_the_present_ones(claims_page: Any, store: Store) -> None:
    train(store, {"none": 0.8, "before_activation": 0.9})
    enqueue(store, [EXPERIMENT.name])
    assert not any("Add 2 seeds" in caption.value for caption in open_row(claims_page(store), "A2").caption)
    assert EXPERIMENT.next_look is not None
    added = trained_specs(EXPERIMENT.next_look)[-1]
    record_run(store, added, (1.0, 0.5), (make_evaluation(2),), RunState.COMPLETED)
    captions = [caption.value for caption in open_row(claims_page(store), "A2").caption]
    assert "“Add 2 seeds”: 1 of 4 runs are trained here, 3 to go." in captions


def test_queue_and_claims_are_read_once_per_draw(
    claims_page: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue(store, [plan_experiment(CLAIMS["A3"]).name])
    read: list[str] = []
    monkeypatch.setattr(service_module, "queued", lambda store: read.append("queue") or queued(store))
    progress = ClaimRunner.progress
    monkeypatch.setattr(
        ClaimRunner, "progress", lambda runner: read.append(runner.experiment.claim.id) or progress(runner)
    )
    claims_page(store)
    assert read == ["queue", "A3"]


def test_tables_are_cached(claims_page: Any, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    results_module._tables.cache_clear()
    drawn: list[int] = []
    table = results_module.effects_html
    monkeypatch.setattr(results_module, "effects_html", lambda frame: drawn.append(len(frame)) or table(frame))
    app = claims_page(store)
    assert drawn == [], "closed rows draw none"
    open_row(app, "A4").run()
    assert drawn == [len(CLAIMS["A4"].conditions), len(CLAIMS["A4"].supplementary)]


@pytest.mark.usefixtures("tiny")
def test_an_experiment_of_others_can_be_joined(claims_page: Any, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    launch_group(store, EXPERIMENT.name, [(spec, "A2") for spec in trained_specs(EXPERIMENT)], OWNER)
    enqueue(store, [EXPERIMENT.name], "ann")
    become(monkeypatch, "ben")
    app = claims_page(store)
    open_row(app, "A2").run()
    assert app.button(key=f"stop-{EXPERIMENT.name}").disabled
    app.button(key=f"join-{EXPERIMENT.name}").click().run()
    assert not app.exception
    assert experiment_shares(store)[EXPERIMENT.name].wanted_by == {"ann", "ben"}
    assert all(shares.wanted_by == {"ben"} for shares in store.shares().values()), "ann has no share in the runs"
    assert not app.button(key=f"stop-{EXPERIMENT.name}").disabled
    assert not [button for button in app.button if str(button.key).startswith("join-")]


@pytest.mark.usefixtures("tiny")
def test_measured_result_is_shown_and_seeds_can_be_added(claims_page: Any, store: Store) -> None:
    train(store, {"none": 0.8, "before_activation": 0.9})
    enqueue(store, [EXPERIMENT.name])
    app = claims_page(store)
    assert "✔ Supported" in summaries(app)["A2"]
    open_row(app, "A2")
    assert any("Measured here. 2 seeds, 4 runs, 8 steps" in caption.value for caption in app.caption)
    (numbers,) = [frame.value for frame in app.dataframe if "Condition" in frame.value and len(frame.value) == 1]
    assert numbers["Difference (95 % interval)"].tolist() == ["10 points higher"]
    app.button(key="run-A2 quick 0:4").click().run()
    assert queued(store) == ["A2 quick 0:4", "A2 quick 0:2"]
    assert len(store.runs()) == 8
    assert "✔ Supported" in summaries(app)["A2"], "the last verdict remains until the next one"


@pytest.mark.usefixtures("tiny")
def test_failed_experiment_shows_its_errors_and_continues(claims_page: Any, store: Store) -> None:
    enqueue(store, [EXPERIMENT.name])
    for spec in trained_specs(EXPERIMENT):
        run = store.launch(spec, "A2", OWNER)
        store.finish(run.digest, OWNER, RunState.FAILED, "It ran out of *memory*.")
    app = open_row(claims_page(store), "A2")
    (error,) = app.error
    assert error.value == "4 of its runs were stopped or failed. It ran out of \\*memory\\*."
    app.button(key="resume-A2 quick 0:2").click().run()
    assert not app.error
    assert {run.state for run in store.runs()} == {RunState.QUEUED}


@pytest.mark.usefixtures("tiny")
def test_an_unreadable_run_is_said_instead_of_progress(claims_page: Any, store: Store) -> None:
    train(store, {"none": 0.8, "before_activation": 0.9})
    enqueue(store, [EXPERIMENT.name])
    unreadable = trained_specs(EXPERIMENT)[0]
    store.delete([unreadable.digest])
    make_unreadable(store, unreadable, "newer", "a field")
    app = open_row(claims_page(store), "A2")
    assert "“newer” was written by another version" in app.error[0].value
    app.button(key="resume-A2 quick 0:2").click().run()
    assert not app.exception
    assert "“newer” was written by another version" in app.error[0].value
    app.button(key="discard-A2 quick 0:2").click().run()
    assert queued(store) == []
    assert "“Resume”: 3 of 4 runs are trained here, 1 to go." in [caption.value for caption in app.caption]
    app.button(key="run-A2 quick 0:2").click().run()
    assert "“newer” was written by another version" in app.error[0].value
    assert queued(store) == []


@pytest.mark.usefixtures("tiny")
def test_networks_of_a_condition_open_in_compare(claims_page: Any, store: Store) -> None:
    app = open_row(claims_page(store), "A2")
    (opening,) = [parameters for parameters in enabled_links(app, "Open") if parameters.get("hidden_units") == ["8"]]
    follow_link(app, opening)
    assert app.query_params["v"] == ["no BN~colour~0", "BN~colour~1~placement~before_activation"]
    assert (app.query_params["hidden_units"], app.query_params["seeds"]) == ("8", "2")


def test_a_link_opens_the_condition_that_was_chosen_since_it_was_drawn(claims_page: Any, store: Store) -> None:
    app = open_row(claims_page(store), "D4")
    (drawn, *_) = [link for link in enabled_links(app, "Open") if link["linked"] == ["D4"]]
    app.selectbox(key="condition-D4").select_index(1).run()
    (opening, *_) = [link for link in enabled_links(app, "Open") if link["linked"] == ["D4"]]
    assert opening["v"] != drawn["v"]
    follow_link(app, drawn)
    assert not app.exception
    assert app.query_params["v"] == opening["v"]


def test_lesson_without_training_has_no_run_buttons(open_page: OpenPage, store: Store) -> None:
    app = open_row(open_page(store, hide="training").switch_page(page_path("claims")).run(), "A2")
    assert not [button for button in app.button if (button.key or "").startswith("run-")]
