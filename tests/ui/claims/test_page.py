"""The Claims page, by AppTest: what it shows at first, and what its buttons do to the store."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.claims import service as court
from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.formatting import effort_text, time_text, where_text
from bnlab.claims.model import plan_experiment
from bnlab.claims.recorded import recorded_trials
from bnlab.claims.results import Coverage, trained_specs
from bnlab.claims.runner import ClaimProgress, ClaimRunner
from bnlab.runs.experiment_queue import enqueue, queued
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.ui.claims import evidence as claim_evidence
from bnlab.ui.claims.card import coverage_text, progress_text
from tests import tiny_claim
from tests.compare_links import enabled_links, follow_link
from tests.opened_page import OpenPage, open_page
from tests.recording import OWNER, moment, record

__all__ = ["open_page"]

CLAIM = replace(tiny_claim.CLAIM, id="A2", statement="It is <b>better</b>, *always*.")
EXPERIMENT = plan_experiment(CLAIM)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'bnlab.db'}")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """A2 is a tiny claim."""
    monkeypatch.setitem(CLAIMS, "A2", CLAIM)
    monkeypatch.setattr(court, "recorded_trials", dict)


@pytest.fixture
def claims_page(open_page: OpenPage) -> Any:
    def opened(store: Store) -> AppTest:
        return open_page(store).switch_page("pages/claims.py").run()

    return opened


def train(store: Store, accuracies: dict[str, float], state: RunState = RunState.COMPLETED) -> None:
    for spec in trained_specs(EXPERIMENT):
        ended = moment(2, val_accuracy=accuracies[spec.placement] + spec.seed / 1000)
        record(store, spec, (1.0, 0.5), (ended,), state)


def subheaders(app: AppTest) -> list[str]:
    return [header.value for header in app.subheader]


def badges(app: AppTest) -> list[str]:
    return [element.value for element in app.markdown if "-badge[" in element.value]


def test_every_statement_has_its_recorded_verdict_at_first_sight(claims_page: Any, store: Store) -> None:
    app = claims_page(store)
    assert not app.exception
    assert [header.split(" ")[0] for header in subheaders(app)] == list(CLAIMS)
    assert len(badges(app)) == len(CLAIMS)
    counted = {name for name, claim in CLAIMS.items() if not claim.needs_workers}
    recorded = recorded_trials().keys() - counted
    assert sum("Not tried" in badge for badge in badges(app)) == len(CLAIMS.keys() - recorded - counted)
    captions = [caption.value for caption in app.caption]
    assert sum("Recorded on" in caption for caption in captions) == len(recorded)
    assert sum("Counted from the networks" in caption for caption in captions) == len(counted)
    assert store.runs() == []


@pytest.mark.usefixtures("tiny")
def test_a_claim_is_put_on_trial_and_stopped(claims_page: Any, store: Store) -> None:
    app = claims_page(store)
    assert ":gray-badge[:material/gavel: Not tried yet]" in badges(app)
    app.button(key="run-A2 quick 0:2").click().run()
    assert not app.exception
    assert queued(store) == ["A2 quick 0:2"]
    assert len(store.runs()) == 4
    assert not [button for button in app.button if button.key == "run-A2 quick 0:2"], "one trial at a time"
    app.button(key="stop-A2 quick 0:2").click().run()
    assert queued(store) == []
    assert store.runs() == [], "nothing is left of runs that were never begun"


@pytest.mark.usefixtures("tiny")
def test_what_was_trained_before_a_stop_is_told_and_gone_on_with(claims_page: Any, store: Store) -> None:
    record(store, trained_specs(EXPERIMENT)[0], (1.0, 0.5), (moment(2),), RunState.COMPLETED)
    app = claims_page(store)
    assert "“Go on”: 1 of 4 runs are trained here, 3 to go." in [caption.value for caption in app.caption]
    button = app.button(key="run-A2 quick 0:2")
    assert button.label == "Go on"
    button.click().run()
    assert len(store.runs()) == 4
    assert not any("to go" in caption.value for caption in app.caption)


@pytest.mark.usefixtures("tiny")
def test_of_seeds_that_are_added_only_the_new_ones_are_told(claims_page: Any, store: Store) -> None:
    train(store, {"none": 0.8, "before_activation": 0.9})
    enqueue(store, [EXPERIMENT.name])
    assert not any("Add 5 seeds" in caption.value for caption in claims_page(store).caption)
    added = trained_specs(EXPERIMENT.with_more_seeds(5))[-1]
    record(store, added, (1.0, 0.5), (moment(2),), RunState.COMPLETED)
    captions = [caption.value for caption in claims_page(store).caption]
    assert "“Add 5 seeds”: 1 of 10 runs are trained here, 9 to go." in captions


@pytest.mark.parametrize(
    ("coverage", "words"),
    [
        (Coverage(20, 20, 20, 5), "all 20 runs are trained here; 5 of 20 measurements are made here, 15 to go"),
        (Coverage(0, 0, 40, 40), "all 40 measurements are made here"),
    ],
)
def test_coverage_as_text(coverage: Coverage, words: str) -> None:
    assert coverage_text(coverage) == words


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (ClaimProgress((), Coverage(4, 0, 3, 0), "", has_failed=False), "0 of 4 runs trained; then 3 measurements"),
        (ClaimProgress((), Coverage(0, 0, 3, 0), "", has_failed=False), "0 of 3 measurements made"),
        (ClaimProgress((), Coverage(0, 0, 3, 1), "", False, 8.2), "1 of 3 measurements made, about 8 s left"),
    ],
)
def test_progress_as_text(progress: ClaimProgress, words: str) -> None:
    assert progress_text(EXPERIMENT, progress) == f"On trial (quick, 2 seeds): {words}"


@pytest.mark.parametrize(("seconds", "words"), [(7.6, "8 s"), (119, "119 s"), (150, "2 min"), (9_000, "2.5 h")])
def test_time_is_told_in_what_people_count_it_in(seconds: float, words: str) -> None:
    assert time_text(seconds) == words


def test_the_queue_and_each_claim_are_read_once_a_draw(
    claims_page: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue(store, [plan_experiment(CLAIMS["A3"]).name])
    read: list[str] = []
    monkeypatch.setattr(court, "queued", lambda store: read.append("queue") or queued(store))
    progress = ClaimRunner.progress
    monkeypatch.setattr(
        ClaimRunner, "progress", lambda runner: read.append(runner.experiment.claim.id) or progress(runner)
    )
    claims_page(store)
    assert read == ["queue", "A3"]


def test_a_trial_is_made_a_figure_of_once(claims_page: Any, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    claim_evidence._charts.cache_clear()
    drawn: list[int] = []
    figure = claim_evidence.effects_figure
    monkeypatch.setattr(claim_evidence, "effects_figure", lambda *given: drawn.append(len(given[0])) or figure(*given))
    claims_page(store).run()
    assert len(drawn) == 2 * len(CLAIMS), "of the deciding and the supplementary conditions"
    assert sum(drawn) == sum(len(claim.all_conditions) for claim in CLAIMS.values())


def test_where_a_claim_holds_is_named_by_the_shorter_list() -> None:
    trials = recorded_trials()
    assert where_text(trials["O1"]) == ""
    assert where_text(trials["A2"]).endswith("It holds but for: rate 0.1, final validation accuracy.")
    assert "It holds for: 10 sigmoid layers, at initialization; 10 sigmoid layers, after" in where_text(trials["A3"])


def test_what_is_only_looked_into_is_counted() -> None:
    assert "10 seeds; 20 networks trained for up to 100 steps" in effort_text(recorded_trials()["O3"])
    assert "240 runs" in effort_text(recorded_trials()["A4"])


@pytest.mark.usefixtures("tiny")
def test_a_trial_that_was_held_here_is_shown_and_seeds_can_be_added(claims_page: Any, store: Store) -> None:
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
    assert any("✔ Supported" in badge for badge in badges(app)), "the last verdict stands until there is another"


@pytest.mark.usefixtures("tiny")
def test_what_failed_is_told_and_gone_on_with(claims_page: Any, store: Store) -> None:
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
def test_the_networks_of_a_condition_are_opened_in_compare(claims_page: Any, store: Store) -> None:
    app = claims_page(store)
    (opening,) = [parameters for parameters in enabled_links(app, "Open") if parameters.get("hidden_units") == ["8"]]
    follow_link(app, opening)
    assert app.query_params["v"] == ["no BN~colour~0", "BN~colour~1~placement~before_activation"]
    assert (app.query_params["hidden_units"], app.query_params["seeds"]) == ("8", "2")


def test_a_lesson_without_training_has_no_button_to_run(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, hide="training").switch_page("pages/claims.py").run()
    assert not [button for button in app.button if (button.key or "").startswith("run-")]
