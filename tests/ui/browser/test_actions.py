"""Buttons that are pressed before the page is at rest, in Chromium."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from bnlab.runs.store import Store
from tests.slow import all_but_one_slow
from tests.ui.browser.compare_reader import epochs_of, open_page, train_button, wait_until_at_rest
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

PLACEMENT = "preset=placement&train_examples=320"


def press_by_keyboard(page: Page) -> None:
    page.keyboard.press("Control+Enter")


def press_by_mouse(page: Page) -> None:
    train_button(page).click()


@pytest.mark.parametrize(("press", "seed"), all_but_one_slow([(press_by_keyboard, 91), (press_by_mouse, 92)]))
def test_train_trains_what_was_just_typed_or_nothing(
    browser_page: Page, app_url: str, store: Store, press: Callable[[Page], None], seed: int
) -> None:
    open_page(browser_page, f"{app_url}/?{PLACEMENT}&epochs=2&seed={seed}")
    wait_until_at_rest(browser_page)
    epochs_of(browser_page).fill("0")
    press(browser_page)
    expect(browser_page.get_by_text("Nothing was trained.")).to_be_visible()
    expect(epochs_of(browser_page)).to_have_value("0")
    wait_until_at_rest(browser_page)
    assert launched(store, seed) == []

    epochs_of(browser_page).fill("5")
    press(browser_page)
    wait_until(lambda: len(launched(store, seed)) == 3)
    wait_until_at_rest(browser_page)
    assert launched(store, seed) == [5, 5, 5]
    expect(epochs_of(browser_page)).to_have_value("5")
    assert "epochs=5" in browser_page.url

    expect(train_button(browser_page)).to_have_text(re.compile("Training|Trained"))
    epochs_of(browser_page).fill("3")
    press_by_keyboard(browser_page)  # while there was nothing to train
    wait_until(lambda: len(launched(store, seed)) == 6)
    assert sorted(launched(store, seed)) == [3, 3, 3, 5, 5, 5]


def test_a_double_click_on_remove_removes_one_variant(browser_page: Page, app_url: str) -> None:
    open_page(browser_page, f"{app_url}/?preset=notebook")
    browser_page.locator(".st-key-edit-0 button").filter(visible=True).click()
    settings = browser_page.locator(".st-key-settings")
    settings.get_by_role("textbox", name="Name").fill("Renamed")
    settings.locator(".st-key-remove button").dblclick()
    expect(settings.get_by_role("textbox")).to_have_count(0)
    wait_until_at_rest(browser_page)
    expect(browser_page.locator('[class*="st-key-variant-"]')).to_have_count(3)
    assert not re.search("Renamed", browser_page.url)


def launched(store: Store, seed: int) -> list[int]:
    """The epochs of the runs with this seed."""
    return [run.spec.epochs for run in store.runs() if run.spec.seed == seed]
