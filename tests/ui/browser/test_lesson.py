"""A lesson with a prediction in Chromium: a teacher's link, two learners, and the results revealed to all of them."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from bnlab.live.visitors import COOKIE
from tests.ui.browser.compare_reader import wait_until_at_rest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE = {"width": 390, "height": 800}


def make_lesson(page: Page, app_url: str) -> tuple[str, str]:
    """The links for learners and for the teacher, from Share."""
    page.goto(app_url)
    page.get_by_role("button", name="Share").click()
    title = page.get_by_role("textbox", name="Title")
    title.fill("Where does BN belong?")
    title.press("Enter")
    page.get_by_text("Ask for a prediction first").click()
    addresses = page.locator("[data-testid=stPopoverBody] code")
    expect(addresses).to_have_count(2)
    links, reveal = (addresses.nth(index).inner_text() for index in range(2))
    assert "reveal=" not in links
    return links, reveal


def predict(page: Page, link: str, choice: str, size: str) -> None:
    """Open the link as another visitor on a phone, and save a prediction."""
    page.context.clear_cookies(name=COOKIE)
    page.set_viewport_size(PHONE)
    streams: list[str] = []
    page.on("request", lambda request: streams.append(request.url))
    page.goto(link)
    expect(page.get_by_role("heading", name="Where does BN belong?")).to_be_visible()
    page.get_by_role("radio", name=choice).check(force=True)
    if size:
        page.get_by_role("radio", name=size).check(force=True)
    wait_until_at_rest(page)
    page.get_by_role("button", name="Save prediction").click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_contain_text(choice)
    expect(page.locator(".answer, [data-chart^=training], [data-chart^=validation]")).to_have_count(0)
    assert any("/live/compare" in url and "predict=" in url for url in streams)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_two_learners_predict_and_see_the_results_when_they_are_revealed(
    browser_page: Page, chromium: BrowserContext, app_url: str
) -> None:
    links, reveal = make_lesson(browser_page, app_url)
    learners = [chromium.new_page() for _ in range(2)]
    predict(learners[0], links, "BN before ReLU", "less than 0.5 points")
    predict(learners[1], links, "No difference between the best two", "")
    count = re.compile("2 predictions")
    expect(learners[0].locator(".st-key-predictions")).to_have_text(count)

    browser_page.goto(reveal)
    expect(browser_page.locator(".st-key-predictions")).to_have_text(count)
    expect(browser_page.locator(".answer")).to_have_count(0)
    browser_page.get_by_role("button", name="Reveal results").click()
    for page in (browser_page, *learners):
        expect(page.locator(".tally caption").first).to_have_text(count)
        expect(page.locator(".answer-answer")).to_be_visible()
        expect(page.locator("[data-chart=validation-accuracy]")).to_be_visible()
    for page in learners:
        page.close()
