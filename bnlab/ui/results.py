"""The table under the curves."""

from collections.abc import Mapping, Sequence

import streamlit as st

from bnlab.runs.results import results_frame
from bnlab.runs.run import Run
from bnlab.runs.store import Store


def render_results(store: Store, comparison: Mapping[str, Sequence[Run]]) -> None:
    """Draw one row a variant; `comparison` maps each label to its runs."""
    frame = results_frame(store, comparison)
    number = st.column_config.NumberColumn
    st.dataframe(
        frame[[*_COLUMNS]],
        hide_index=True,
        placeholder="–",
        column_config={
            "label": st.column_config.TextColumn("Network", width="medium"),
            "params": number("Parameters", format="localized"),
            "trainable": number("Trainable", format="localized"),
            "val_loss": number("Validation loss", format="%.4f"),
            "val_accuracy": number("Validation accuracy", format="percent"),
            "seconds_per_epoch": number("Seconds an epoch", format="%.2f", help="Time in training steps alone"),
            "seconds_to_95": number("Seconds to 95 %", format="%.1f", help="–: never reached"),
            "seconds_to_97": number("Seconds to 97 %", format="%.1f", help="–: never reached"),
        },
    )


_COLUMNS = (
    "label",
    "params",
    "trainable",
    "val_loss",
    "val_accuracy",
    "seconds_per_epoch",
    "seconds_to_95",
    "seconds_to_97",
)
