"""The disk use of the runs, and a button that deletes checkpoints of completed runs."""

from collections.abc import Sequence

import streamlit as st

from bnlab.charts.formatting import format_size
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.storage import completed_checkpoints, delete_checkpoints, storage_use
from bnlab.specs.lesson import Lesson
from bnlab.ui import services
from bnlab.ui.store_errors import callback
from bnlab.ui.visitor import changeable

DESCRIPTIONS = {
    "steps": "every step's loss and accuracy",
    "snapshots": "batch-normalization layers over training",
    "layers": "gradients and pre-activations",
    "checkpoints": "weights, to continue a run or export its model",
}
"""By the kind of record."""


def render_disk_use(scheduler: Scheduler, lesson: Lesson) -> None:
    """Draw the size of each kind of record, and without a lesson the button that deletes checkpoints."""
    with st.expander("Disk use", icon=":material/hard_drive:", key="disk-use", on_change="rerun") as expander:
        if not expander.open:
            return
        sizes = storage_use(scheduler.store)
        lines = [f"**{format_size(sizes[kind])}** {description}" for kind, description in DESCRIPTIONS.items()]
        st.markdown("  \n".join(lines))
        if lesson.is_active():
            return
        digests = changeable(completed_checkpoints(scheduler.store))
        runs = f"{len(digests)} completed run{'s' if len(digests) > 1 else ''}"
        st.button(
            f"Delete saved weights of {runs}" if digests else "No saved weights of completed runs",
            icon=":material/cleaning_services:",
            disabled=not digests,
            help="Curves and layers stay; the runs' models can no longer be exported or folded.",
            on_click=_delete_checkpoints,
            args=(digests,),
            key="delete-checkpoints",
        )


@callback
def _delete_checkpoints(digests: Sequence[str]) -> None:
    delete_checkpoints(services.scheduler().store, changeable(digests))
