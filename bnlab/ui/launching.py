"""Launching from pages: within the deployment's limits, and after the total of anything large was confirmed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from bnlab.runs.config import Settings
from bnlab.runs.estimates import about_text, launch_seconds
from bnlab.runs.limits import LimitError, is_large
from bnlab.specs.run_spec import RunSpec
from bnlab.ui import services
from bnlab.ui.controls import FAULT, apply_changes
from bnlab.ui.state import current_state
from bnlab.ui.store_errors import callback
from bnlab.ui.visitor import rights_on

COMPARE = "compare"
"""The place of the confirmation of what the Compare page launches."""
PENDING = "launch-pending"
"""Session key of what is to be confirmed."""


@dataclass(frozen=True)
class Pending:
    """A launch that waits to be confirmed: where on the pages, what, and its total as text."""

    place: str
    subject: Any
    total: str


@callback
def launch_variants(label: str = "", is_confirmed: bool = False) -> None:
    """Train or continue the variant `label` of the current comparison, or all of them. A callback of buttons.

    Launches nothing if a control has a value that is refused, since that is not what the page shows, and nothing large
    before it is confirmed.
    """
    if faults := apply_changes():
        st.session_state[FAULT] = f"Nothing was trained. {faults[0]}"
        return
    st.session_state.pop(FAULT, None)
    state, scheduler = current_state(), services.scheduler()
    label, specs_by_label = state.current_label(label), state.comparison.specs()
    labelled = [(spec, name) for name, specs in specs_by_label.items() if label in ("", name) for spec in specs]
    runs = scheduler.store.find(spec for spec, _ in labelled)
    rights = rights_on(runs.values())
    launched = [(spec, name) for spec, name in labelled if rights.may_launch(runs.get(spec.digest))]
    trained = [spec for spec, _ in launched if spec.digest not in runs or runs[spec.digest].can_launch]
    subject = label, frozenset(spec.digest for spec in trained)
    if needs_confirmation(COMPARE, subject, trained, is_confirmed=is_confirmed):
        return
    if not launched:
        st.toast("Nothing to do: what is shown is trained, or training already.", icon=":material/check:")
    try:
        scheduler.launch_runs(launched, rights.visitor)
    except LimitError as error:
        st.session_state[FAULT] = f"Nothing was trained. {error}"


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
