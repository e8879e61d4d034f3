"""The card of a claim: its verdict, the actions, its results and its method."""

from collections.abc import Iterable, Iterator

import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.claims.formatting import VERDICT_STYLES, format_thresholds, verdict_counts_text
from bnlab.claims.model import FULL, QUICK, Claim, Experiment, Size, plan_experiment
from bnlab.claims.results import Coverage, ExperimentResult
from bnlab.claims.runner import ClaimProgress, ClaimRunner, missing_specs
from bnlab.claims.service import ClaimSnapshot, ClaimStatus
from bnlab.claims.verdicts import CLAIM_RULES, CONDITION_RULES
from bnlab.live.claims import claim_progress
from bnlab.runs.experiment_queue import experiment_shares
from bnlab.runs.shares import NO_SHARES
from bnlab.ui import services
from bnlab.ui.claims.open_in_compare import render_open_in_compare
from bnlab.ui.claims.results import render_results
from bnlab.ui.launching import needs_confirmation, pending_at, render_confirmation
from bnlab.ui.live import live_progress
from bnlab.ui.state import PageState
from bnlab.ui.store_errors import callback, fragment
from bnlab.ui.visitor import current_visitor, is_teacher, others_text, stopping_visitor

MORE_SEEDS = 5


def render_claim(snapshot: ClaimSnapshot, claim: Claim, state: PageState) -> None:
    """Draw the card of `claim`, a fragment, so that its buttons do not have all the others drawn."""
    with st.container(border=True, key=f"claim-{claim.id}"):
        fragment(_render_body)(_snapshots(snapshot), claim, state)


def _snapshots(page_snapshot: ClaimSnapshot) -> Iterator[ClaimSnapshot]:
    """The snapshots for the draws of a card: the page's, which all cards share, then a new one for each redraw."""
    yield page_snapshot
    while True:
        yield page_snapshot.service.snapshot()


def _render_body(snapshots: Iterator[ClaimSnapshot], claim: Claim, state: PageState) -> None:
    snapshot = next(snapshots)
    status = snapshot.status(claim)
    _render_verdict(claim, status.result)
    _render_actions(snapshot, claim, status, state)
    if pending := pending_at(_place(claim)):
        render_confirmation(_place(claim), _start, (pending.subject,))
    if status.result is not None:
        render_results(status.result, projector=state.settings.projector)
    _render_method(claim, status.result)


def _render_actions(snapshot: ClaimSnapshot, claim: Claim, status: ClaimStatus, state: PageState) -> None:
    """The buttons or the progress, in a row whose key tells style.css whether an experiment is running."""
    runner, progress = status.runner, status.progress
    kind = "running" if runner is not None else "idle" if claim.needs_workers else "counted"
    with st.container(horizontal=True, vertical_alignment="center", key=f"{kind}-{claim.id}"):
        if not state.lesson.protects_variants():
            render_open_in_compare(claim, status.result, state)  # first, so that it never moves
        if runner is not None and progress is not None:
            _render_progress(runner, progress, status)
        elif claim.needs_workers and not state.lesson.hides("training"):
            _render_run(snapshot, claim, status)


def _render_verdict(claim: Claim, result: ExperimentResult | None) -> None:
    st.subheader(f"{claim.id} · “{escape_markdown(claim.statement)}”", anchor=claim.id.lower())
    if result is None:
        st.badge("Not tried yet", icon=":material/gavel:", color="gray")
        return
    style = VERDICT_STYLES[result.verdict]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(f"{style.sign} {style.title}", color=style.color)
        if counts := verdict_counts_text(result):
            st.markdown(counts, width="content")


def _render_progress(runner: ClaimRunner, progress: ClaimProgress, status: ClaimStatus) -> None:
    name = runner.experiment.name
    if progress.has_failed:
        st.error(escape_markdown(progress.problem), icon=":material/error:")
        st.button("Go on", icon=":material/play_arrow:", on_click=_start, args=(name,), key=f"go-on-{name}")
        st.button("Leave it", on_click=_stop, args=(name,), key=f"leave-{name}")
    else:
        claim = runner.experiment.claim.id
        shown = claim_progress(status)
        live_progress(f"progress/{claim}", str(shown["text"]), float(shown["share"]), key=f"progress-{claim}")
        shares = experiment_shares(services.scheduler().store).get(name, NO_SHARES)
        visitor = current_visitor()
        st.button(
            "Stop",
            icon=":material/stop:",
            help=others_text(shares.others(visitor)) or None,
            disabled=not (is_teacher() or shares.may_stop(visitor)),
            on_click=_stop,
            args=(name,),
            key=f"stop-{name}",
        )


@callback
def _start(name: str, is_confirmed: bool = False) -> None:
    runner = services.claim_service().runner_of(name)
    missing = missing_specs(services.scheduler().store, runner.experiment)
    if not needs_confirmation(_place(runner.experiment.claim), name, missing, is_confirmed=is_confirmed):
        runner.start(current_visitor())


def _place(claim: Claim) -> str:
    """The place of the confirmation of what the claim's card launches."""
    return f"claim-{claim.id}"


@callback
def _stop(name: str) -> None:
    services.claim_service().runner_of(name).stop(stopping_visitor())


def _render_method(claim: Claim, result: ExperimentResult | None) -> None:
    with st.expander("The method, and what others found", icon=":material/science:"):
        st.markdown("\n\n".join(_method(claim, result.experiment.size if result else claim.quick)))


def _method(claim: Claim, size: Size) -> Iterator[str]:
    """The paragraphs about the method, in Markdown."""
    yield f"**The question.** {escape_markdown(claim.question)}"
    yield (
        "**The comparison.** Both networks of a pair have the same seed: the same batches in the same order, and "
        "the same initial weights wherever shapes and initializers agree. The interval is that of their differences, "
        "at 95 %."
    )
    yield f"**The verdict.** {CONDITION_RULES} {CLAIM_RULES}"
    if claim.remarks:
        yield "**To know of it.**\n" + _markdown_list(claim.remarks)
    yield "**The smallest effect that counts**, fixed beforehand.\n" + _markdown_list(format_thresholds(claim))
    if size.changes:
        yield (
            "**The size.** "
            + escape_markdown(", ".join(f"{name} = {value}" for name, value in size.changes.items()))
            + "."
        )
    if claim.literature:
        yield "**What others found.**\n" + _markdown_list(
            f"{finding.sentence} ({finding.source})" for finding in claim.literature
        )
    if claim.discussion:
        yield f"**Where the recorded full trial differs, and why.** {escape_markdown(claim.discussion)}"


def _markdown_list(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {escape_markdown(sentence)}" for sentence in sentences)


def _render_run(snapshot: ClaimSnapshot, claim: Claim, status: ClaimStatus) -> None:
    result, cached = status.result, snapshot.cached_results
    if result is not None and status.is_measured_here:
        more = result.experiment.with_more_seeds(MORE_SEEDS)
        coverage = cached.coverage(more, excluding=result.experiment)
        captions = [_run_button(more, f"Add {MORE_SEEDS} seeds", ":material/add:", coverage)]
    else:
        quick = plan_experiment(claim, QUICK)
        coverage = cached.coverage(quick)
        label = "Go on" if coverage.is_partial else "Run it here"
        captions = [_run_button(quick, label, ":material/play_arrow:", coverage)]
    if result is None or not (status.is_measured_here and result.experiment.size_name == FULL):
        full = plan_experiment(claim, FULL)
        coverage = cached.coverage(full)
        label = "Go on in full" if coverage.is_partial else "Run it in full"
        captions.append(_run_button(full, label, ":material/fitness_center:", coverage))
    if caption := " ".join(filter(None, captions)):
        st.caption(caption, width="content")


def _run_button(experiment: Experiment, label: str, icon: str, coverage: Coverage) -> str:
    """Draw the button; returns a sentence about the stored runs and measurements, empty if there are none."""
    runs = f", {coverage.runs} runs" if coverage.runs else ""
    name = experiment.name
    help_ = f"{len(experiment.seeds)} seeds{runs}. What has been trained here before is not trained again."
    st.button(label, icon=icon, help=help_, on_click=_start, args=(name,), key=f"run-{name}")
    return f"“{label}”: {coverage_text(coverage)}." if coverage.trained + coverage.measured else ""


def coverage_text(coverage: Coverage) -> str:
    """How many runs and measurements are stored, and how many are missing."""
    parts = (
        (coverage.trained, coverage.runs, "runs are trained"),
        (coverage.measured, coverage.measurements, "measurements are made"),
    )
    return "; ".join(
        f"all {total} {verb} here" if done == total else f"{done} of {total} {verb} here, {total - done} to go"
        for done, total, verb in parts
        if total
    )
