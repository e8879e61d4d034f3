"""Pages by their addresses and by the keyboard, in both themes."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from bnlab.ui.navigation import PAGES, ROOT
from tests.browser import running_app

Scheme = Literal["light", "dark"]
pytestmark = pytest.mark.browser


def assert_opens(page: Page, url: str, name: str) -> None:
    title = {entry.name: entry.title for entry in PAGES}[name]
    page.goto(f"{url}/{name}?preset=notebook&epochs=3")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page).to_have_title(f"{title} · bnlab")
    expect(page).to_have_url(f"{url}/{name}?preset=notebook&epochs=3")
    expect(page.get_by_text("Page not found")).to_have_count(0)
    expect(page.get_by_test_id("stSidebar").get_by_role("link")).to_have_count(len(PAGES))


@pytest.mark.slow  # a server for each
@pytest.mark.parametrize("name", ["compare", "layers"])  # the front page by its name, and one of the others
def test_the_first_request_of_a_server_may_be_a_deep_link(name: str, browser_page: Page, scheduler: str) -> None:
    with running_app(ROOT / "app.py", env={"BNLAB_SCHEDULER": scheduler}) as url:
        assert_opens(browser_page, url, name)
        assert_sidebar_is_narrow(browser_page)
        browser_page.goto("about:blank")  # a page logs an error when its server ends


def assert_sidebar_is_narrow(page: Page) -> None:
    """As wide as app.py asks for, from the first session on."""
    sidebar = page.get_by_test_id("stSidebar").bounding_box()
    assert sidebar is not None
    assert sidebar["width"] == pytest.approx(210, abs=5)


def test_a_page_has_its_address(browser_page: Page, app_url: str) -> None:
    """The front page by its name, and one of the others; all are opened in test_accessibility.py."""
    for name in ("compare", "runs"):
        assert_opens(browser_page, app_url, name)
    assert_sidebar_is_narrow(browser_page)


def text_colour(heading: Locator, scheme: Scheme) -> str:
    """The colour of text after a change to this scheme, from the other one if the page is open already."""
    expect(heading).to_be_visible()
    before = heading.evaluate("heading => getComputedStyle(heading).color")
    heading.page.emulate_media(color_scheme=scheme)
    expect(heading).not_to_have_css("color", before)
    return str(heading.evaluate("heading => getComputedStyle(heading).color"))


def test_what_is_chosen_or_disabled_can_be_read_and_what_has_the_keyboard_is_framed(
    browser_page: Page, app_url: str
) -> None:
    browser_page.emulate_media(color_scheme="dark")
    browser_page.goto(f"{app_url}/?lock=all")
    heading = browser_page.get_by_role("heading", level=1)
    browser_page.locator(".st-key-view button").filter(visible=True).first.click()
    for scheme in ("light", "dark"):
        text = text_colour(heading, scheme)
        for chosen in ('button[data-selected="true"] p', '[data-testid="stSliderThumbValue"] p'):
            expect(browser_page.locator(chosen).first).to_have_css("color", re.compile(re.escape(text)))
    browser_page.emulate_media(color_scheme="light")
    browser_page.keyboard.press("Escape")

    browser_page.locator(".st-key-open-settings button").click()
    for scheme in ("dark", "light"):
        text = text_colour(heading, scheme)
        for disabled in (".st-key-stop_all button", ".st-key-all-epochs label", ".st-key-all-epochs input"):
            control = browser_page.locator(disabled).first
            expect(control).to_have_css("color", text)
            expect(control).to_have_css("opacity", "0.65")
        field = browser_page.locator(".st-key-all-epochs input").first
        expect(field).to_have_css("-webkit-text-fill-color", text)
        link = browser_page.get_by_test_id("stSidebarNavLink").nth(1)
        link.focus()
        for key in ("Shift+Tab", "Tab"):
            browser_page.keyboard.press(key)
        expect(link).to_have_css("outline", f"{text} solid 2px")
        buttons = browser_page.locator('[class*="st-key-variant-"] .stHorizontalBlock').first
        expect(buttons).to_have_css("overflow", "visible")  # or the frame of the first is cut


def test_a_phone_shows_the_page_that_was_chosen_in_the_menu(browser_page: Page, app_url: str) -> None:
    browser_page.set_viewport_size({"width": 390, "height": 800})
    browser_page.goto(app_url)
    menu = browser_page.get_by_test_id("stExpandSidebarButton")
    menu.click()
    browser_page.get_by_test_id("stSidebarNav").get_by_role("link", name="Claims").click()
    expect(browser_page.get_by_role("heading", level=1, name="Claims")).to_be_visible()
    expect(menu).to_be_visible()
    expect(browser_page.get_by_test_id("stSidebar")).not_to_be_in_viewport()
    browser_page.wait_for_function("!Object.keys(localStorage).some(key => key.startsWith('stSidebarCollapsed'))")
    browser_page.set_viewport_size({"width": 1400, "height": 800})
    browser_page.reload()
    assert_sidebar_is_narrow(browser_page)
