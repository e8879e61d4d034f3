"""The Claims page in AppTest: its first draw, and the effects of its buttons on the store."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.claims import service as service_module
from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import plan_experiment
from bnlab.claims.recorded import recorded_results
from bnlab.claims.results import trained_specs
from bnlab.claims.runner import ClaimRunner
from bnlab.runs.experiment_queue import enqueue, queued
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.ui.claims import results as results_module
from bnlab.ui.navigation import page_path
from tests import tiny_claim
from tests.compare_links import enabled_links, follow_link
from tests.opened_page import OpenPage, open_page
from tests.stored_runs import OWNER, make_evaluation, record_run

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


def subheaders(app: AppTest) -> list[str]:
    return [header.value for header in app.subheader]


def badges(app: AppTest) -> list[str]:
    return [element.value for element in app.markdown if "-badge[" in element.value]


def test_first_draw_shows_the_recorded_verdicts(claims_page: Any, store: Store) -> None:
    app = claims_page(store)
    assert not app.exception
    assert [header.split(" ")[0] for header in subheaders(app)] == list(CLAIMS)
    assert len(badges(app)) == len(CLAIMS)
    counted = {name for name, claim in CLAIMS.items() if not claim.needs_workers}
    recorded = recorded_results().keys() - counted
    assert sum("Not tried" in badge for badge in badges(app)) == len(CLAIMS.keys() - recorded - counted)
    captions = [caption.value for caption in app.caption]
    assert sum("Recorded on" in caption for caption in captions) == len(recorded)
    assert sum("Counted from the networks" in caption for caption in captions) == len(counted)
    assert store.runs() == []


@pytest.mark.usefixtures("tiny")
def test_experiment_is_started_and_stopped(claims_page: Any, store: Store) -> None:
    app = claims_page(store)
    assert ":gray-badge[:material/gavel: Not tried yet]" in badges(app)
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
    app = claims_page(store)
    assert "“Go on”: 1 of 4 runs are trained here, 3 to go." in [caption.value for caption in app.caption]
    button = app.button(key="run-A2 quick 0:2")
    assert button.label == "Go on"
    button.click().run()
    assert len(store.runs()) == 4
    assert not any("to go" in caption.value for caption in app.caption)


@pytest.mark.usefixtures("tiny")
def test_coverage_of_added_seeds_excludes_the_present_ones(claims_page: Any, store: Store) -> None:
    train(store, {"none": 0.8, "before_activation": 0.9})
    enqueue(store, [EXPERIMENT.name])
    assert not any("Add 5 seeds" in caption.value for caption in claims_page(store).caption)
    added = trained_specs(EXPERIMENT.with_more_seeds(5))[-1]
    record_run(store, added, (1.0, 0.5), (make_evaluation(2),), RunState.COMPLETED)
    captions = [caption.value for caption in claims_page(store).caption]
    assert "“Add 5 seeds”: 1 of 10 runs are trained here, 9 to go." in captions


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


def test_figures_are_cached(claims_page: Any, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    results_module._charts.cache_clear()
    drawn: list[int] = []
    figure = results_module.effects_figure
    monkeypatch.setattr(
        results_module, "effects_figure", lambda *arguments: drawn.append(len(arguments[0])) or figure(*arguments)
    )
    claims_page(store).run()
    assert len(drawn) == 2 * len(CLAIMS), "one for the deciding and one for the supplementary conditions"
    assert sum(drawn) == sum(len(claim.all_conditions) for claim in CLAIMS.values())


@pytest.mark.usefixtures("tiny")
def test_measured_result_is_shown_and_seeds_can_be_added(claims_page: Any, store: Store) -> None:
    train(store, {"none": 0.8, "before_activation": 0.9})
    enqueue(store, [EXPERIMENT.name])
    app = claims_page(store)
    assert any("✔ Supported" in badge for badge in badges(app))
    assert any("Measured here. 2 seeds, 4 runs, 8 steps" in caption.value for caption in app.caption)
    (numbers,) = [frame.value for frame in app.dataframe if "Condition" in frame.value and len(frame.value) == 1]
    assert numbers["Difference (95 % interval)"].tolist() == ["+10 points"]
    app.button(key="run-A2 quick 0:7").click().run()
    assert queued(store) == ["A2 quick 0:7", "A2 quick 0:2"]
    assert len(store.runs()) == 14
    assert any("✔ Supported" in badge for badge in badges(app)), "the last verdict remains until the next one"


@pytest.mark.usefixtures("tiny")
def test_failed_experiment_shows_its_errors_and_continues(claims_page: Any, store: Store) -> None:
    enqueue(store, [EXPERIMENT.name])
    for spec in trained_specs(EXPERIMENT):
        run = store.launch(spec, "A2", OWNER)
        store.finish(run.digest, OWNER, RunState.FAILED, "It ran out of *memory*.")
    app = claims_page(store)
    (error,) = app.error
    assert error.value == "4 of its runs were stopped or failed. It ran out of \\*memory\\*."
    app.button(key="go-on-A2 quick 0:2").click().run()
    assert not app.error
    assert {run.state for run in store.runs()} == {RunState.QUEUED}


@pytest.mark.usefixtures("tiny")
def test_networks_of_a_condition_open_in_compare(claims_page: Any, store: Store) -> None:
    app = claims_page(store)
    (opening,) = [parameters for parameters in enabled_links(app, "Open") if parameters.get("hidden_units") == ["8"]]
    follow_link(app, opening)
    assert app.query_params["v"] == ["no BN~colour~0", "BN~colour~1~placement~before_activation"]
    assert (app.query_params["hidden_units"], app.query_params["seeds"]) == ("8", "2")


def test_lesson_without_training_has_no_run_buttons(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, hide="training").switch_page(page_path("claims")).run()
    assert not [button for button in app.button if (button.key or "").startswith("run-")]
