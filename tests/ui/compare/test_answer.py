"""The answer and the questions on the Compare page."""

import pytest

from bnlab.claims.answer import Answer, AnswerKind
from bnlab.runs.reader import read_evaluations, snapshots_frame
from bnlab.runs.recording import SHIPPED_RECORDINGS, read_recording
from bnlab.runs.store import Store
from bnlab.specs.presets import PRESETS
from bnlab.ui.compare.answer import answer_html
from tests.one_thread import one_thread
from tests.opened_page import OpenPage, open_page
from tests.sentences import numbers_in
from tests.ui.compare_page import TINY, assert_sound, store, trained

__all__ = ["one_thread", "open_page", "store", "trained"]


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
    assert app.query_params == {"preset": "bias", "seeds": "3"}
    assert "answer-answer" in answer_text(app)
    assert "BN before without bias" in answer_text(app)


def test_one_seed_is_seen_and_three_are_offered(open_page: OpenPage, trained: Store) -> None:
    app = open_page(trained, **TINY)
    assert "answer-description" in answer_text(app)
    assert "differ in 5 settings" in answer_text(app)


def test_the_offered_seeds_are_set(open_page: OpenPage, store: Store) -> None:
    app = open_page(with_recordings(store, "placement"), preset="placement")
    app.button(key="more-seeds").click().run()
    assert_sound(app)
    assert not app.query_params
    assert "answer-answer" in answer_text(app)


def test_names_are_shown_as_text() -> None:
    html = answer_html(Answer(AnswerKind.ANSWER, ("<b>A</b> ends above B.",), "<i>", confounds=("Use <bias>",)))
    assert "<b>A" not in html
    assert "<i>" not in html
    assert "<bias>" not in html


@pytest.mark.parametrize("label", ["BN with momentum 0.99", "BN with momentum 0.9"])
def test_the_finding_on_early_validation_is_what_is_recorded(label: str, store: Store) -> None:
    specs = PRESETS["early_validation"].recorded_comparison.specs()[label]
    runs = list(with_recordings(store, "early_validation").find(specs).values())
    evaluated = read_evaluations(store, runs)
    early = [float(evaluated[run.digest]["val_accuracy"][evaluated[run.digest]["step"] == 18][0]) for run in runs]
    assert round(100 * sum(early) / len(early)) in numbers_in(PRESETS["early_validation"].finding)


def test_the_finding_on_gamma_and_beta_is_what_is_recorded(store: Store) -> None:
    (spec, *_) = PRESETS["gamma_beta"].recorded_comparison.specs()["Gamma and beta"]
    with_recordings(store, "gamma_beta")
    frames = [snapshots_frame(store, spec.digest, layer) for layer in ("bn_1", "bn_2")]
    for variable in ("gamma", "beta"):
        last = [frame[frame["variable"] == variable]["values"].iloc[-1] for frame in frames]
        limits = {round(float(min(map(min, last))), 2), round(float(max(map(max, last))), 2)}
        assert limits <= set(numbers_in(PRESETS["gamma_beta"].finding))
