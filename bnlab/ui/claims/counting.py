"""The card of the claims that are counted from the networks as they are built: parameters, operations, memory."""

import html
from collections.abc import Iterator, Sequence

import streamlit as st

from bnlab.charts.formatting import format_size
from bnlab.claims.formatting import VERDICT_STYLES, format_difference, format_value
from bnlab.claims.measures import PARAMETERS
from bnlab.claims.model import Claim
from bnlab.claims.results import ConditionResult, ExperimentResult
from bnlab.claims.service import ClaimSnapshot
from bnlab.ui.claims.card import render_method
from bnlab.ui.claims.open_in_compare import render_open_in_compare
from bnlab.ui.components import screen_reader_text
from bnlab.ui.state import PageState

BYTES_PER_PARAMETER = 4
_HEADINGS = ("", "Counted", "No BN", "BN", "Added", "Verdict")


def render_counted(snapshot: ClaimSnapshot, claims: Sequence[Claim], state: PageState) -> None:
    """Draw one table for all `claims`, and what their counts mean for memory and time."""
    results = [result for claim in claims if (result := snapshot.status(claim).result) is not None]
    st.html(_table(results))
    st.caption(" ".join(_notes(results)))
    if not state.lesson.protects_variants():
        render_open_in_compare(claims[-1], results[-1] if results else None, state)
    with st.expander(f"Method and literature {screen_reader_text(claims[-1].id)}", icon=":material/science:"):
        for claim in claims:
            render_method(claim, claim.quick)


def _table(results: Sequence[ExperimentResult]) -> str:
    head = "".join(f'<th scope="col">{heading}</th>' for heading in _HEADINGS)
    body = "".join(_cells(result, counted) for result in results for counted in result.conditions)
    return f'<table class="counts"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cells(result: ExperimentResult, counted: ConditionResult) -> str:
    measure, style = counted.condition.measure, VERDICT_STYLES[counted.verdict]
    title = counted.condition.title
    text = measure.title if title == measure.title else f"{measure.title}, {title}"
    cells = (
        text,
        format_value(counted.control_mean, 6),
        format_value(counted.treatment_mean, 6),
        format_difference(counted.interval.mean),
        f"{style.sign} {style.title.lower()}",
    )
    return (
        f'<tr><th scope="row">{result.experiment.claim.id}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        + "</tr>"
    )


def _notes(results: Sequence[ExperimentResult]) -> Iterator[str]:
    yield "Counted from the networks as they are built; nothing is trained."
    for counted in (counted for result in results for counted in result.conditions):
        if counted.condition.measure is PARAMETERS:
            sizes = (counted.control_mean, counted.treatment_mean, counted.interval.mean)
            before, after, added = (format_size(round(BYTES_PER_PARAMETER * count)) for count in sizes)
            yield f"Memory for the parameters in single precision: {before} without BN, {after} with BN, {added} more."
    yield "Time cannot be counted: D3 measures that of prediction and D4 that of training."
