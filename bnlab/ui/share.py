"""The address of a page as it stands, and a teacher's link that locks or hides controls."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from bnlab.specs.lesson import EVERYTHING, HIDES, LOCKS, Lesson
from bnlab.ui.state import WIDGET_PARAMETERS, PageState, state_to_url

LOCK, HIDE = "share-lock", "share-hide"


def render_share(state: PageState) -> None:
    """Draw a button that opens the link and what it may lock or hide; what is locked or hidden already stays so."""
    with st.popover("Share", icon=":material/share:", key="share"):
        lesson = state.lesson
        if lesson == Lesson():
            lesson = _chosen_lesson()
        else:
            st.markdown(f"This address is the page as you see it. {_kept_text(lesson)}")
        kept = {name: st.query_params.get_all(name) for name in WIDGET_PARAMETERS if name in st.query_params}
        st.code(link(state, lesson, kept), language=None, wrap_lines=True)


def link(state: PageState, lesson: Lesson, kept: Mapping[str, Sequence[str]]) -> str:
    """The address of this page with the state as it is, `lesson`, and what its widgets have `kept` in the address."""
    query = urlencode({**state_to_url(dataclasses.replace(state, lesson=lesson)), **kept}, doseq=True, safe="~-")
    return urlunsplit(urlsplit(st.context.url or "")._replace(query=query, fragment=""))


def _chosen_lesson() -> Lesson:
    st.markdown("This address is the page as you see it. For a class, lock or hide what should stay as it is:")
    nothing: dict[str, Any] = {"placeholder": "nothing"}
    lock = st.multiselect("Lock", list(LOCKS), format_func=lambda n: LOCKS[n], key=LOCK, on_change=_settle, **nothing)
    hide = st.multiselect("Hide", list(HIDES), format_func=lambda n: HIDES[n], key=HIDE, **nothing)
    return Lesson(tuple(lock), tuple(hide))


def _settle() -> None:
    """Everything is everything: no other lock stands beside it."""
    if EVERYTHING in st.session_state[LOCK]:
        st.session_state[LOCK] = [EVERYTHING]


def _kept_text(lesson: Lesson) -> str:
    """What a teacher's link keeps as it is, as it was called where the link was made."""
    parts = [("locked", [LOCKS[name] for name in lesson.lock]), ("hidden", [HIDES[name] for name in lesson.hide])]
    told = " and ".join(f"{verb}: {', '.join(own)}" for verb, own in parts if own)
    return f"It keeps what a teacher has {told}."
