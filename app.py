"""bnlab: batch-normalization variants, trained side by side. Start it with ``streamlit run app.py``."""

import streamlit as st

from bnlab.ui.navigation import run_current_page

if __name__ != "__mp_main__":  # a spawned worker process imports its parent's script, and needs no page
    st.set_page_config(page_title="bnlab", page_icon="📈", layout="wide", initial_sidebar_state=210)
    run_current_page()
