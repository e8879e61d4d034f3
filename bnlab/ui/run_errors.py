"""Why runs have failed."""

from collections.abc import Iterable

import streamlit as st

from bnlab.runs.run import Run
from bnlab.ui.words import plain


def render_errors(runs: Iterable[Run]) -> None:
    """Say why those of `runs` that failed did."""
    for run in runs:
        if run.error:
            st.error(f"{plain(run.label)}: {plain(run.error)}", icon=":material/error:")
