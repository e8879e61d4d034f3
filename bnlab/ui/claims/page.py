"""The Claims page: statements on batch normalization with their verdicts."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import Claim, Topic
from bnlab.claims.service import ClaimSnapshot
from bnlab.live.claims import claims_versions
from bnlab.ui import services
from bnlab.ui.claims.card import render_claim
from bnlab.ui.claims.counting import render_counted
from bnlab.ui.claims.rows import claim_rows, render_row
from bnlab.ui.components import render_heading
from bnlab.ui.lesson import render_if_hidden
from bnlab.ui.live import follow
from bnlab.ui.state import PageState, page_state

_LEGEND = (
    '<p class="legend">In the small figures <span class="control">●</span> is without BN and '
    '<span class="treatment">◆</span> with it, unless they are named below it; better is to the right.</p>'
)
ADVICE = "P"
"""The first letter of the ids of claims that are not the notebook's."""

# A link to an open row scrolls to it. The script is always the same, so it runs once, when the page is opened.
_SCROLL_SCRIPT = """<script>
(() => {
  const claim = new URLSearchParams(location.search).get("claim");
  if (!claim || location.hash) return;
  requestAnimationFrame(() => document.getElementById(claim.toLowerCase())?.scrollIntoView({ block: "start" }));
})();
</script>"""


def render_page() -> None:
    """Draw the page: a row per claim. Progress is the event stream's (`bnlab.live.claims`)."""
    service, state = services.claim_service(), page_state()
    render_heading("Claims", state)
    if render_if_hidden(services.scheduler().store, state):
        return
    with st.container(key="claims"):
        st.markdown(_introduction())
        st.html(_LEGEND)
        snapshot = service.snapshot()
        for topic in Topic:
            if rows := claim_rows(topic):
                st.subheader(topic.value, anchor=False)
            for row in rows:
                render_row(snapshot, row, partial(_render_open, state=state))
    with st.container(key="scroll-script-claims"):
        st.html(_SCROLL_SCRIPT, unsafe_allow_javascript=True)
    follow("claims", {}, claims_versions(snapshot))


def _introduction() -> str:
    advice = sum(name.startswith(ADVICE) for name in CLAIMS)
    others = f"{advice} more are" if advice != 1 else "one more is"
    return (
        f"A teaching notebook makes {len(CLAIMS) - advice} statements about batch normalization (BN); {others} "
        "common advice. Each was tested on MNIST with paired runs: same seeds, same batches, and the same initial "
        "weights where shapes agree. Open a row for its measurements, or to run it here."
    )


def _render_open(snapshot: ClaimSnapshot, claims: Sequence[Claim], state: PageState) -> None:
    if len(claims) == 1 and claims[0].needs_workers:
        render_claim(snapshot, claims[0], state)
    else:
        render_counted(snapshot, claims, state)
