"""The results that a lesson hides on all pages: those its link leaves out, and those its teacher has yet to reveal."""

import streamlit as st

from bnlab.runs.predictions import are_results_hidden
from bnlab.runs.store import Store
from bnlab.ui.navigation import page_path
from bnlab.ui.state import PageState


def hides_results(store: Store, state: PageState) -> bool:
    """Whether the reader's lesson asks for a prediction, and its results have not been revealed."""
    return are_results_hidden(store, state.lesson.predict)


def render_if_hidden(store: Store, state: PageState, *, has_charts: bool = False) -> bool:
    """Draw on a page of results that they are hidden, if they are; returns whether that is so.

    A link that hides the results leaves a page that `has_charts`: curves and charts are there to be read.
    """
    if hides_results(store, state):
        text = "Results are hidden until your teacher reveals them. The question is on Compare."
    elif state.lesson.hides("results") and not has_charts:
        text = "In this lesson you find the results yourself, from the curves on Compare."
    else:
        return False
    st.info(text, icon=":material/lock:")
    st.page_link(page_path("compare"), label="Go to Compare", icon=":material/arrow_forward:")
    return True
