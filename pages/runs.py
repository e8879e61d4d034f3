"""Runs: every run in the store."""

from bnlab.ui.runs.page import render_page

render_page()
