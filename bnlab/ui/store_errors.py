"""Errors of the store on pages: each is shown as its sentence, and the page is drawn again when the store is back.

All code of the pages that reads or writes the store runs inside of `catch_store_errors` (pages), `fragment` or
`callback`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.live.reading import DEFAULT_VERSION
from bnlab.runs.annotations import AnnotationError
from bnlab.runs.errors import DamagedError, StoreError
from bnlab.runs.limits import LimitError
from bnlab.ui.live import follow

CALLBACK_ERROR = "store-error"
"""Session key of the error of a callback, which runs before there is a page to show it on."""

P = ParamSpec("P")


@contextmanager
def catch_store_errors() -> Iterator[None]:
    """Show the StoreError of the last callback, then one raised inside; the page is redrawn when the store is back."""
    _render_callback_error()
    try:
        yield
    except DamagedError as error:  # the store can be read, so that the stream would have the page drawn again and again
        _render_error(error)
    except StoreError as error:
        _render_error(error)
        follow("store", {}, {DEFAULT_VERSION: ""})


def fragment(function: Callable[P, None]) -> Callable[P, None]:
    """Like `st.fragment`, but the page shows its StoreErrors, and is drawn again if the fragment alone was."""
    raised: list[StoreError] = []
    is_redrawn = False

    @wraps(function)
    def draw(*arguments: P.args, **options: P.kwargs) -> None:
        _render_callback_error()
        try:
            function(*arguments, **options)
        except StoreError as error:
            if is_redrawn:
                st.rerun()
            raised.append(error)  # Streamlit would show what is raised in a fragment

    def draw_first(*arguments: P.args, **options: P.kwargs) -> None:
        nonlocal is_redrawn
        st.fragment(draw)(*arguments, **options)
        is_redrawn = True
        if raised:
            raise raised.pop()

    return draw_first


def callback(function: Callable[P, object]) -> Callable[P, None]:
    """`function` as the callback of a widget; the page drawn after it shows errors that its reader can cause."""

    @wraps(function)
    def call(*arguments: P.args, **options: P.kwargs) -> None:
        try:
            function(*arguments, **options)
        except (AnnotationError, LimitError, StoreError) as error:
            st.session_state[CALLBACK_ERROR] = error

    return call


def _render_callback_error() -> None:
    if error := st.session_state.pop(CALLBACK_ERROR, None):
        _render_error(error)


def _render_error(error: Exception) -> None:
    icon = ":material/database_off:" if isinstance(error, StoreError) else ":material/rule:"
    st.error(escape_markdown(str(error)), icon=icon)
