"""From another page to Compare with other networks: a link, which looks like a button.

``st.switch_page`` would let the server decide when the page is left, and a tick of that page that is on its way then
comes after it: Streamlit answers it by emptying the page, and the next tick of Compare finds no place and takes the
whole app from the screen. Whom a link leads elsewhere has no more timers when the server hears of it.
"""

import streamlit as st

from bnlab.spec.comparison import Comparison
from bnlab.ui.session import PageState, opening_address

_LIKE_A_BUTTON = """<style>
[class*="st-key-compare-"] > div:has(> .stPageLink) { margin: 0; }
[class*="st-key-compare-"] a { box-sizing: border-box; min-height: 2.5rem; margin: 0; padding: 0.25rem 0.75rem; }
[class*="st-key-compare-"] a { border: 1px solid light-dark(#ccd3dc, #3b4552); justify-content: center; }
[class*="st-key-compare-"] a:not([disabled]) { background: light-dark(#0b5cad, #2876c8); border-color: transparent; }
[class*="st-key-compare-"] a:not([disabled]):is(:hover, :focus-visible) { background: light-dark(#084480, #1f5f9f); }
[class*="st-key-compare-"] a:focus-visible { outline: 2px solid light-dark(#14181d, #f3f5f8); outline-offset: 2px; }
[class*="st-key-compare-"] a:not([disabled]) * { color: #fff; }
[class*="st-key-compare-"] a[disabled] { opacity: 0.65; }
[class*="st-key-compare-"] a[disabled] * { color: light-dark(#14181d, #f3f5f8); }
</style>"""


def render_compare_link(
    label: str,
    state: PageState,
    comparison: Comparison | None,
    *,
    key: str,
    icon: str | None = None,
    why_not: str | None = None,
) -> None:
    """Draw the link that puts `comparison` on the `state` and goes to Compare; without one it says `why_not`."""
    st.html(_LIKE_A_BUTTON)
    with st.container(key=f"compare-{key}", width="content"):
        st.page_link(
            "pages/compare.py",
            label=label,
            icon=icon,
            help=why_not,
            disabled=comparison is None,
            query_params=opening_address(state, comparison) if comparison else None,
        )
