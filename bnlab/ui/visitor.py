"""Who the reader of a page is: a visitor's id, known by the cookie of `bnlab.live.visitors`."""

import streamlit as st

from bnlab.live.visitors import COOKIE
from bnlab.ui import services


def current_visitor() -> str:
    """The visitor of the session; `bnlab.runs.visitors.NOBODY` if the browser has sent no valid cookie."""
    return services.visitor_signer().read(st.context.cookies.get(COOKIE, ""))
