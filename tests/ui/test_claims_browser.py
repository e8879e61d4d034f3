"""The Claims page in a real Chromium, with real workers: a claim put on trial, its seeds added, its runs opened."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from bnlab.runs.docket import entered
from bnlab.runs.store import Store
from bnlab.ui.navigation import ROOT
from tests.browser import running_app

pytestmark = pytest.mark.browser

PATIENCE = 120_000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(f"sqlite:///{tmp_path_factory.mktemp('claims')}/bnlab.db")


@pytest.fixture(scope="module")
def app_url(store: Store, scheduler: str) -> Iterator[str]:
    with running_app(ROOT / "app.py", env={"BNLAB_STORE": store.url, "BNLAB_SCHEDULER": scheduler}) as url:
        yield url


def test_a_claim_is_put_on_trial_and_its_networks_are_opened(browser_page: Page, app_url: str, store: Store) -> None:
    browser_page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    try:
        browser_page.goto(f"{app_url}/claims")
        verdicts = browser_page.get_by_role("navigation", name="The verdicts").get_by_role("link")
        expect(verdicts).to_have_count(14)
        card = browser_page.locator(".st-key-claim-O3")
        expect(card).to_contain_text("Recorded on")
        expect(card.get_by_role("img").first).to_be_attached()
        card.get_by_role("button", name="Run it here").click()
        expect(card).to_contain_text("measurements made")
        assert entered(store) == ["O3 quick 0:5"]
        expect(card).to_contain_text("Measured here")
        expect(card).to_contain_text("Holds only in part")

        expect(card.get_by_role("button", name="Add 5 seeds")).to_be_enabled()
        assert entered(store) == ["O3 quick 0:5"]

        long = browser_page.locator(".st-key-claim-W2")
        long.get_by_role("button", name="Run it in full").click()
        expect(long).to_contain_text(re.compile("On trial .full, .*: 0 of .* runs trained"))
        long.get_by_role("button", name="Stop").click()
        expect(long.get_by_role("button", name="Run it in full")).to_be_enabled()
        assert entered(store) == ["O3 quick 0:5"]

        card.get_by_role("button", name="Open its runs in Compare").click()
        browser_page.locator(".st-key-open-it-O3 button").click()
        expect(browser_page.locator(".st-key-card-1")).to_contain_text("BN")
        expect(browser_page.get_by_role("heading", level=1)).to_be_in_viewport()
        assert "seeds=5" in browser_page.url
    finally:
        expect.set_options(timeout=5_000)
