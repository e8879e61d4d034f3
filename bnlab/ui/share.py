"""The address of a page as it stands, and a teacher's link that locks or hides controls."""

import dataclasses
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from bnlab.spec.run_spec import RunSpec
from bnlab.ui.lesson import EVERYTHING, PARTS, Lesson
from bnlab.ui.session import WIDGETS, Desk, address_of


def render_share(desk: Desk) -> None:
    """Draw a button that opens the link and what it may lock or hide."""
    with st.popover("Share", icon=":material/share:", key="share"):
        st.markdown("This address is the page as you see it. For a class, lock or hide what should stay as it is:")
        fields = [EVERYTHING, *RunSpec.model_fields]
        lock = st.multiselect("Lock", fields, format_func=_title, key="share-lock", placeholder="nothing")
        hide = st.multiselect(
            "Hide", list(PARTS), format_func=lambda part: PARTS[part].title, key="share-hide", placeholder="nothing"
        )
        lesson = Lesson(
            tuple(dict.fromkeys((*desk.lesson.lock, *lock))), tuple(dict.fromkeys((*desk.lesson.hide, *hide)))
        )
        kept = {name: st.query_params.get_all(name) for name in WIDGETS if name in st.query_params}
        st.code(link(desk, lesson, kept), language=None, wrap_lines=True)


def link(desk: Desk, lesson: Lesson, kept: Mapping[str, Sequence[str]]) -> str:
    """The address of this page with the desk as it is, `lesson`, and what its widgets have `kept` in the address."""
    query = urlencode({**address_of(dataclasses.replace(desk, lesson=lesson)), **kept}, doseq=True, safe="~-")
    return urlunsplit(urlsplit(st.context.url or "")._replace(query=query, fragment=""))


def _title(field: str) -> str:
    return "Everything" if field == EVERYTHING else str(RunSpec.model_fields[field].title)
