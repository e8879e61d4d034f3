"""The answer above the curves: what the runs of the comparison show, in one to three sentences."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape

import streamlit as st

from bnlab.claims.answer import Answer, AnswerKind, answer_from_runs
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.specs.lesson import ALL_FIELDS
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.url import preset_of
from bnlab.ui.controls import apply_changes
from bnlab.ui.state import PageState, current_state, try_change

_Specs = tuple[tuple[str, tuple[RunSpec, ...]], ...]


def render_answer(
    store: Store, state: PageState, specs: Mapping[str, Sequence[RunSpec]], runs: Mapping[str, Run]
) -> None:
    """Draw the answer, a warning about settings that cannot be told apart, and a button for more seeds if they lack."""
    if state.lesson.hides("results"):
        return
    preset = PRESETS.get(preset_of(state.comparison) or "")
    states = tuple((digest, run.created_at, run.state) for digest, run in sorted(runs.items()))
    labelled = tuple((label, tuple(variant_specs)) for label, variant_specs in specs.items())
    answer = _answer(store, labelled, states, preset.asks_about if preset else None, state.settings.baseline)
    has_ended = answer.kind in (AnswerKind.DESCRIPTION, AnswerKind.ANSWER)
    finding, look_at = (preset.finding, preset.look_at) if preset and has_ended else ("", "")
    st.html(answer_html(answer, finding, look_at))
    if (seeds := answer.seeds) and not state.lesson.hides("variants"):
        is_locked = state.lesson.locks(ALL_FIELDS)
        st.button(f"Set seeds to {seeds}", key="more-seeds", on_click=_set_seeds, args=(seeds,), disabled=is_locked)


def answer_html(answer: Answer, finding: str = "", look_at: str = "") -> str:
    """The answer as HTML. Labels are users' text, so everything is escaped."""
    parts = []
    if answer.confounds:
        differ, named = len(answer.confounds), ", ".join(answer.confounds)
        warning = f"These networks differ in {differ} settings"
        reason = "Where two of them differ in several, no single setting explains their difference."
        parts.append(f'<p class="confounds"><b>{warning}:</b> {escape(named)}. {reason}</p>')
    parts.append(f"<p>{escape(' '.join(filter(None, [finding, *answer.sentences])))}</p>")
    details = " ".join(filter(None, [answer.detail, look_at]))
    if details:  # style.css shows one of the two, by the width of the screen
        text = escape(details)
        parts.append(f'<p class="detail">{text}</p>')
        parts.append(f'<details class="detail"><summary>Intervals and what to look at</summary>{text}</details>')
    return f'<div class="answer answer-{answer.kind}">{"".join(parts)}</div>'


@lru_cache(maxsize=64)
def _answer(
    store: Store,
    specs: _Specs,
    states: tuple[tuple[str, float, RunState], ...],
    asks_about: str | None,
    baseline: str,
) -> Answer:
    """The answer, cached for all sessions until a run's state changes; `states` are part of the cache's key."""
    runs = store.find(spec for _, variant_specs in specs for spec in variant_specs)
    return answer_from_runs(store, dict(specs), runs, asks_about, baseline)


def _set_seeds(seeds: int) -> None:
    """Set the number of seeds. A callback of the button."""
    apply_changes()
    try_change(current_state(), lambda comparison: comparison.with_seeds(seeds))
