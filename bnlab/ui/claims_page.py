"""The Claims page: every statement of the notebook with its verdict."""

import html
from collections.abc import Mapping

import streamlit as st

from bnlab.claims.claim import Claim
from bnlab.claims.registry import CLAIMS
from bnlab.ui import services
from bnlab.ui.claim_card import render_claim
from bnlab.ui.court import ClaimStatus
from bnlab.ui.heading import render_heading
from bnlab.ui.session import page_state
from bnlab.ui.verdict_words import LOOKS

_PARTS = {"O": "What the notebook observes", "A": "In favour of BN", "D": "Against it", "W": "When to use it"}
_INTRODUCTION = (
    f"A teaching notebook says {len(CLAIMS)} things about batch normalization (BN). Each is put on trial here: "
    "networks are trained in pairs, with BN and without, and what was measured decides."
)
# Streamlit removes old elements later than it draws new ones: buttons of the previous state are hidden until then.
_LOOKS = """<style>
.verdicts { display: grid; grid-template-columns: repeat(auto-fill, minmax(11.5rem, 1fr)); gap: .5rem; }
.verdicts a { display: block; padding: .5rem .7rem; border-radius: .5rem; color: inherit; text-decoration: none; }
.verdicts a:hover, .verdicts a:focus-visible { outline: 2px solid currentColor; }
.verdicts b { display: block; }
.verdicts span { font-size: .85rem; line-height: 1.3; display: block; opacity: .85; }
[class*="st-key-running-"] > :is([class*="st-key-run-"], :has([data-testid="stCaptionContainer"])),
[class*="st-key-idle-"] :is([class*="st-key-stop-"], [class*="st-key-go-on-"], [class*="st-key-leave-"])
{ display: none; }
[class*="st-key-running-"], [class*="st-key-idle-"] { min-height: 2.65rem; }
/* As high as two lines and the bar, so that nothing below moves while the numbers change. */
[class*="st-key-running-"] > :has(.trial) { flex: 1 1 10rem; max-width: 21rem; }
.trial { display: flex; flex-direction: column; justify-content: end; }
.trial { min-height: 2.65rem; font-size: .8125rem; line-height: 1.25; }
.trial progress { width: 100%; height: .4rem; margin-top: .2rem; appearance: none; border: 0; }
.trial progress { background: rgba(127,127,127,.2); border-radius: .25rem; }
.trial ::-webkit-progress-bar { background: none; }
.trial ::-webkit-progress-value { background: #2876c8; border-radius: .25rem; }
.trial ::-moz-progress-bar { background: #2876c8; border-radius: .25rem; }
.stMain h2 { font-size: 1.4rem; padding: .6rem 0; }
.stMain h3 { font-size: 1.2rem; padding: 0; scroll-margin-top: 5.5rem; }
@media (max-width: 640px) {
  [class*="st-key-running-"], [class*="st-key-idle-"] { min-height: 7.2rem; align-content: start; }
  .verdicts { grid-template-columns: 1fr; gap: .25rem; }
  .verdicts a { padding: .3rem .6rem; }
  .verdicts a { line-height: 1.3; }
  .verdicts b, .verdicts span { display: inline; font-size: .85rem; line-height: inherit; }
  .verdicts b { margin-right: .5em; }
}
</style>"""


def render_claims() -> None:
    """Draw the page. A claim whose experiment is running is redrawn by itself."""
    service, state = services.claim_service(), page_state()
    render_heading("Claims", state)
    st.markdown(_INTRODUCTION)
    snapshot = service.snapshot()
    st.html(_LOOKS + _tiles({name: snapshot.status(claim) for name, claim in CLAIMS.items()}))
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
