"""The runs that another version of bnlab wrote and this one cannot read: what is known of them, and deleting them."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from bnlab.runs.run import UnreadableRun
from bnlab.specs.lesson import Lesson
from bnlab.ui import services
from bnlab.ui.runs.table import in_readers_zone, made_column
from bnlab.ui.store_errors import callback
from bnlab.ui.visitor import has_teacher, is_teacher

COLUMNS = {"label": "Name", "state": "State", "made": "Created", "digest": "Digest"}


def render_unreadable(unreadable: Sequence[UnreadableRun], lesson: Lesson) -> None:
    """Draw a table of the runs, and without a lesson the button that deletes them; nothing if there are none."""
    if not unreadable:
        return
    is_one = len(unreadable) == 1
    runs = "1 run is" if is_one else f"{len(unreadable)} runs are"
    st.warning(
        f"{runs} not readable by this version of bnlab: {'it was' if is_one else 'they were'} written by another one.",
        icon=":material/question_mark:",
    )
    frame = pd.DataFrame(
        [(run.label, run.state, in_readers_zone(run.created_at), run.digest) for run in unreadable],
        columns=list(COLUMNS),
    )
    st.dataframe(frame, hide_index=True, column_config=COLUMNS | {"made": made_column()}, key="unreadable")
    if lesson.is_active() or (has_teacher() and not is_teacher()):
        return
    with st.popover(f"Delete {'it' if is_one else 'them'}", icon=":material/delete:", key="unreadable-menu"):
        st.markdown("Delete what this version cannot read, with all curves and layers? This cannot be undone.")
        digests = [run.digest for run in unreadable]
        st.button("Delete permanently", type="primary", on_click=_delete, args=(digests,), key="unreadable-delete")


@callback
def _delete(digests: Sequence[str]) -> None:
    store = services.scheduler().store
    store.request_stop(digests)  # one that waits or trains is deleted too, unless its own version holds it
    store.delete(digests)
