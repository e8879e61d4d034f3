"""The page "How it works" in a real Chromium: links to its sections, and figures in sight of their sliders."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_a_link_arrives_at_its_section_and_a_slider_moves_a_figure_in_sight(browser_page: Page, app_url: str) -> None:
    browser_page.goto(f"{app_url}/how_it_works#momentum")
    chart = browser_page.locator('[data-chart="how-chart-weight"]')
    browser_page.wait_for_function(
        "() => document.querySelector('[data-chart=how-chart-weight]')?._fullData?.length === 1"
    )
    browser_page.wait_for_function(
        "() => Math.abs(document.getElementById('momentum').getBoundingClientRect().top) < 150"
    )
    node = chart.element_handle()
    browser_page.locator(".st-key-how-momentum input[type=range]").press("Home")
    browser_page.wait_for_function("chart => chart._fullData[0].y[1] === 0", arg=node)
    assert chart.element_handle().evaluate("(chart, other) => chart === other", node), "redrawn in place"

    browser_page.set_viewport_size({"width": 390, "height": 844})
    browser_page.locator(".st-key-how-epsilon").evaluate("slider => slider.scrollIntoView({ block: 'end' })")
    expect(browser_page.locator('[data-chart="how-chart-batch"]')).to_be_in_viewport(ratio=0.8)
