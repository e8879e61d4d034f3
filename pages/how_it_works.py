"""How it works: batch normalization, explained with equations and figures to play with."""

from bnlab.ui.navigation import enter_through_app

enter_through_app()

from bnlab.ui.how_it_works.page import render_page  # noqa: E402  (nothing is loaded for a page that hands over)

render_page()
