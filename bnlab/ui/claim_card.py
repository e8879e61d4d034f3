"""One claim: its verdict, the figure that decides it, its numbers, its method, and what can be done with it."""

import html
from collections.abc import Iterable, Iterator

import streamlit as st

from bnlab.claims.amounts import thresholds
from bnlab.claims.case import FULL, QUICK, Case, open_case
from bnlab.claims.claim import Claim, Size
from bnlab.claims.discussions import DISCUSSIONS
from bnlab.claims.hearing import Hearing, Standing
from bnlab.claims.stock import Extent
from bnlab.claims.trial import Trial
from bnlab.claims.verdicts import HOW_COMBINED, HOW_JUDGED
from bnlab.runs.groups import group_progress
from bnlab.ui.claim_evidence import render_evidence
from bnlab.ui.claim_runs import render_open_in_compare
from bnlab.ui.court import Court, Position, Sitting, needs_work
from bnlab.ui.session import PageState
from bnlab.ui.verdict_words import LOOKS, time_words, where_words
from bnlab.ui.words import plain

TICK_SECONDS = 1.0
MORE_SEEDS = 5


def render_claim(sitting: Sitting, claim: Claim, desk: PageState) -> None:
    """Draw the card of `claim`; it is drawn anew once a second while the claim is being heard."""
    moving = sitting.position(claim).is_moving
    with st.container(border=True, key=f"claim-{claim.id}"):
        every = TICK_SECONDS if moving else None
        st.fragment(run_every=every)(_render_body)(_sittings(sitting), claim, desk, moving)


def _sittings(page: Sitting) -> Iterator[Sitting]:
    """What each draw of a card reads: the page's sitting at first, which all cards share, then always a new one."""
    yield page
    while True:
        yield page.court.sit()


def _render_body(sittings: Iterator[Sitting], claim: Claim, desk: PageState, was_moving: bool) -> None:
    sitting = next(sittings)
    position = sitting.position(claim)
    _render_verdict(claim, position.trial)
    _render_actions(sitting, claim, position, desk)
    if position.trial is not None:
        render_evidence(position.trial, projector=desk.settings.projector)
    _render_method(claim, position.trial)
    if position.is_moving != was_moving:
        st.rerun()  # only now: what a button has done is seen at once, before all other cards are drawn anew


def _render_actions(sitting: Sitting, claim: Claim, position: Position, desk: PageState) -> None:
    """What can be done, in a row that is named by whether the claim is heard or ever will be (see claims_page)."""
    hearing, standing = position.hearing, position.standing
    name = "hearing" if hearing is not None else "begin" if needs_work(claim) else "counted"
    with st.container(horizontal=True, vertical_alignment="center", key=f"{name}-{claim.id}"):
        if not desk.lesson.keeps_networks():
            render_open_in_compare(claim, position.trial, desk)  # first, where nothing moves it
        if hearing is not None and standing is not None:
            _render_standing(hearing, standing)
        elif needs_work(claim) and not desk.lesson.hides("training"):
            _render_run(sitting, claim, position)


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
        st.html(_progress_bar(standing.share, standing_words(hearing.case, standing)), width="content")
        st.button("Stop", icon=":material/stop:", on_click=hearing.stop, key=f"stop-{name}")


def _progress_bar(share: float, words: str) -> str:
    """The browser's own: Streamlit's is fetched when it is first needed, and until then a grey box blinks there."""
    return f'<label class="trial">{html.escape(words)}<progress value="{share:.3f}"></progress></label>'


def standing_words(case: Case, standing: Standing) -> str:
    """What is being done, and how much of it."""
    if standing.problem:
        return standing.problem
    size = f"{case.size_name}, {len(case.seeds)} seeds"
    if standing.trained < standing.needed:
        left = _left(group_progress(standing.runs).seconds_left)
        then = f"; then {standing.asked} measurements" if standing.asked else ""
        return f"On trial ({size}): {standing.trained} of {standing.needed} runs trained{left}{then}"
    left = _left(standing.seconds_left)
    return f"On trial ({size}): {standing.answered} of {standing.asked} measurements made{left}"


def _left(seconds: float | None) -> str:
    return f", about {time_words(seconds)} left" if seconds else ""


def _render_method(claim: Claim, trial: Trial | None) -> None:
    with st.expander("The method, and what others found", icon=":material/science:"):
        st.markdown("\n\n".join(_method(claim, trial.case.size if trial else claim.quick)))


def _method(claim: Claim, size: Size) -> Iterator[str]:
    yield f"**The question.** {plain(claim.question)}"
    yield (
        "**The comparison.** Both networks of a pair have the same seed: the same batches in the same order, and "
        "the same initial weights wherever shapes and initializers agree. The interval is that of their differences, "
        "at 95 %."
    )
    yield f"**The verdict.** {HOW_JUDGED} {HOW_COMBINED}"
    if claim.remarks:
        yield "**To know of it.**\n" + _listed(claim.remarks)
    yield "**The smallest effect that counts**, fixed beforehand.\n" + _listed(thresholds(claim))
    if size.changes:
        yield "**The size.** " + plain(", ".join(f"{name} = {value}" for name, value in size.changes.items())) + "."
    if claim.literature:
        yield "**What others found.**\n" + _listed(f"{found.sentence} ({found.source})" for found in claim.literature)
    if claim.id in DISCUSSIONS:
        yield f"**Where the recorded full trial differs, and why.** {plain(DISCUSSIONS[claim.id])}"


def _listed(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {plain(sentence)}" for sentence in sentences)


def _render_run(sitting: Sitting, claim: Claim, position: Position) -> None:
    trial, court, stock = position.trial, sitting.court, sitting.stock
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
