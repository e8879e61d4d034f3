"""How it works: batch normalization, explained with equations and interactive figures."""

from bnlab.ui.navigation import enter_through_app

enter_through_app()

from bnlab.ui.how_it_works.page import render_page  # noqa: E402  (not needed by a page that hands over to app.py)

render_page()
