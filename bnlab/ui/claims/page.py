"""The Claims page: every statement of the notebook with its verdict."""

import html
from collections.abc import Mapping

import streamlit as st

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.formatting import LOOKS
from bnlab.claims.model import Claim
from bnlab.claims.service import ClaimStatus
from bnlab.ui import services
from bnlab.ui.claims.card import render_claim
from bnlab.ui.components import render_heading
from bnlab.ui.state import page_state

_PARTS = {"O": "What the notebook observes", "A": "In favour of BN", "D": "Against it", "W": "When to use it"}
_INTRODUCTION = (
    f"A teaching notebook says {len(CLAIMS)} things about batch normalization (BN). Each is put on trial here: "
    "networks are trained in pairs, with BN and without, and what was measured decides."
)


def render_page() -> None:
    """Draw the page. A claim whose experiment is running is redrawn by itself."""
    service, state = services.claim_service(), page_state()
    render_heading("Claims", state)
    with st.container(key="claims"):
        st.markdown(_INTRODUCTION)
        snapshot = service.snapshot()
        st.html(_tiles({name: snapshot.status(claim) for name, claim in CLAIMS.items()}))
        part = ""
        for name, claim in CLAIMS.items():
            if name[0] != part:
                part = name[0]
                st.header(_PARTS[part], anchor=False)
            render_claim(snapshot, claim, state)


def _tiles(statuses: Mapping[str, ClaimStatus]) -> str:
    tiles = "".join(_tile(CLAIMS[name], status) for name, status in statuses.items())
    return f'<nav class="verdicts" aria-label="The verdicts">{tiles}</nav>'


def _tile(claim: Claim, status: ClaimStatus) -> str:
    if status.trial is None:
        sign, title, tint = "", "Not tried yet", "rgba(127,127,127,.08)"
    else:
        look = LOOKS[status.trial.verdict]
        sign, title, tint = look.sign, look.title, look.tint
    if status.is_running:
        title = "On trial now"
    words = f"<b>{sign} {title}</b><span>{claim.id} · {html.escape(claim.statement)}</span>"
    return f'<a href="#{claim.id.lower()}" target="_self" style="background: {tint}">{words}</a>'
