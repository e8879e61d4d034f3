"""What an open row of a claim has below it: its results, the actions and the method."""

from collections.abc import Iterable, Iterator

import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.claims.formatting import format_thresholds
from bnlab.claims.model import FULL, QUICK, Claim, Experiment, Size, plan_experiment
from bnlab.claims.results import Coverage
from bnlab.claims.runner import ClaimProgress, ClaimRunner, missing_specs
from bnlab.claims.service import ClaimSnapshot, ClaimStatus
from bnlab.claims.verdicts import CLAIM_RULES, CONDITION_RULES
from bnlab.live.claims import claim_progress
from bnlab.runs.experiment_queue import experiment_shares
from bnlab.runs.limits import LimitError
from bnlab.runs.rights import others_text
from bnlab.runs.shares import NO_SHARES
from bnlab.ui import services
from bnlab.ui.claims.open_in_compare import render_open_in_compare
from bnlab.ui.claims.results import render_details, render_results
from bnlab.ui.components import screen_reader_text
from bnlab.ui.launching import needs_confirmation, pending_at, render_confirmation
from bnlab.ui.live import live_progress
from bnlab.ui.state import PageState
from bnlab.ui.store_errors import callback
from bnlab.ui.visitor import current_visitor, is_teacher, stopping_visitor


def render_claim(snapshot: ClaimSnapshot, claim: Claim, state: PageState) -> None:
    """Draw what an open row of one claim has below it."""
    status = snapshot.status(claim)
    if status.result is not None:
        render_results(status.result)
    _render_actions(snapshot, claim, status, state)
    if error := st.session_state.pop(_error_key(claim), ""):  # beside the button, since the row may be out of sight
        st.error(escape_markdown(error), icon=":material/rule:")
    if pending := pending_at(_place(claim)):
        render_confirmation(_place(claim), _start, (pending.subject,))
    if status.result is not None:
        render_details(status.result)
    with st.expander(f"Method and literature {screen_reader_text(claim.id)}", icon=":material/science:"):
        render_method(claim, status.result.experiment.size if status.result else claim.quick)


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


def _render_progress(runner: ClaimRunner, progress: ClaimProgress, status: ClaimStatus) -> None:
    name = runner.experiment.name
    if progress.has_failed:
        st.error(escape_markdown(progress.problem), icon=":material/error:")
        claim = screen_reader_text(runner.experiment.claim.id)
        st.button(f"Resume {claim}", icon=":material/play_arrow:", on_click=_start, args=(name,), key=f"resume-{name}")
        st.button(f"Discard {claim}", on_click=_stop, args=(name,), key=f"discard-{name}")
    else:
        claim = runner.experiment.claim.id
        shown = claim_progress(status)
        live_progress(f"progress/{claim}", str(shown["text"]), float(shown["share"]), key=f"progress-{claim}")
        shares = experiment_shares(services.scheduler().store).get(name, NO_SHARES)
        visitor = current_visitor()
        if not shares.may_stop(visitor):
            help_ = "It then goes on, also if whoever started it stops it."
            st.button(
                f"Join {screen_reader_text(claim)}",
                icon=":material/group_add:",
                help=help_,
                on_click=_start,
                args=(name,),
                key=f"join-{name}",
            )
        st.button(
            f"Stop {screen_reader_text(claim)}",
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
    claim = runner.experiment.claim
    missing = missing_specs(services.scheduler().store, runner.experiment)
    try:
        if not needs_confirmation(_place(claim), name, missing, is_confirmed=is_confirmed):
            runner.start(current_visitor())
    except LimitError as error:
        st.session_state[_error_key(claim)] = str(error)


def _place(claim: Claim) -> str:
    """The place of the confirmation of what the claim's card launches."""
    return f"claim-{claim.id}"


def _error_key(claim: Claim) -> str:
    """The session key of why the claim was not run."""
    return f"claim-error-{claim.id}"


@callback
def _stop(name: str) -> None:
    services.claim_service().runner_of(name).stop(stopping_visitor())


def render_method(claim: Claim, size: Size) -> None:
    """Draw how the claim was tested, and what others found."""
    st.markdown("\n\n".join(_method(claim, size)))


def _method(claim: Claim, size: Size) -> Iterator[str]:
    """The paragraphs about the method, in Markdown."""
    yield f"**{claim.id}: the question.** {escape_markdown(claim.question)}"
    if claim.needs_workers:
        yield (
            "**Comparison.** Both networks of a pair have the same seed: the same batches in the same order, and the "
            "same initial weights where shapes and initializers agree. The intervals of the values are those of each "
            "mean, at 95 %; the interval of a difference is that of the paired differences."
        )
        yield f"**Verdict.** {CONDITION_RULES} {CLAIM_RULES}"
    if claim.remarks:
        yield "**Caveats**\n" + _markdown_list(claim.remarks)
    yield "**Smallest effect of interest**, fixed beforehand\n" + _markdown_list(format_thresholds(claim))
    if size.changes:
        changes = escape_markdown(", ".join(f"{name} = {value}" for name, value in size.changes.items()))
        yield f"**Size.** {changes}."
    if claim.literature:
        findings = (f"{finding.sentence} ({finding.source})" for finding in claim.literature)
        yield "**Literature**\n" + _markdown_list(findings)
    if claim.discussion:
        yield f"**Comparison with the literature.** {escape_markdown(claim.discussion)}"


def _markdown_list(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {escape_markdown(sentence)}" for sentence in sentences)


def _render_run(snapshot: ClaimSnapshot, claim: Claim, status: ClaimStatus) -> None:
    result, cached = status.result, snapshot.cached_results
    captions: list[str] = []
    if result is not None and status.is_measured_here:
        if (more := result.experiment.next_look) is not None:
            coverage = cached.coverage(more, excluding=result.experiment)
            label = f"Add {len(more.seeds) - len(result.experiment.seeds)} seeds"
            captions.append(_run_button(more, label, ":material/add:", coverage))
    else:
        quick = plan_experiment(claim, QUICK)
        coverage = cached.coverage(quick)
        label = "Resume" if coverage.is_partial else "Run it here"
        captions.append(_run_button(quick, label, ":material/play_arrow:", coverage))
    if result is None or not (status.is_measured_here and result.experiment.size_name == FULL):
        full = plan_experiment(claim, FULL)
        coverage = cached.coverage(full)
        label = "Resume in full" if coverage.is_partial else "Run it in full"
        captions.append(_run_button(full, label, ":material/fitness_center:", coverage))
    if caption := " ".join(filter(None, captions)):
        st.caption(caption, width="content")


def _run_button(experiment: Experiment, label: str, icon: str, coverage: Coverage) -> str:
    """Draw the button; returns a sentence about the stored runs and measurements, empty if there are none."""
    runs = f", {coverage.runs} runs" if coverage.runs else ""
    name = experiment.name
    help_ = f"{len(experiment.seeds)} seeds{runs}. What has been trained here before is not trained again."
    text = f"{label} {screen_reader_text(experiment.claim.id)}"
    st.button(text, icon=icon, help=help_, on_click=_start, args=(name,), key=f"run-{name}")
    return f"“{label}”: {coverage_text(coverage)}." if coverage.trained + coverage.measured else ""


def coverage_text(coverage: Coverage) -> str:
    """How many runs and measurements are stored, and how many are missing."""
    parts = (
        (coverage.trained, coverage.runs, "runs are trained"),
        (coverage.measured, coverage.measurements, "measurements are taken"),
    )
    return "; ".join(
        f"all {total} {verb} here" if done == total else f"{done} of {total} {verb} here, {total - done} to go"
        for done, total, verb in parts
        if total
    )
