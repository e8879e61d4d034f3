"""Pages whose store goes away and comes back while they are open."""

import time

import pytest
from playwright.sync_api import Page, expect

from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.broken_stores import WORDS, is_a_plain_sentence, moved_away
from tests.runs.store_rows import update_row
from tests.stored_runs import OWNER

pytestmark = pytest.mark.browser


def test_a_page_says_that_the_store_is_away_and_comes_back_by_itself(
    browser_page: Page, app_url: str, store: Store
) -> None:
    waiting = RunSpec(epochs=3, seed=77)
    store.launch(waiting, "waits for another app", OWNER)
    update_row(store, waiting, lease_until=time.time() + 3_600)
    error = browser_page.get_by_test_id("stAlertContentError")
    table = browser_page.get_by_test_id("stDataFrame").first
    browser_page.goto(f"{app_url}/runs")
    expect(table).to_be_visible()
    with moved_away(store):
        browser_page.reload()
        expect(error).to_have_count(1)
        sentence = error.inner_text().splitlines()[-1]  # after the icon's name
        assert WORDS["moved away"] in sentence
        assert is_a_plain_sentence(sentence)
    expect(table).to_be_visible()
    expect(error).to_have_count(0)
    with moved_away(store):  # while the page is redrawn every second
        expect(error).to_have_count(1)
    expect(error).to_have_count(0)
    expect(table).to_be_visible()
    update_row(store, waiting, lease_until=0.0)
