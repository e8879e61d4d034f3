"""Names that Markdown, HTML or Plotly would interpret are shown literally in Chromium, and nothing is fetched."""

from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from bnlab.charts.formatting import WORD_JOINER
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.url import comparison_to_url
from tests.stored_runs import make_evaluation, record_run
from tests.ui.browser.compare_reader import wait_until_at_rest
from tests.ui.hostile_names import COMPARISON, HOSTILE_NAMES

pytestmark = pytest.mark.browser

MARKUP = "a, img, strong, em, code, b, i, .katex, [data-testid=stIconMaterial]"


PARAMETERS = comparison_to_url(COMPARISON) | {"baseline": [HOSTILE_NAMES[0]], "differences": ["true"]}
QUERY = urlencode(PARAMETERS, doseq=True)


@pytest.fixture
def page(browser_page: Page, app_url: str, store: Store) -> Iterator[Page]:
    """A page whose test fails if it requests anything from elsewhere, or its policy keeps it from doing so."""
    for variant in COMPARISON.variants:
        evaluations = (make_evaluation(0), make_evaluation(2))
        record_run(store, variant.spec, (2.0, 1.0), evaluations, RunState.COMPLETED)
        store.rename(variant.spec.digest, variant.label)
    requested: list[str] = []
    browser_page.on("request", lambda request: requested.append(request.url))
    yield browser_page
    store.delete(variant.spec.digest for variant in COMPARISON.variants)
    assert not [url for url in requested if not url.startswith((app_url, "data:", "blob:"))]


def assert_literal(elements: Locator) -> None:
    """The elements have the names, and no element of markup within them."""
    expect(elements.nth(len(HOSTILE_NAMES) - 1)).to_be_attached()
    shown = {text.replace(WORD_JOINER, "").strip() for text in elements.all_text_contents()}
    assert set(HOSTILE_NAMES) <= shown
    assert elements.locator(MARKUP).count() == 0


def test_names_are_literal_on_compare(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/?{QUERY}")
    assert_literal(page.locator('[class*="st-key-variant-"] strong'))
    page.get_by_role("button", name="What differs").filter(visible=True).first.click()
    expect(page.locator("[data-testid=stTable]")).to_be_visible()
    assert_literal(page.locator("[data-testid=stTable] th"))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="View").filter(visible=True).first.click()
    page.get_by_role("combobox", name="Baseline").click()
    assert_literal(page.get_by_role("option"))


@pytest.mark.slow
@pytest.mark.parametrize("view", ["histograms", "gradients", "tables"])
def test_names_are_literal_on_layers(page: Page, app_url: str, view: str) -> None:
    page.goto(f"{app_url}/layers?{QUERY}&layers-view={view}")
    networks = page.locator(".st-key-layers-networks button")
    assert_literal(networks)
    networks.first.click()
    page.wait_for_url("**layers-networks=**")
    wait_until_at_rest(page)
    page.reload()
    assert_literal(networks)
    wait_until_at_rest(page)
    expect(page.get_by_text("In this page's address:")).to_have_count(0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["runs", "claims", "how_it_works"])
def test_names_are_literal_elsewhere(page: Page, app_url: str, name: str) -> None:
    page.goto(f"{app_url}/{name}?{QUERY}&x={quote(HOSTILE_NAMES[0])}")
    expect(page.get_by_text(f"'{HOSTILE_NAMES[0].replace('http:', 'http:' + WORD_JOINER)}' was given")).to_be_visible()
