"""What students come with is answered within two clicks of the first page (docs/usability.md, tasks 1 to 3)."""

import pytest
from playwright.sync_api import Page, expect

from tests.sentences import numbers_in
from tests.ui.browser.compare_reader import chart, wait_until_at_rest

pytestmark = pytest.mark.browser


def ask(page: Page, question: str) -> None:
    """Click the question, and wait for its answer."""
    page.locator(".st-key-question").get_by_text(question).click()
    wait_until_at_rest(page)


def answer(page: Page) -> str:
    """The text of the answer, which is on the screen."""
    shown = page.locator(".answer-answer")
    expect(shown).to_be_in_viewport()
    return shown.inner_text()


def test_three_questions_are_answered_within_two_clicks(browser_page: Page, app_url: str) -> None:
    browser_page.set_viewport_size({"width": 1400, "height": 900})
    browser_page.goto(app_url)
    expect(chart(browser_page, "validation-accuracy")).to_be_in_viewport()
    text = answer(browser_page)
    assert all(label in text for label in ("BN before ReLU", "BN after ReLU", "No BN"))
    assert len(numbers_in(text)) >= 4, "differences and their intervals"
    described_by = chart(browser_page, "validation-accuracy").get_attribute("aria-describedby")
    assert browser_page.locator(f"[id='{described_by}']").inner_text() == text, "what is read after the chart's name"

    ask(browser_page, "Does the bias matter?")
    expect(browser_page.locator(".answer-answer")).to_contain_text("BN before without bias")
    assert "intervals" in answer(browser_page)

    ask(browser_page, "What do gamma and beta do?")
    expect(browser_page.locator(".answer-answer")).to_contain_text("gamma goes from 1")
    assert answer(browser_page)
    browser_page.get_by_test_id("stSidebarNav").get_by_role("link", name="Layers").click()
    learned = browser_page.locator(".st-key-layers-answer .live-text")
    expect(learned).to_contain_text("gamma has moved from 1")
    expect(learned).to_be_in_viewport()


def test_the_longest_answer_has_three_lines(browser_page: Page, app_url: str) -> None:
    browser_page.set_viewport_size({"width": 1400, "height": 900})
    browser_page.goto(app_url)
    ask(browser_page, "Why is validation bad early on?")
    expect(browser_page.locator(".answer-answer")).to_contain_text("re-estimated")
    lines = browser_page.locator(".answer-answer p").first.evaluate(
        "text => Math.round(text.getBoundingClientRect().height / parseFloat(getComputedStyle(text).lineHeight))"
    )
    assert 1 < lines <= 3
