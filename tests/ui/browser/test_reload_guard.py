"""An app that has vanished from the screen comes back."""

import pytest
from playwright.sync_api import Page, expect

VANISH = "window.vanished = true; document.getElementById('root').replaceChildren()"

pytestmark = pytest.mark.browser


def test_a_page_that_has_become_empty_is_loaded_anew_as_it_was_but_not_over_and_over(
    browser_page: Page, app_url: str
) -> None:
    browser_page.goto(f"{app_url}/runs?epochs=3")
    browser_page.wait_for_function("window.bnlabReloadGuard")
    browser_page.evaluate(VANISH)
    expect(browser_page.get_by_role("heading", level=1)).to_have_text("Runs")
    assert not browser_page.evaluate("window.vanished")
    assert "epochs=3" in browser_page.url

    browser_page.wait_for_function("window.bnlabReloadGuard")
    browser_page.evaluate(
        "sessionStorage.setItem('bnlab-reloaded', Date.now() + 3600 * 1000)"
    )  # an hour left, not 10 s
    browser_page.evaluate(VANISH)
    expect(browser_page.get_by_role("heading", level=1)).to_have_count(0)
    assert browser_page.evaluate("window.vanished")
