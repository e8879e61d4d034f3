"""Claims: the notebook's statements on trial."""

from bnlab.ui.navigation import enter_through_app

enter_through_app()

from bnlab.ui.claims.page import render_page  # noqa: E402  (nothing is loaded for a page that hands over)

render_page()
