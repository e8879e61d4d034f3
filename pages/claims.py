"""Claims: the notebook's statements, tested by experiments."""

from bnlab.ui.claims.page import render_page

render_page()
