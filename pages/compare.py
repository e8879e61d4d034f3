"""Compare: choose variants, train them, watch their curves."""

from bnlab.ui.compare.page import render_page

render_page()
