"""Serves ticking.py with the scripts of live charts."""

import streamlit as st

from bnlab.ui.assets import assets

app = st.App("ticking.py", routes=[assets().route()])
