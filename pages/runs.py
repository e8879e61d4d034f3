"""Runs: every run ever made here."""

from bnlab.ui.navigation import enter_through_app

enter_through_app()

from bnlab.ui.runs.page import render_runs  # noqa: E402  (nothing is loaded for a page that hands over)

render_runs()
