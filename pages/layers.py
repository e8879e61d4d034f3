"""Layers: what batch normalization does inside the networks of the comparison."""

from bnlab.ui.navigation import enter_through_app

enter_through_app()

from bnlab.ui.layers.page import render_page  # noqa: E402  (not needed by a page that hands over to app.py)

render_page()
