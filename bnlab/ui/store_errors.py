"""Errors of the store on pages: each is shown as its sentence, and the page is drawn again until the store is back.

All code of the pages that reads or writes the store runs inside of `catch_store_errors` (pages), `fragment` or
`callback`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.runs.errors import StoreError
from bnlab.runs.limits import LimitError

RETRY_SECONDS = 2.0
CALLBACK_ERROR = "store-error"
"""Session key of the error of a callback, which runs before there is a page to show it on."""

P = ParamSpec("P")


@contextmanager
def catch_store_errors() -> Iterator[None]:
    """Show the StoreError of the last callback, then one that is raised inside; the page reruns until it has none."""
    _render_callback_error()
    try:
        yield
    except StoreError as error:
        _render_error(error)
        _rerun_later()


def fragment(function: Callable[P, None], run_every: float | None = None) -> Callable[P, None]:
    """`st.fragment` whose StoreErrors are raised while the page is drawn, and shown in its place when it is redrawn."""
    raised: list[StoreError] = []
    is_redrawn = False

    @wraps(function)
    def draw(*arguments: P.args, **options: P.kwargs) -> None:
        _render_callback_error()
        try:
            function(*arguments, **options)
        except StoreError as error:
            if not is_redrawn:
                raised.append(error)  # Streamlit would show what is raised in a fragment
                return
            _render_error(error)
            if run_every is None:
                _rerun_later()

    def draw_first(*arguments: P.args, **options: P.kwargs) -> None:
        nonlocal is_redrawn
        st.fragment(run_every=run_every)(draw)(*arguments, **options)
        is_redrawn = True
        if raised:
            raise raised.pop()

    return draw_first


def callback(function: Callable[P, object]) -> Callable[P, None]:
    """`function` as the callback of a widget; the page that is drawn after it shows its StoreError or LimitError."""

    @wraps(function)
    def call(*arguments: P.args, **options: P.kwargs) -> None:
        try:
            function(*arguments, **options)
        except (LimitError, StoreError) as error:
            st.session_state[CALLBACK_ERROR] = error

    return call


def _render_callback_error() -> None:
    if error := st.session_state.pop(CALLBACK_ERROR, None):
        _render_error(error)


def _render_error(error: Exception) -> None:
    icon = ":material/database_off:" if isinstance(error, StoreError) else ":material/rule:"
    st.error(escape_markdown(str(error)), icon=icon)


def _rerun_later() -> None:
    draws = 0

    def rerun() -> None:
        nonlocal draws
        draws += 1
        if draws > 1:
            st.rerun()

    st.fragment(run_every=RETRY_SECONDS)(rerun)()
