"""From another page to Compare with other networks: a link, which looks like a button.

``st.switch_page`` would let the server decide when the page is left, and a tick of that page that is on its way then
comes after it: Streamlit answers it by emptying the page, and the next tick of Compare finds no place and takes the
whole app from the screen. Whom a link leads elsewhere has no more timers when the server hears of it.
"""

import streamlit as st

from bnlab.spec.comparison import Comparison
from bnlab.ui.session import PageState, opening_address


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
    with st.container(key=f"compare-{key}", width="content"):
        st.page_link(
            "pages/compare.py",
            label=label,
            icon=icon,
            help=why_not,
            disabled=comparison is None,
            query_params=opening_address(state, comparison) if comparison else None,
        )
