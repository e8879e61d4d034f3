"""The Claims page in a real Chromium, with real workers: rows that open, a claim tested, its runs opened."""

import re

import pytest
from playwright.sync_api import Page, expect

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.runs.experiment_queue import queued
from bnlab.runs.store import Store
from tests.slow import all_but_one_slow
from tests.ui.browser.compare_reader import wait_until_at_rest

pytestmark = pytest.mark.browser


# Taken, not waited for: an observer of a page where nothing ever shifted is never called.
UNASKED_SHIFTS = """() => {
  const observer = new PerformanceObserver(() => {});
  observer.observe({ type: "layout-shift", buffered: true });
  return observer.takeRecords()
    .filter((shift) => !shift.hadRecentInput && shift.startTime > window.begun && shift.value > 0.002)
    .map((shift) => shift.value);
}"""
HEIGHT = "page => page.getBoundingClientRect().height"
# The right-hand dot of each dumbbell, and what its row says.
SIDES = """table => [...table.querySelectorAll("tbody tr:not(.group)")].map((row) => {
  const left = (arm) => row.querySelector(`.dumbbell b.${arm}`).getBoundingClientRect().left;
  return [left("treatment") - left("control"), row.cells[2].textContent];
})"""
WIDER_THAN_THE_PAGE = """page => [...page.querySelectorAll("*")]
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 1).map((element) => element.className)"""


def test_a_link_opens_a_row_and_better_is_to_the_right(browser_page: Page, app_url: str) -> None:
    browser_page.set_viewport_size({"width": 1400, "height": 900})
    browser_page.goto(f"{app_url}/claims?claim=a2")
    expect(browser_page.get_by_role("button", name="A2 It converges faster")).to_be_in_viewport()
    tables = browser_page.locator(".st-key-opened-A2 > * table.effects")
    expect(tables).to_have_count(3)
    steps, _, accuracy = (table.evaluate(SIDES) for table in tables.all())
    assert all(moved > 0 and "fewer" in text for moved, text in steps)
    assert (
        [moved > 0 for moved, _ in accuracy]
        == ["higher" in text.split(" (")[0] for _, text in accuracy]
        == [True, True, False]
    )
    assert browser_page.locator(".st-key-claims").evaluate(WIDER_THAN_THE_PAGE) == []
    browser_page.get_by_role("button", name="A2 It converges faster").click()
    expect(tables).to_have_count(0)
    browser_page.wait_for_function("() => !location.search.includes('claim')")
    claims = browser_page.locator(".st-key-claims")
    expect(claims.locator(".claim .sentence").last).to_be_visible()
    expect(claims.locator(".dumbbell").last).to_be_visible()
    assert claims.evaluate(HEIGHT) < 2_000, "the page is short while its rows are closed"
    assert browser_page.locator(".stMainBlockContainer").evaluate(HEIGHT) < 2_500
    assert claims.evaluate(WIDER_THAN_THE_PAGE) == []


@pytest.mark.parametrize(("claim", "width"), all_but_one_slow([("A4", 1024), ("W1", 390)]))  # as yet untried here
def test_nothing_moves_while_a_claim_is_tested(browser_page: Page, app_url: str, claim: str, width: int) -> None:
    browser_page.set_viewport_size({"width": width, "height": 844})
    browser_page.goto(f"{app_url}/claims?claim={claim.lower()}")
    row = browser_page.locator(f".st-key-opened-{claim}")
    expect(row.locator("table.effects").first).to_be_attached()
    wait_until_at_rest(browser_page)
    before = row.evaluate(HEIGHT)
    row.get_by_role("button", name="in full").click()
    expect(row.get_by_role("progressbar")).to_have_accessible_name(re.compile(r"Testing .full, .*: \d+ of"))
    expect(row.get_by_role("button", name="in full")).to_be_hidden()
    browser_page.wait_for_timeout(600)  # what moves later than that was not moved by the click
    browser_page.evaluate("window.begun = performance.now()")
    browser_page.wait_for_timeout(2_000)  # two ticks
    assert browser_page.evaluate(UNASKED_SHIFTS) == []
    assert row.evaluate(HEIGHT) == before, "the progress takes the place of the buttons"
    row.get_by_role("button", name="Stop").click()
    expect(row.get_by_role("button", name="in full")).to_be_visible()


@pytest.mark.slow
def test_a_claim_is_tested_and_its_networks_are_opened(browser_page: Page, app_url: str, store: Store) -> None:
    browser_page.goto(f"{app_url}/claims")
    expect(browser_page.locator("[class*=st-key-row-] button")).to_have_count(
        sum(claim.needs_workers for claim in CLAIMS.values()) + 1
    )
    row, opened = browser_page.locator(".st-key-row-O3"), browser_page.locator(".st-key-opened-O3")
    expect(row).to_contain_text("The loss depends on gamma and beta always")
    row.get_by_role("button").click()
    expect(opened).to_contain_text("Recorded on")
    opened.get_by_role("button", name="Run it here").click()
    expect(opened).to_contain_text("measurements taken")
    assert queued(store) == ["O3 quick 0:5"]
    expect(opened).to_contain_text("Measured here")
    expect(row).to_contain_text("Yes, each in its mode")

    expect(opened.get_by_role("button", name="Add 5 seeds")).to_be_enabled()
    assert queued(store) == ["O3 quick 0:5"]

    browser_page.locator(".st-key-row-W2 button").click()
    long = browser_page.locator(".st-key-opened-W2")
    long.get_by_role("button", name="in full").click()
    expect(long).to_contain_text(re.compile(r"Testing .full, .*: \d+ of .* runs trained"))
    long.get_by_role("button", name="Stop").click()
    expect(long.get_by_role("button", name=re.compile("in full"))).to_be_enabled()
    assert queued(store) == ["O3 quick 0:5"]

    opened.get_by_role("button", name="Open its networks in Compare").click()
    browser_page.locator(".st-key-compare-O3").get_by_role("link").click()
    expect(browser_page.locator(".st-key-variant-1")).to_contain_text("BN")
    expect(browser_page.get_by_role("heading", level=1)).to_be_in_viewport()
    assert "seeds=5" in browser_page.url


@pytest.mark.slow
def test_on_a_phone_a_row_is_read_without_scrolling_sideways(browser_page: Page, app_url: str) -> None:
    browser_page.set_viewport_size({"width": 390, "height": 844})
    browser_page.goto(f"{app_url}/claims?claim=a2#a2")
    row = browser_page.locator(".st-key-row-A2")
    expect(row.locator(".sentence")).to_be_in_viewport()
    expect(browser_page.locator(".st-key-opened-A2 > * table.effects")).to_have_count(3)
    assert browser_page.locator(".st-key-claims").evaluate(WIDER_THAN_THE_PAGE) == []
