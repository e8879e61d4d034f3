"""The pages and their door."""

import re
import tomllib

import pytest
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from bnlab.ui.navigation import PAGES, ROOT
from tests.browser import running_app
from tests.charts.test_style import contrast
from tests.served_app import app_url, store

__all__ = ["app_url", "store"]

APP = ROOT / "app.py"


def test_every_file_in_pages_is_a_page_and_enters_through_app() -> None:
    files = {path.stem: path.read_text() for path in (ROOT / "pages").glob("*.py")}
    assert set(files) == {entry.name for entry in PAGES}
    for source in files.values():
        calls = [line for line in source.splitlines() if line.endswith("()")]
        assert calls[0] == "enter_through_app()"


def test_the_app_runs_its_front_page() -> None:
    app = AppTest.from_file(str(APP)).run(timeout=60)
    assert not app.exception
    assert app.title[0].value == "Where should batch normalization stand?"


@pytest.mark.browser
@pytest.mark.parametrize("name", ["compare", "layers"])  # the front page by its name, and one of the others
def test_the_first_request_of_a_server_may_be_a_deep_link(name: str, browser_page: Page, scheduler: str) -> None:
    with running_app(APP, env={"BNLAB_SCHEDULER": scheduler}) as url:
        assert_opens(browser_page, url, name)
        sidebar = browser_page.get_by_test_id("stSidebar").bounding_box()
        assert sidebar is not None
        assert sidebar["width"] == pytest.approx(210, abs=5), "what app.py asks for, from the first session on"
        browser_page.goto("about:blank")  # it would complain of a server that goes


@pytest.mark.browser
def test_every_page_has_its_address(browser_page: Page, app_url: str) -> None:
    for entry in PAGES:
        assert_opens(browser_page, app_url, entry.name)


def assert_opens(page: Page, url: str, name: str) -> None:
    title = {entry.name: entry.title for entry in PAGES}[name]
    page.goto(f"{url}/{name}?epochs=3")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page).to_have_title(f"{title} · bnlab")
    expect(page).to_have_url(f"{url}/{name}?epochs=3")
    expect(page.get_by_text("Page not found")).to_have_count(0)
    expect(page.get_by_test_id("stSidebar").get_by_role("link")).to_have_count(len(PAGES))


@pytest.mark.parametrize("name", ["light", "dark"])
def test_words_on_the_themes_colours_can_be_read(name: str) -> None:
    theme = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())["theme"][name]
    assert contrast("#ffffff", theme["primaryColor"]) >= 4.5, "a primary button's words are white"
    for background in ("backgroundColor", "secondaryBackgroundColor"):
        assert contrast(theme["textColor"], theme[background]) >= 7
        assert contrast(theme["linkColor"], theme[background]) >= 4.5


@pytest.mark.browser
def test_what_is_chosen_is_written_in_the_texts_colour(browser_page: Page, app_url: str) -> None:
    for scheme in ("light", "dark"):
        browser_page.emulate_media(color_scheme=scheme)
        browser_page.goto(f"{app_url}/how_it_works")
        heading = browser_page.get_by_role("heading", level=1)
        expect(heading).to_be_visible()
        text = heading.evaluate("heading => getComputedStyle(heading).color")
        for chosen in ('button[data-selected="true"] p', '[data-testid="stSliderThumbValue"] p'):
            expect(browser_page.locator(chosen).first).to_have_css("color", re.compile(re.escape(text)))


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_disabled_can_be_read_and_what_has_the_keyboard_is_framed(
    scheme: str, browser_page: Page, app_url: str
) -> None:
    browser_page.emulate_media(color_scheme=scheme)
    browser_page.goto(f"{app_url}/?lock=all")
    heading = browser_page.get_by_role("heading", level=1)
    expect(heading).to_be_visible()
    text = heading.evaluate("heading => getComputedStyle(heading).color")
    for disabled in (".st-key-stop_all button", ".st-key-all-epochs label", ".st-key-all-epochs input"):
        place = browser_page.locator(disabled).first
        expect(place).to_have_css("color", text)
        expect(place).to_have_css("opacity", "0.65")
    expect(place).to_have_css("-webkit-text-fill-color", text)
    link = browser_page.get_by_test_id("stSidebarNavLink").nth(1)
    link.focus()
    for key in ("Shift+Tab", "Tab"):
        browser_page.keyboard.press(key)
    expect(link).to_have_css("outline", f"{text} solid 2px")
    buttons = browser_page.locator('[class*="st-key-card-"] .stHorizontalBlock').first
    expect(buttons).to_have_css("overflow", "visible")  # or the frame of the first is cut
