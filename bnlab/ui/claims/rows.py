"""A row of the Claims page: the statement, the verdict, the answer and a small figure; it opens in place.

A row of claims that are counted and need no training is shared by all of a topic. The open rows are in the URL, so that
a link opens them, and what is in a closed row is not drawn.
"""

import html
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import streamlit as st

from bnlab.charts.formatting import escape_markdown, keep_percents
from bnlab.claims.assertions import disagreements
from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.formatting import VERDICT_STYLES, verdict_counts_text
from bnlab.claims.model import Claim, Topic
from bnlab.claims.results import ExperimentResult
from bnlab.claims.service import ClaimSnapshot, ClaimStatus
from bnlab.ui.claims.results import small_figure
from bnlab.ui.claims.url import OPEN, opened_claims
from bnlab.ui.store_errors import callback, fragment

RenderOpen = Callable[[ClaimSnapshot, Sequence[Claim]], None]
"""Draws what an open row has below it."""


@dataclass(frozen=True)
class ClaimRow:
    """One claim, or the counted claims of a topic."""

    claims: tuple[Claim, ...]

    @property
    def id(self) -> str:
        """The first claim's id."""
        return self.claims[0].id

    @property
    def is_open(self) -> bool:
        """Whether the URL opens one of the claims."""
        opened = opened_claims({OPEN: st.query_params.get_all(OPEN)})
        return any(claim.id in opened for claim in self.claims)


def claim_rows(topic: Topic) -> list[ClaimRow]:
    """The rows of a topic, those that were trained first."""
    claims = [claim for claim in CLAIMS.values() if claim.topic is topic]
    counted = tuple(claim for claim in claims if not claim.needs_workers)
    rows = [ClaimRow((claim,)) for claim in claims if claim.needs_workers]
    return [*rows, ClaimRow(counted)] if counted else rows


def render_row(snapshot: ClaimSnapshot, row: ClaimRow, render_open: RenderOpen) -> None:
    """Draw a row, a fragment, so that its buttons do not have all the others drawn."""
    with st.container(key=f"claim-{row.id}"):
        fragment(_render_row)(_snapshots(snapshot), row, render_open)


def _snapshots(page_snapshot: ClaimSnapshot) -> Iterator[ClaimSnapshot]:
    """The snapshots for the draws of a row: the page's, which all rows share, then a new one for each redraw."""
    yield page_snapshot
    while True:
        yield page_snapshot.service.snapshot()


def _render_row(snapshots: Iterator[ClaimSnapshot], row: ClaimRow, render_open: RenderOpen) -> None:
    snapshot, is_open = next(snapshots), row.is_open
    with st.container(key=f"row-{row.id}"):
        st.button(
            "  \n".join(f"**{claim.id}** {escape_markdown(claim.statement)}" for claim in row.claims),
            icon=":material/expand_more:" if is_open else ":material/chevron_right:",
            type="tertiary",
            key=f"toggle-{row.id}",
            on_click=_toggle,
            args=(row.id,),
        )
        statuses = [snapshot.status(claim) for claim in row.claims]
        st.html(_summary(row, statuses))
    if is_open:
        with st.container(border=True, key=f"opened-{row.id}"):
            render_open(snapshot, row.claims)


@callback
def _toggle(row_id: str) -> None:
    row = next(row for topic in Topic for row in claim_rows(topic) if row.id == row_id)
    ids = [claim.id for claim in row.claims]
    opened = opened_claims({OPEN: st.query_params.get_all(OPEN)})
    remaining = [name for name in opened if name not in ids]
    if len(remaining) == len(opened):
        remaining.append(row_id)
    if remaining:
        st.query_params[OPEN] = [name.lower() for name in remaining]
    else:
        del st.query_params[OPEN]


def _summary(row: ClaimRow, statuses: Sequence[ClaimStatus]) -> str:
    """The cells after the statement, as HTML: verdict, answer and figure."""
    anchors = "".join(f'<span id="{claim.id.lower()}"></span>' for claim in row.claims)
    results = [status.result for status in statuses if status.result is not None]
    if len(results) < len(row.claims):
        title = "Being tested" if statuses[0].is_running else "Not tested yet"
        return f'{anchors}<div class="claim"><b class="verdict gray">{title}</b></div>'
    answers = keep_percents(html.escape(" ".join(answer_text(result) for result in results)))
    figure = small_figure(results[0]) if len(results) == 1 else ""
    verdict = verdict_html(results, is_running=any(status.is_running for status in statuses))
    if figure:
        figure = f'<span class="small-figure">{figure}</span>'
    return f'{anchors}<div class="claim">{verdict}<span class="sentence">{answers}</span>{figure}</div>'


def verdict_html(results: Sequence[ExperimentResult], *, is_running: bool) -> str:
    """The verdict in a few words, with its sign."""
    verdicts = {result.verdict for result in results}
    style = VERDICT_STYLES[results[0].verdict]
    answer = results[0].experiment.claim.answer
    text = style.title
    if len(results) == 1 and answer and answer.short and not disagreements(answer, results[0]):
        text = answer.short
    elif len(results) > 1:
        text = f"{style.title}, all {len(results)}" if len(verdicts) == 1 else "See each statement"
    running = "<small>Being tested now</small>" if is_running else ""
    return f'<b class="verdict {style.color}">{style.sign} {html.escape(text)}{running}</b>'


def answer_text(result: ExperimentResult) -> str:
    """The claim's answer if the result agrees with it; otherwise how many conditions have which verdict."""
    answer = result.experiment.claim.answer
    if answer is not None and not disagreements(answer, result):
        return answer.sentence
    counts = verdict_counts_text(result)
    return counts or f"{len(result.conditions)} conditions: {VERDICT_STYLES[result.verdict].title.lower()}."
