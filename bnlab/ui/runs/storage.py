"""The room that runs take, and what can be given back."""

import streamlit as st

from bnlab.charts.formatting import format_size
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.storage import completed_checkpoints, delete_checkpoints, storage_use
from bnlab.specs.lesson import Lesson

NAMES = {
    "steps": "every step's loss and accuracy",
    "snapshots": "batch-normalization layers over training",
    "layers": "gradients and pre-activations",
    "checkpoints": "weights, to continue a run or export its model",
}


def render_disk(lab: Scheduler, lesson: Lesson) -> None:
    """Draw how much each kind of record takes; without a lesson with a button that forgets completed runs' weights."""
    with st.expander("Disk use", icon=":material/hard_drive:", key="disk", on_change="rerun") as fold:
        if not fold.open:
            return
        used = storage_use(lab.store)
        st.markdown("  \n".join(f"**{format_size(used[name])}** {words}" for name, words in NAMES.items()))
        if lesson.is_given():
            return
        kept = completed_checkpoints(lab.store)
        runs = f"{len(kept)} completed run{'s' if len(kept) > 1 else ''}"
        st.button(
            f"Forget the weights of {runs}" if kept else "No completed run's weights are kept",
            icon=":material/cleaning_services:",
            disabled=not kept,
            help="Curves and layers stay; the runs' models can no longer be exported or folded.",
            on_click=delete_checkpoints,
            args=(lab.store, kept),
            key="disk-clean",
        )
