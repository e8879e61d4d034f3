"""Runs: every run in the store."""

from bnlab.ui.navigation import enter_through_app

enter_through_app()

from bnlab.ui.runs.page import render_page  # noqa: E402  (not needed by a page that hands over to app.py)

render_page()
