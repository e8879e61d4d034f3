"""bnlab: batch-normalization variants, trained side by side. Start it with ``streamlit run app.py``."""

import streamlit as st

from bnlab.ui.server import lifespan, middleware, routes

app = st.App("bnlab/ui/main.py", routes=routes(), lifespan=lifespan, middleware=middleware())
