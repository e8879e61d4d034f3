"""The Claims page: the notebook's statements with their verdicts."""

import html
from collections.abc import Mapping

import streamlit as st

from bnlab.charts.style import BLUE, GREY, PURPLE, VERMILLION, translucent
from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.formatting import VERDICT_STYLES
from bnlab.claims.model import Claim
from bnlab.claims.service import ClaimStatus
from bnlab.live.claims import claims_version
from bnlab.ui import services
from bnlab.ui.claims.card import render_claim
from bnlab.ui.components import render_heading
from bnlab.ui.live import follow
from bnlab.ui.state import page_state

_GROUP_HEADINGS = {"O": "What the notebook observes", "A": "In favour of BN", "D": "Against it", "W": "When to use it"}
TILE_COLORS = {"blue": BLUE, "orange": VERMILLION, "violet": PURPLE, "gray": GREY}
"""The charts' color for each of Streamlit's that a verdict has."""
_INTRODUCTION = (
    f"A teaching notebook says {len(CLAIMS)} things about batch normalization (BN). Each is put on trial here: "
    "networks are trained in pairs, with BN and without, and what was measured decides."
)


def render_page() -> None:
    """Draw the page: one tile and one card per claim. Progress is the event stream's (`bnlab.live.claims`)."""
    service, state = services.claim_service(), page_state()
    render_heading("Claims", state)
    with st.container(key="claims"):
        st.markdown(_INTRODUCTION)
        snapshot = service.snapshot()
        st.html(_tiles({name: snapshot.status(claim) for name, claim in CLAIMS.items()}))
        group = ""
        for name, claim in CLAIMS.items():
            if name[0] != group:
                group = name[0]
                st.header(_GROUP_HEADINGS[group], anchor=False)
            render_claim(snapshot, claim, state)
    follow("claims", {}, claims_version(snapshot))


def _tiles(statuses: Mapping[str, ClaimStatus]) -> str:
    tiles = "".join(_tile(CLAIMS[name], status) for name, status in statuses.items())
    return f'<nav class="verdicts" aria-label="The verdicts">{tiles}</nav>'


def _tile(claim: Claim, status: ClaimStatus) -> str:
    if status.result is None:
        sign, title, tint = "", "Not tried yet", translucent(GREY, 0.08)
    else:
        style = VERDICT_STYLES[status.result.verdict]
        sign, title, tint = style.sign, style.title, translucent(TILE_COLORS[style.color], 0.17)
    if status.is_running:
        title = "On trial now"
    content = f"<b>{sign} {title}</b><span>{claim.id} · {html.escape(claim.statement)}</span>"
    return f'<a href="#{claim.id.lower()}" target="_self" style="background: {tint}">{content}</a>'
