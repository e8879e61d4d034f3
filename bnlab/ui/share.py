"""The Share button: a link to the page as it is shown, and a teacher's link that locks or hides controls."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from bnlab.specs.lesson import ALL_FIELDS, HIDE_TITLES, LOCK_TITLES, Lesson
from bnlab.ui.state import WIDGET_PARAMETERS, PageState, state_to_url

LOCK, HIDE = "share-lock", "share-hide"


def render_share(state: PageState) -> None:
    """Draw the button. In a page with a lesson the link keeps that lesson, and offers no other."""
    with st.popover("Share", icon=":material/share:", key="share"):
        lesson = state.lesson
        if lesson == Lesson():
            lesson = _choose_lesson()
        else:
            st.markdown(f"This address is the page as you see it. {_lesson_text(lesson)}")
        widgets = {name: st.query_params.get_all(name) for name in WIDGET_PARAMETERS if name in st.query_params}
        st.code(page_url(state, lesson, widgets), language=None, wrap_lines=True)


def page_url(state: PageState, lesson: Lesson, widgets: Mapping[str, Sequence[str]]) -> str:
    """The URL of the current page with `state`, but with `lesson` as its lesson.

    `widgets` are parameters that widgets keep in the URL themselves.
    """
    query = urlencode({**state_to_url(dataclasses.replace(state, lesson=lesson)), **widgets}, doseq=True, safe="~-")
    return urlunsplit(urlsplit(st.context.url or "")._replace(query=query, fragment=""))


def _choose_lesson() -> Lesson:
    st.markdown("This address is the page as you see it. For a class, lock or hide what should stay as it is:")
    options: dict[str, Any] = {"placeholder": "nothing"}
    lock = st.multiselect(
        "Lock",
        list(LOCK_TITLES),
        format_func=LOCK_TITLES.__getitem__,
        key=LOCK,
        on_change=_reduce_to_everything,
        **options,
    )
    hide = st.multiselect("Hide", list(HIDE_TITLES), format_func=HIDE_TITLES.__getitem__, key=HIDE, **options)
    return Lesson(tuple(lock), tuple(hide))


def _reduce_to_everything() -> None:
    """Remove all other locks when "everything" is locked."""
    if ALL_FIELDS in st.session_state[LOCK]:
        st.session_state[LOCK] = [ALL_FIELDS]


def _lesson_text(lesson: Lesson) -> str:
    """A sentence that lists what the lesson locks and hides, by the titles in the Share menu."""
    parts = [
        ("locked", [LOCK_TITLES[name] for name in lesson.lock]),
        ("hidden", [HIDE_TITLES[name] for name in lesson.hide]),
    ]
    listed = " and ".join(f"{verb}: {', '.join(titles)}" for verb, titles in parts if titles)
    return f"It keeps what a teacher has {listed}."
