"""A page that can import the scripts in ``static/``, without the app."""

from pathlib import Path

from playwright.sync_api import Page, Route

from tests.browser import ROOT

ORIGIN = "http://static.test"


def serve_scripts(page: Page) -> None:
    """Open an empty page that can import the scripts in ``static/``."""

    def serve(route: Route) -> None:
        name = Path(route.request.url.removeprefix(ORIGIN)).name
        if name.endswith(".js"):
            route.fulfill(body=(ROOT / "static" / name).read_text(), content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html><title>scripts</title>", content_type="text/html")

    page.route(f"{ORIGIN}/**", serve)
    page.goto(ORIGIN)
