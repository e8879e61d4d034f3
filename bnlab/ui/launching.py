"""Launching from pages: within the deployment's limits, and after the total of anything large was confirmed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from bnlab.runs.config import Settings
from bnlab.runs.estimates import about_text, launch_seconds
from bnlab.runs.limits import is_large
from bnlab.specs.run_spec import RunSpec
from bnlab.ui import services

PENDING = "launch-pending"
"""Session key of what is to be confirmed."""


@dataclass(frozen=True)
class Pending:
    """A launch that waits to be confirmed: where on the pages, what, and its total as text."""

    place: str
    subject: Any
    total: str


def needs_confirmation(place: str, subject: object, specs: Iterable[RunSpec], *, is_confirmed: bool) -> bool:
    """Whether launching these specs has to wait: they are many, and `subject` has not been confirmed at `place`.

    Then the page asks by `render_confirmation`.
    """
    pending: Pending | None = st.session_state.pop(PENDING, None)
    if is_confirmed and pending is not None and (pending.place, pending.subject) == (place, subject):
        return False
    chosen, scheduler = list({spec.digest: spec for spec in specs}.values()), services.scheduler()
    runs = scheduler.store.find(chosen)
    steps = {digest: run.step for digest, run in runs.items() if run.state.can_continue()}
    remaining = [(spec, steps.get(spec.digest, 0)) for spec in chosen]
    seconds = launch_seconds(remaining, scheduler.step_times(), scheduler.workers)
    if not is_large(len(remaining), seconds, Settings()):
        return False
    runs_text = f"{len(remaining):,} run{'' if len(remaining) == 1 else 's'}"
    st.session_state[PENDING] = Pending(place, subject, f"{runs_text}, {about_text(seconds)} of training")
    return True


def pending_at(place: str) -> Pending | None:
    """What waits to be confirmed at `place`."""
    pending: Pending | None = st.session_state.get(PENDING)
    return pending if pending is not None and pending.place == place else None


def forget_pending() -> None:
    """Launch nothing. A callback of buttons."""
    st.session_state.pop(PENDING, None)


def render_confirmation(place: str, confirm: Callable[..., None], arguments: tuple[str, ...] = ()) -> None:
    """Draw what waits to be confirmed at `place`, with the buttons that launch it and that do not; else nothing.

    `confirm` is the callback that launches it, called with `arguments` and then True. Ctrl + Enter presses it.
    """
    pending = pending_at(place)
    if pending is None:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="confirm-launch"):
        st.markdown(f"**{pending.total}.** Launch all?", width="content")
        st.button(
            "Launch",
            icon=":material/play_arrow:",
            type="primary",
            shortcut="mod+enter",
            on_click=confirm,
            args=(*arguments, True),
            key="confirm",
        )
        st.button("Cancel", icon=":material/close:", on_click=forget_pending, key="confirm-cancel")
