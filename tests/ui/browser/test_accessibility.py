"""No page breaks a rule of axe-core whose breach is serious or critical, in either theme."""

import json
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from bnlab.ui.navigation import PAGES
from tests.ui.browser.compare_reader import wait_until_at_rest
from tests.ui.browser.test_navigation import assert_opens

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
SERIOUS = {"serious", "critical"}
UNCHANGED = """() => new Promise(resolve => {
  let timer = setTimeout(resolve, 1500);
  new MutationObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(resolve, 1500);
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
})"""
"""Waits until the document has stayed as it is: equations and their fonts come after the page's script has run."""


@pytest.mark.parametrize("name", [page.name for page in PAGES])
def test_no_page_has_a_serious_violation(browser_page: Page, app_url: str, name: str) -> None:
    browser_page.set_viewport_size({"width": 1280, "height": 800})
    assert_opens(browser_page, app_url, name)
    wait_until_at_rest(browser_page)
    browser_page.evaluate(UNCHANGED)
    found: dict[str, list[dict[str, Any]]] = {scheme: _violations(browser_page, scheme) for scheme in SCHEMES}
    browser_page.set_viewport_size({"width": 390, "height": 800})
    browser_page.evaluate(UNCHANGED)
    found["narrow"] = _violations(browser_page, SCHEMES[-1])  # its colours are those of a wide page
    assert not any(found.values()), json.dumps(found, indent=1)


def _violations(page: Page, scheme: Scheme) -> list[dict[str, Any]]:
    """The rules broken, with the elements that break them."""
    page.emulate_media(color_scheme=scheme)
    expect(page.locator(".stApp")).to_have_css("color-scheme", scheme)
    return [
        {"rule": violation["id"], "help": violation["help"], "elements": [node["html"] for node in violation["nodes"]]}
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in SERIOUS
    ]
