"""The Claims page in a real Chromium, with real workers: a claim put on trial, its seeds added, its runs opened."""

import re

import pytest
from playwright.sync_api import Page, expect

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.runs.experiment_queue import queued
from bnlab.runs.store import Store

pytestmark = pytest.mark.browser


# Taken, not waited for: an observer of a page where nothing ever shifted is never called.
UNASKED_SHIFTS = """() => {
  const observer = new PerformanceObserver(() => {});
  observer.observe({ type: "layout-shift", buffered: true });
  return observer.takeRecords()
    .filter((shift) => !shift.hadRecentInput && shift.startTime > window.begun && shift.value > 0.002)
    .map((shift) => shift.value);
}"""
FIGURE_TOP = """card => card.querySelector("[data-chart]").getBoundingClientRect().top
    - card.getBoundingClientRect().top"""


@pytest.mark.parametrize(("claim", "width"), [("A5", 1440), ("A4", 1024), ("W1", 390)])  # each as yet untried here
def test_nothing_moves_while_a_trial_goes_on(browser_page: Page, app_url: str, claim: str, width: int) -> None:
    browser_page.set_viewport_size({"width": width, "height": 844})
    browser_page.goto(f"{app_url}/claims")
    card = browser_page.locator(f".st-key-claim-{claim}")
    browser_page.get_by_role("link", name=f"{claim} ·").click()
    expect(card.locator("[data-chart^=effects-]")).to_be_attached()
    before = card.evaluate(FIGURE_TOP)
    card.get_by_role("button", name="in full").click()
    expect(card.get_by_role("progressbar")).to_have_accessible_name(re.compile(r"On trial .full, .*: \d+ of"))
    expect(card.get_by_role("button", name="in full")).to_be_hidden()
    browser_page.wait_for_timeout(600)  # what moves later than that was not moved by the click
    browser_page.evaluate("window.begun = performance.now()")
    browser_page.wait_for_timeout(2_000)  # two ticks
    assert browser_page.evaluate(UNASKED_SHIFTS) == []
    assert card.evaluate(FIGURE_TOP) == before, "what is said of a trial takes the place of the buttons"
    card.get_by_role("button", name="Stop").click()
    expect(card.get_by_role("button", name="in full")).to_be_visible()


def test_a_claim_is_put_on_trial_and_its_networks_are_opened(browser_page: Page, app_url: str, store: Store) -> None:
    browser_page.goto(f"{app_url}/claims")
    verdicts = browser_page.get_by_role("navigation", name="The verdicts").get_by_role("link")
    expect(verdicts).to_have_count(len(CLAIMS))
    card = browser_page.locator(".st-key-claim-O3")
    expect(card).to_contain_text("Recorded on")
    expect(card.get_by_role("img").first).to_be_attached()
    card.get_by_role("button", name="Run it here").click()
    expect(card).to_contain_text("measurements made")
    assert queued(store) == ["O3 quick 0:5"]
    expect(card).to_contain_text("Measured here")
    expect(card).to_contain_text("Holds only in part")

    expect(card.get_by_role("button", name="Add 5 seeds")).to_be_enabled()
    assert queued(store) == ["O3 quick 0:5"]

    long = browser_page.locator(".st-key-claim-W2")
    long.get_by_role("button", name="in full").click()
    expect(long).to_contain_text(re.compile(r"On trial .full, .*: \d+ of .* runs trained"))
    long.get_by_role("button", name="Stop").click()
    expect(long.get_by_role("button", name=re.compile("in full"))).to_be_enabled()
    assert queued(store) == ["O3 quick 0:5"]

    card.get_by_role("button", name="Open its networks in Compare").click()
    browser_page.locator(".st-key-compare-O3").get_by_role("link").click()
    expect(browser_page.locator(".st-key-card-1")).to_contain_text("BN")
    expect(browser_page.get_by_role("heading", level=1)).to_be_in_viewport()
    assert "seeds=5" in browser_page.url


def test_on_a_phone_the_figure_that_decides_is_in_sight(browser_page: Page, app_url: str) -> None:
    browser_page.set_viewport_size({"width": 390, "height": 844})
    browser_page.goto(f"{app_url}/claims#a2")
    expect(browser_page.get_by_role("heading", name="A2 ·")).to_be_in_viewport()
    card = browser_page.locator(".st-key-claim-A2")
    expect(card.locator(".plot-container")).to_be_in_viewport()
    expect(card.locator(".modebar-btn")).to_have_count(0)
