"""The Share button: a link to the page as it is shown, and a teacher's links that lock, hide and ask."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from bnlab.specs.lesson import ALL_FIELDS, HIDE_TITLES, LOCK_TITLES, QUESTION, TITLE, Lesson, one_line, text_error
from bnlab.specs.prediction import lesson_id, new_key
from bnlab.ui.state import PAGE_PARAMETERS, PageState, state_to_url

LOCK, HIDE = "share-lock", "share-hide"
SHARE_TITLE, SHARE_QUESTION, ASK = "share-title", "share-question", "share-predict"
KEY = "share-key"
"""Session key of the key that reveals the results of the lesson that is being made."""
LINK_HEIGHT = 128
"""Of a link, in pixels: four lines, the more scroll. The controls below do not move while the link grows."""


def render_share(state: PageState) -> None:
    """Draw the button. In a page with a lesson the link keeps that lesson, and offers no other."""
    with st.popover("Share", icon=":material/share:", key="share"):
        lesson = state.lesson
        address = st.container()  # above the lists, which cover what is below them
        introduction = "This link opens the page as you see it."
        if lesson != Lesson():
            introduction = f"{introduction} {_lesson_text(lesson)}"
        else:
            lesson = _choose_lesson()
            if lesson.predict:
                introduction = "For learners, who predict before they see results:"
        widgets = {name: st.query_params.get_all(name) for name in PAGE_PARAMETERS if name in st.query_params}
        with address:
            st.markdown(introduction)
            _render_link(page_url(state, lesson.for_learners(), widgets))
            if lesson.reveal:
                st.markdown("For you, to reveal the results and see the predictions:")
                _render_link(page_url(state, lesson, widgets))


def _render_link(url: str) -> None:
    st.code(url, language=None, wrap_lines=True, height=LINK_HEIGHT)


def page_url(state: PageState, lesson: Lesson, widgets: Mapping[str, Sequence[str]]) -> str:
    """The URL of the current page with `state`, but with `lesson` as its lesson.

    `widgets` are parameters that widgets keep in the URL themselves.
    """
    query = urlencode({**state_to_url(dataclasses.replace(state, lesson=lesson)), **widgets}, doseq=True, safe="~-")
    return urlunsplit(urlsplit(st.context.url or "")._replace(query=query, fragment=""))


def _choose_lesson() -> Lesson:
    st.markdown("For a class, choose what to lock or hide. The link is updated.")
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
    title = _text_input("Title", TITLE, SHARE_TITLE)
    question = _text_input("Question", QUESTION, SHARE_QUESTION)
    help_ = "Learners choose what they expect; results stay hidden on all pages until your second link reveals them."
    if not st.toggle("Ask for a prediction first", key=ASK, help=help_):
        return Lesson(tuple(lock), tuple(hide), title, question)
    key: str = st.session_state.setdefault(KEY, new_key())
    return Lesson(tuple(lock), tuple(hide), title, question, lesson_id(key), key)


def _text_input(label: str, parameter: str, key: str) -> str:
    """A field for one of the lesson's texts, which is left out while it is too long."""
    text = one_line(st.text_input(label, key=key, placeholder="none"))
    if error := text_error(parameter, text):
        st.error(error, icon=":material/rule:")
        return ""
    return text


def _reduce_to_everything() -> None:
    """Remove all other locks when "everything" is locked."""
    if ALL_FIELDS in st.session_state.get(LOCK, ()):
        st.session_state[LOCK] = [ALL_FIELDS]


def _lesson_text(lesson: Lesson) -> str:
    """A sentence that lists what the lesson locks and hides, by the titles in the Share menu."""
    parts = [
        ("locked", [LOCK_TITLES[name] for name in lesson.lock]),
        ("hidden", [HIDE_TITLES[name] for name in lesson.hide]),
    ]
    listed = " and ".join(f"{verb}: {', '.join(titles)}" for verb, titles in parts if titles)
    kept = f"It keeps what a teacher has {listed}." if listed else "It keeps the lesson."
    return f"{kept} It asks for a prediction first." if lesson.predict else kept
