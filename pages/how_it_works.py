"""How it works: batch normalization, explained with equations and interactive figures."""

from bnlab.ui.how_it_works.page import render_page

render_page()
