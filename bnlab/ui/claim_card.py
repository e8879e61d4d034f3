"""One claim: its verdict, the figure that decides it, its numbers, its method, and what can be done with it."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from bnlab.charts.effects import effect_text, effects_alt, effects_figure, effects_height
from bnlab.claims.case import FULL, QUICK, Case, open_case
from bnlab.claims.claim import Claim
from bnlab.claims.discussions import DISCUSSIONS
from bnlab.claims.frames import cells_frame
from bnlab.claims.hearing import Hearing, Standing
from bnlab.claims.stock import Extent, Stock
from bnlab.claims.trial import Trial
from bnlab.runs.groups import group_progress
from bnlab.ui.claim_runs import render_open_in_compare
from bnlab.ui.court import Court, Position, Sitting, needs_work
from bnlab.ui.live_chart import live_chart
from bnlab.ui.session import Desk
from bnlab.ui.verdict_words import LOOKS, effort_words, time_words, where_words
from bnlab.ui.words import plain

TICK_SECONDS = 1.0
MORE_SEEDS = 5
STANDING_WIDTH = 420
# On narrow screens alone (see claims_page): fourteen figures one below the other are a long way on a phone.
_FOLD = '<details class="fold"><summary>The evidence</summary></details>'


def render_claim(sitting: Sitting, claim: Claim, desk: Desk) -> None:
    """Draw the card of `claim`; it is drawn anew once a second while the claim is being heard."""
    moving = sitting.position(claim).is_moving
    with st.container(border=True, key=f"claim-{claim.id}"):
        every = TICK_SECONDS if moving else None
        st.fragment(run_every=every)(_render_body)(sitting.court, claim, desk, moving, [sitting])


def _render_body(court: Court, claim: Claim, desk: Desk, was_moving: bool, read: list[Sitting]) -> None:
    """`read` is what the page has just read for all of its cards; this one's later draws read anew."""
    sitting = read.pop() if read else court.sit()
    position = sitting.position(claim)
    _render_verdict(claim, position.trial)
    with st.container(horizontal=True, vertical_alignment="center"):
        render_open_in_compare(claim, position.trial, desk)  # first, where nothing moves it
        if position.hearing is not None and position.standing is not None:
            _render_standing(position.hearing, position.standing)
        elif needs_work(claim) and not desk.lesson.hides("training"):
            _render_run(court, claim, position, sitting.stock)
    st.html(_FOLD)
    with st.container(key=f"evidence-{claim.id}"):
        if position.trial is not None:
            _render_evidence(position.trial)
        _render_method(claim, position.trial)
    if position.is_moving != was_moving:
        st.rerun()  # only now: what a button has done is seen at once, before all other cards are drawn anew


def _render_verdict(claim: Claim, trial: Trial | None) -> None:
    st.subheader(f"{claim.id} · “{plain(claim.statement)}”", anchor=claim.id.lower())
    if trial is None:
        st.badge("Not tried yet", icon=":material/gavel:", color="gray")
        return
    look = LOOKS[trial.verdict]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(f"{look.sign} {look.title}", color=look.colour)
        if where := where_words(trial):
            st.markdown(where, width="content")


def _render_standing(hearing: Hearing, standing: Standing) -> None:
    name = hearing.case.name
    if standing.rests:
        st.error(plain(standing.problem), icon=":material/error:")
        st.button("Go on", icon=":material/play_arrow:", on_click=hearing.begin, key=f"go-on-{name}")
        st.button("Leave it", on_click=hearing.stop, key=f"leave-{name}")
    else:
        # Of one width from the first, while the browser still shows what stood here before: so Stop is where one aims.
        with st.container(width=STANDING_WIDTH):
            st.progress(standing.share, text=standing_words(hearing.case, standing))
        st.button("Stop", icon=":material/stop:", on_click=hearing.stop, key=f"stop-{name}")


def standing_words(case: Case, standing: Standing) -> str:
    """What is being done, and how much of it."""
    if standing.problem:
        return plain(standing.problem)
    size = f"{case.size_name}, {len(case.seeds)} seeds"
    if standing.trained < standing.needed:
        left = _left(group_progress(standing.runs).seconds_left)
        then = f"; then {standing.asked} measurements" if standing.asked else ""
        return f"On trial ({size}): {standing.trained} of {standing.needed} runs trained{left}{then}"
    left = _left(standing.seconds_left)
    return f"On trial ({size}): {standing.answered} of {standing.asked} measurements made{left}"


def _left(seconds: float | None) -> str:
    return f", about {time_words(seconds)} left" if seconds else ""


def _render_evidence(trial: Trial) -> None:
    frame = cells_frame(trial)
    key = f"effects-{trial.case.claim.id}"
    live_chart(effects_figure(frame), key=key, height=effects_height(frame), alt=effects_alt(frame))
    st.caption(effort_words(trial))
    with st.expander("The numbers", icon=":material/table:"):
        _render_numbers(trial, frame)


def _render_numbers(trial: Trial, frame: pd.DataFrame) -> None:
    shown = pd.DataFrame(
        {
            "Condition": frame["condition"],
            "Control": [_arm(name, value) for name, value in zip(frame["control_name"], frame["control"], strict=True)],
            "Treatment": [
                _arm(name, value) for name, value in zip(frame["treatment_name"], frame["treatment"], strict=True)
            ],
            "Difference (95 % interval)": [effect_text(row) for row in frame.to_dict("records")],
            "Counts from": frame["smallest_effect"],
            "Verdict": frame["verdict"].where(frame["decides"], frame["verdict"] + " (beside)"),
        }
    )
    st.dataframe(shown, hide_index=True, key=f"numbers-{trial.case.claim.id}")
    if trial.beside:
        st.caption("What is marked “beside” was measured with the rest and decides nothing.")


def _arm(name: str, value: float) -> str:
    return f"{name}: {value:,.4g}"


def _render_method(claim: Claim, trial: Trial | None) -> None:
    with st.expander("The method, and what others found", icon=":material/science:"):
        st.markdown(f"**The question.** {plain(claim.question)}")
        st.markdown(
            "**The comparison.** Both networks of a pair have the same seed: the same batches in the same order, and "
            "the same initial weights wherever their shapes agree. The interval is that of their differences, at 95 %."
        )
        reasons = dict.fromkeys(
            f"{_threshold(condition.prediction.direction, condition.prediction.smallest_effect)} "
            f"{condition.measure.unit} ({condition.measure.name}): {condition.prediction.reason}"
            for condition in claim.conditions
        )
        st.markdown("**The smallest effect that counts**, fixed beforehand.\n" + _listed(reasons))
        if changes := (trial.case.size if trial else claim.quick).changes:
            st.markdown(
                "**The size.** " + plain(", ".join(f"{name} = {value}" for name, value in changes.items())) + "."
            )
        if claim.literature:
            found = [f"{finding.sentence} ({finding.source})" for finding in claim.literature]
            st.markdown("**What others found.**\n" + _listed(found))
        if claim.id in DISCUSSIONS:
            st.markdown(f"**Where this differs, and why.** {plain(DISCUSSIONS[claim.id])}")


def _threshold(direction: int, effect: float) -> str:
    return f"{ {-1: '−', 0: '±', 1: '+'}[direction] }{effect:g}"


def _listed(sentences: Sequence[str] | dict[str, None]) -> str:
    return "\n".join(f"- {plain(sentence)}" for sentence in sentences)


def _render_run(court: Court, claim: Claim, position: Position, stock: Stock) -> None:
    trial = position.trial
    if trial is not None and position.is_held_here:
        more = trial.case.with_seeds(MORE_SEEDS)
        left = _run_button(court, more, f"Add {MORE_SEEDS} seeds", ":material/add:", stock.of(more, trial.case))
    else:
        quick = open_case(claim, QUICK)
        extent = stock.of(quick)
        label = "Go on" if extent.is_begun else "Run it here"
        left = _run_button(court, quick, label, ":material/play_arrow:", extent)
    told = [left]
    if trial is None or not (position.is_held_here and trial.case.size_name == FULL):
        full = open_case(claim, FULL)
        extent = stock.of(full)
        label = "Go on in full" if extent.is_begun else "Run it in full"
        told.append(_run_button(court, full, label, ":material/fitness_center:", extent))
    if words := " ".join(filter(None, told)):
        st.caption(words, width="content")


def _run_button(court: Court, case: Case, label: str, icon: str, extent: Extent) -> str:
    """Draw it; returns what is to be said of work that was begun earlier, if there is any."""
    runs = f", {extent.needed} runs" if extent.needed else ""
    help_ = f"{len(case.seeds)} seeds{runs}. What has been trained here before is not trained again."
    st.button(label, icon=icon, help=help_, on_click=court.hearing(case).begin, key=f"run-{case.name}")
    return f"“{label}”: {extent_words(extent)}." if extent.trained + extent.answered else ""


def extent_words(extent: Extent) -> str:
    """What is there already, and what is left to be done."""
    parts = (
        (extent.trained, extent.needed, "runs are trained"),
        (extent.answered, extent.asked, "measurements are made"),
    )
    return "; ".join(
        f"all {whole} {what} here" if done == whole else f"{done} of {whole} {what} here, {whole - done} to go"
        for done, whole, what in parts
        if whole
    )
