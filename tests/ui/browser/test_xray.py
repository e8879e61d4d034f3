"""What workers measure for the Layers page in a real Chromium, with a real worker and with none."""

import pytest
from playwright.sync_api import Page, expect

from bnlab.ui.layers.depth_profile import LARGE
from bnlab.ui.navigation import ROOT
from tests.browser import running_app
from tests.ui.browser.test_navigation import assert_opens, assert_sidebar_is_narrow

pytestmark = pytest.mark.browser

SMALL = "v=Small~colour~0~placement~before_activation~activation~sigmoid~hidden_units~16-12"
LARGEST = f"v=Large~colour~0~hidden_units~{'-'.join(['2048'] * 12)}"


def choose_gradients(page: Page) -> None:
    """Untrained networks are measured as the question is chosen."""
    question = "Do gradients reach the first layer?"
    page.get_by_role("radio", name=question).or_(page.get_by_role("button", name=question)).first.click()


def test_an_untrained_network_is_measured_as_the_view_is_chosen(browser_page: Page, app_url: str) -> None:
    browser_page.goto(f"{app_url}/layers?{SMALL}")
    expect(browser_page.get_by_text("None of these networks has been trained")).to_be_visible()
    choose_gradients(browser_page)
    expect(browser_page.get_by_text("1 of 1 network measured")).to_be_visible()
    gradients = browser_page.locator('[data-chart="layers-xray-gradient_norm"]')
    expect(gradients.locator(".scatterlayer .trace")).to_have_count(4)
    expect(browser_page.get_by_role("button", name="Measure")).to_have_count(0)

    browser_page.get_by_label("Add a step", exact=True).fill("5")
    browser_page.get_by_label("Add a step", exact=True).press("Enter")
    expect(gradients.locator(".scatterlayer .trace")).to_have_count(5)

    browser_page.goto(f"{app_url}/layers?{LARGEST}&layers-view=xray")
    expect(browser_page.get_by_role("button", name="Measure")).to_be_enabled()
    expect(browser_page.get_by_text(LARGE)).to_be_visible()


@pytest.mark.slow  # a server of its own
def test_without_workers_the_xray_says_why_it_waits_on_a_servers_first_page(browser_page: Page) -> None:
    with running_app(ROOT / "app.py", env={"BNLAB_SCHEDULER": "tcp://127.0.0.1:9"}) as url:
        assert_opens(browser_page, url, "layers")
        assert_sidebar_is_narrow(browser_page)
        browser_page.goto(f"{url}/layers?{SMALL}")
        choose_gradients(browser_page)
        expect(browser_page.get_by_text("No Dask scheduler answers")).to_be_visible()
        expect(browser_page.get_by_text("Not measured yet").first).to_be_visible()
        browser_page.goto("about:blank")  # a page logs an error when its server ends
