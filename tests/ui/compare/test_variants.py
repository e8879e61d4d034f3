"""The strip of variants: what differs, how far each one is, and what is offered."""

import re
from html import unescape

import pytest

from bnlab.charts.style import style_of
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.presets import PRESETS
from tests.opened_page import OpenPage, open_page
from tests.stored_runs import OWNER, make_evaluation, open_writer, record_run
from tests.ui.compare_page import TINY, assert_sound, progress_texts, shown_label, store, tiny_specs

__all__ = ["open_page", "store"]


@pytest.mark.parametrize(
    ("state", "says", "offers"),
    [
        (RunState.RUNNING, "Training, step 2 of 2", "Stop"),
        (RunState.STOPPED, "Stopped at step 2 of 2", "Continue"),
        (RunState.FAILED, "Failed at step 2 of 2", "Retry"),
        (RunState.DIVERGED, "Diverged: loss not finite at step 2 of 2", None),
        (RunState.COMPLETED, "Done: 0.2 s of training", None),
    ],
)
def test_a_row_says_the_state_and_offers_what_fits(
    state: RunState, says: str, offers: str | None, open_page: OpenPage, store: Store
) -> None:
    spec = next(iter(tiny_specs().values()))
    record_run(store, spec, (2.0, 1.0), (make_evaluation(0), make_evaluation(2)), state)
    app = open_page(store, **TINY)
    assert_sound(app)
    assert progress_texts(app) == [says] + ["Not trained yet"] * 3
    buttons = [button for button in app.button if button.key in ("stop-0", "continue-0")]
    assert [shown_label(button.label) for button in buttons] == ([offers] if offers else [])


def test_a_stopped_run_is_continued_by_its_button(open_page: OpenPage, store: Store) -> None:
    spec = next(iter(tiny_specs().values()))
    record_run(store, spec, (2.0,), (make_evaluation(0),), RunState.STOPPED)
    app = open_page(store, **TINY)
    app.button(key="continue-0").click().run()
    assert_sound(app)
    assert progress_texts(app)[0] == "Waiting for a worker, at step 1 of 2"
    assert [run.state for run in store.runs()] == [RunState.QUEUED]


@pytest.mark.parametrize(("failed", "names"), [(1, "Baseline: "), (4, "")])
def test_why_runs_failed_is_said_once_below_the_variants(
    failed: int, names: str, open_page: OpenPage, store: Store
) -> None:
    for spec in list(tiny_specs().values())[:failed]:
        open_writer(store, spec)
        store.finish(spec.digest, OWNER, RunState.FAILED, "The dataset cannot be had.")
    app = open_page(store, **TINY)
    assert not app.exception
    assert [error.value for error in app.error] == [f"{names}The dataset cannot be had."]


def test_a_name_hides_curves_and_only_differences_are_shown(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, preset="placement")
    names = [text.value for text in app.markdown if "variant-name" in text.value]
    assert len(names) == 3
    labels = [variant.label for variant in PRESETS["placement"].variants]
    assert all(f"<strong>{label}</strong>" in name for label, name in zip(labels, names, strict=True))
    uids = {re.findall('data-uid="(.*?)"', name)[0] for name in names}
    assert uids == {style_of(label, 0).uid for label in labels}
    strips = [unescape(text.value) for text in app.markdown if 'class="chips"' in text.value]
    chips = [re.findall("<span>(.*?)</span>", strip) for strip in strips]
    assert chips == [["Placement: None"], ["After the activation"], ["Before the activation"]]
