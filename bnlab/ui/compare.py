"""The Compare page. Placeholder: only its frame so far."""

import streamlit as st


def render_compare() -> None:
    """Draw the page."""
    st.title("Compare")
