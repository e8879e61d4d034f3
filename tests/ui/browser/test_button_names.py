"""On each page no two buttons or links that can be pressed have the same name for a screen reader."""

import re
from collections import Counter

import pytest
from playwright.sync_api import Page, expect

from bnlab.ui.compare.toolbar import PRESETS_MENU
from tests.slow import all_but_one_slow
from tests.ui.browser.compare_reader import wait_until_at_rest

pytestmark = pytest.mark.browser

PRESSED = re.compile(r"\s*- '?(button|link)(?: \"((?:[^\"\\]|\\.)*)\")?(.*)")
"""A line of Playwright's snapshot of the accessibility tree."""
PAGES = {
    "?preset=notebook": ".modebar-btn",
    "layers?layers-view=gradients": ".modebar-btn",
    "layers?layers-view=heatmaps": ".live-chart .main-svg",
    "claims?claim=a3&claim=p2&claim=o1": ".st-key-opened-O1 .counts",
    "how_it_works": ".explanation .main-svg",
    "runs?runs-filter=placement~none&runs-filter=epochs~10": "[data-testid=stDataFrame]",
}
"""Addresses, with what is drawn last there."""


def pressable_names(page: Page) -> list[tuple[str, str]]:
    """The roles and names of the buttons and links that are shown and enabled."""
    lines = page.locator("body").aria_snapshot().splitlines()
    found = [match.groups() for line in lines if (match := PRESSED.match(line))]
    return [(role, name or "") for role, name, state in found if "[disabled]" not in state]


@pytest.mark.parametrize("address", all_but_one_slow(list(PAGES)))
def test_each_button_has_its_own_name(browser_page: Page, app_url: str, address: str) -> None:
    browser_page.set_viewport_size({"width": 1400, "height": 900})
    browser_page.goto(f"{app_url}/{address}")
    expect(browser_page.get_by_role("heading", level=1)).to_be_visible()
    wait_until_at_rest(browser_page)
    expect(browser_page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(browser_page.locator(PAGES[address]).last).to_be_attached()
    if browser_page.locator(f".st-key-{PRESETS_MENU}").count():
        browser_page.locator(".st-key-toolbar").get_by_role("button", name="Settings").click()
        expect(browser_page.get_by_role("button", name="Increment: Seeds")).to_be_visible()
        browser_page.locator(f".st-key-{PRESETS_MENU} button").click()
        expect(browser_page.get_by_role("button", name="Add Approach 2")).to_be_visible()
    repeated = {name: count for name, count in Counter(pressable_names(browser_page)).items() if count > 1}
    assert not repeated
    assert ("button", "") not in pressable_names(browser_page)
