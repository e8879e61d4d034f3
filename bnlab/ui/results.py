"""The table under the curves."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import pandas as pd
import streamlit as st

from bnlab.runs.frames import last_moment
from bnlab.runs.results import results_frame
from bnlab.runs.run import Run
from bnlab.runs.store import Store

Measured = tuple[tuple[str, tuple[tuple[str, int], ...]], ...]


def render_results(store: Store, comparison: Mapping[str, Sequence[Run]]) -> None:
    """Draw one row a variant; `comparison` maps each label to its runs."""
    frame = _frame(store, _moments_of(store, comparison))
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


def _moments_of(store: Store, comparison: Mapping[str, Sequence[Run]]) -> Measured:
    return tuple(
        (label, tuple((run.digest, last_moment(store, run.digest)) for run in runs))
        for label, runs in comparison.items()
    )


@lru_cache(maxsize=32)
def _frame(store: Store, measured: Measured) -> pd.DataFrame:
    """The table after those moments: made once a moment, not once a tick and session."""
    return results_frame(store, {label: [store.run(digest) for digest, _ in own] for label, own in measured})


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
