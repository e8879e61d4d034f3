"""The answer and the questions on the Compare page."""

import numpy as np
import pytest

from bnlab.claims.answer import Answer, AnswerKind
from bnlab.runs.reader import read_evaluations, snapshots_frame
from bnlab.runs.recording import SHIPPED_RECORDINGS, read_recording
from bnlab.runs.run import RunState
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.specs.presets import PRESETS
from bnlab.ui.compare.answer import answer_html
from tests.opened_page import OpenPage, open_page
from tests.sentences import numbers_in
from tests.ui.compare_page import TINY, assert_sound, store, trained

__all__ = ["open_page", "store", "trained"]


def answer_text(app: object) -> str:
    (text,) = [html.proto.body for html in app.get("html") if 'class="answer' in html.proto.body]  # type: ignore[attr-defined]
    return str(text)


def with_recordings(store: Store, *presets: str) -> Store:
    for name in presets:
        read_recording(store, SHIPPED_RECORDINGS[name].read_bytes())
    return store


def test_a_question_is_answered_from_recorded_runs_in_one_click(open_page: OpenPage, store: Store) -> None:
    app = open_page(with_recordings(store, "placement", "bias"))
    assert_sound(app)
    assert "answer-answer" in answer_text(app)
    assert all(variant.label in answer_text(app) for variant in PRESETS["placement"].variants)
    app.button_group(key="question").set_value("bias").run()
    assert_sound(app)
    assert app.query_params == {"preset": "bias"}
    assert "answer-answer" in answer_text(app)
    assert "BN before without bias" in answer_text(app)
    assert '<a href="claims?preset=bias&amp;claim=p2">Claim P2</a>' in answer_text(app)


def test_one_seed_is_seen_and_three_are_offered(open_page: OpenPage, trained: Store) -> None:
    app = open_page(trained, **TINY)
    assert "answer-description" in answer_text(app)
    assert "differ in 5 settings" in answer_text(app)


def test_the_offered_seeds_are_set(open_page: OpenPage, store: Store) -> None:
    app = open_page(with_recordings(store, "placement"), preset="placement", seeds=1)
    app.button(key="more-seeds").click().run()
    assert_sound(app)
    assert not app.query_params
    assert "answer-answer" in answer_text(app)


def test_recorded_runs_come_back_after_train_and_stop(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scheduler, "measure_latencies", lambda *_: False)  # the played client takes no tasks
    app = open_page(with_recordings(store, "placement"))
    recorded = answer_text(app)
    assert "restore" not in [button.key for button in app.button]
    app.button(key="train").click().run()
    app.button(key="stop_all").click().run()
    assert {run.state for run in store.runs()} == {RunState.STOPPED}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bnlab.ui.compare.answer.changeable", lambda _: [])
        assert "restore" not in [button.key for button in app.run().button], "they are somebody else's"
    assert_sound(app.run())
    app.button(key="restore").click().run()
    assert_sound(app)
    assert answer_text(app) == recorded
    assert all(run.recorded for run in store.runs())


def test_names_are_shown_as_text() -> None:
    html = answer_html(Answer(AnswerKind.ANSWER, ("<b>A</b> ends above B.",), "<i>", confounds=("Use <bias>",)))
    assert "<b>A" not in html
    assert "<i>" not in html
    assert "<bias>" not in html


def test_early_validation_is_answered_from_its_recorded_evaluations(open_page: OpenPage, store: Store) -> None:
    app = open_page(with_recordings(store, "early_validation"), preset="early_validation")
    assert_sound(app)
    specs = PRESETS["early_validation"].recorded_comparison.specs()
    for label in ("BN with momentum 0.99", "BN with momentum 0.9"):
        evaluated = read_evaluations(store, list(store.find(specs[label]).values())).values()
        early = [run["step"].tolist().index(18) for run in evaluated]
        for column in ("val_accuracy", "val_accuracy_batch", "val_accuracy_reestimated"):
            accuracies = [run[column][position] for run, position in zip(evaluated, early, strict=True)]
            assert round(100 * float(np.mean(accuracies)), 1) in numbers_in(answer_text(app))


def test_statistics_of_the_recorded_runs_are_chosen_in_view(open_page: OpenPage, store: Store) -> None:
    app = open_page(with_recordings(store, "early_validation"), preset="early_validation")
    app.selectbox(key="view-statistics").set_value("reestimated").run()
    assert_sound(app)
    assert app.query_params == {"preset": "early_validation", "statistics": "reestimated"}


def test_the_finding_on_gamma_and_beta_is_what_is_recorded(store: Store) -> None:
    (spec, *_) = PRESETS["gamma_beta"].recorded_comparison.specs()["Gamma and beta"]
    with_recordings(store, "gamma_beta")
    frames = [snapshots_frame(store, spec.digest, layer) for layer in ("bn_1", "bn_2")]
    for variable in ("gamma", "beta"):
        last = [frame[frame["variable"] == variable]["values"].iloc[-1] for frame in frames]
        limits = {round(float(min(map(min, last))), 2), round(float(max(map(max, last))), 2)}
        assert limits <= set(numbers_in(PRESETS["gamma_beta"].finding))
