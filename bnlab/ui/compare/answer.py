"""The answer above the curves: what the runs of the comparison show, in one to three sentences."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from urllib.parse import urlencode

import streamlit as st

from bnlab.charts.formatting import keep_percents
from bnlab.claims.answer import Answer, AnswerKind, answer_from_runs
from bnlab.runs.recording import restore_recordings, shipped_digests
from bnlab.runs.run import Run, RunState, are_active
from bnlab.runs.store import Store
from bnlab.specs.lesson import ALL_FIELDS
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.url import preset_of
from bnlab.ui import services
from bnlab.ui.claims.url import OPEN
from bnlab.ui.controls import apply_changes
from bnlab.ui.state import PageState, current_state, state_to_url, try_change
from bnlab.ui.store_errors import callback
from bnlab.ui.visitor import changeable

ANSWER = "answer"
"""The id of the element with the answer, which also describes the charts to screen readers."""

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
    claim = preset.claim if preset and has_ended else ""
    claim_url = f"claims?{urlencode(_claim_parameters(state, claim), doseq=True)}" if claim else ""
    st.html(answer_html(answer, finding, look_at, claim, claim_url))
    if (seeds := answer.seeds) and not state.lesson.hides("variants"):
        is_locked = state.lesson.locks(ALL_FIELDS)
        st.button(f"Set seeds to {seeds}", key="more-seeds", on_click=_set_seeds, args=(seeds,), disabled=is_locked)
    if not state.lesson.hides("training"):
        _render_restoring(runs)


def _render_restoring(runs: Mapping[str, Run]) -> None:
    """Offer the recorded runs again, which were replaced by runs that have been stopped before their end."""
    stopped = [run.digest for run in runs.values() if run.state.can_continue() and run.digest in shipped_digests()]
    if are_active(runs.values()) or not stopped or not (digests := changeable(stopped)):
        return
    replaced = f"{len(digests)} recorded run{' was' if len(digests) == 1 else 's were'}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="restoring"):
        st.markdown(f"{replaced} replaced when training began. Press Continue to resume training.", width="content")
        st.button(
            "Restore recorded runs",
            icon=":material/history:",
            help="Deletes what was trained of the stopped runs, and shows the recorded answer again.",
            on_click=_restore,
            args=(digests,),
            key="restore",
        )


def _claim_parameters(state: PageState, claim: str) -> Mapping[str, Sequence[str]]:
    """The parameters with which the Claims page keeps the comparison and opens a claim."""
    return {**state_to_url(state), OPEN: [claim.lower()]}


def answer_html(answer: Answer, finding: str = "", look_at: str = "", claim: str = "", claim_url: str = "") -> str:
    """The answer as HTML, with a link to the claim of that id. Labels are users' text, so everything is escaped."""
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
        if claim:
            text += f' <a href="{escape(claim_url)}">Claim {escape(claim)}</a> has more networks and seeds.'
        parts.append(f'<p class="detail">{text}</p>')
        parts.append(f'<details class="detail"><summary>Intervals and what to look at</summary>{text}</details>')
    return f'<div id="{ANSWER}" class="answer answer-{answer.kind}">{keep_percents("".join(parts))}</div>'


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


@callback
def _restore(digests: Sequence[str]) -> None:
    """Replace stopped runs by their recordings. A callback of the button."""
    apply_changes()
    restore_recordings(services.scheduler().store, changeable(digests))


def _set_seeds(seeds: int) -> None:
    """Set the number of seeds. A callback of the button."""
    apply_changes()
    try_change(current_state(), lambda comparison: comparison.with_seeds(seeds))
