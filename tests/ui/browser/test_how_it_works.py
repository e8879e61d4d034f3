"""The page How it works in a real Chromium: figures follow the drag without a script run, and links keep settings."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import ElementHandle, Locator, Page, expect

from bnlab.ui.how_it_works.sections import FIGURES
from tests.ui.browser.test_watching import count_script_runs

pytestmark = pytest.mark.browser

ALL_DRAWN = """() => {
  const charts = [...document.querySelectorAll('[data-chart^="how-chart-"]')];
  const missing = charts.filter((chart) => !chart._fullData?.length);
  missing[0]?.scrollIntoView();
  return charts.length && !missing.length;
}"""


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator(".explanation")).to_have_count(len(FIGURES))
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_attached()


def chart(page: Page, name: str) -> ElementHandle:
    """The chart, in sight and drawn."""
    found = page.locator(f'[data-chart="how-chart-{name}"]')
    found.scroll_into_view_if_needed()
    page.wait_for_function("name => document.querySelector(`[data-chart=how-chart-${name}]`)?._fullData", arg=name)
    handle = found.element_handle()
    assert handle
    return handle


def assert_follows(page: Page, name: str, change: Callable[[], object], caption: str) -> None:
    """`change` redraws the chart in place, and its caption says `caption`."""
    element = chart(page, name)
    before = element.evaluate("chart => JSON.stringify(chart.data)")
    change()
    page.wait_for_function("([chart, before]) => JSON.stringify(chart.data) !== before", arg=[element, before])
    assert chart(page, name).evaluate("(chart, other) => chart === other", element), "redrawn in place"
    expect(page.locator(f"#how-caption-{name}")).to_contain_text(caption)


def drag(page: Page, slider: Locator) -> None:
    """Drag a slider from its middle to its end."""
    box = slider.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    for step in range(11):
        page.mouse.move(box["x"] + box["width"] * (0.5 + step / 20), y)
    page.mouse.up()


def test_figures_follow_without_a_script_run(browser_page: Page, app_url: str) -> None:
    page = browser_page
    script_runs = count_script_runs(page)
    open_page(page, f"{app_url}/how_it_works#momentum")
    chart(page, "weight")
    page.wait_for_function("() => Math.abs(document.getElementById('momentum').getBoundingClientRect().top) < 150")
    before = script_runs()

    momentum = page.get_by_role("slider", name="momentum (Keras)")
    assert_follows(page, "weight", lambda: momentum.press("ArrowRight"), "after 4,603 steps")
    page.get_by_role("spinbutton", name="Training images").fill("1000")
    page.get_by_role("spinbutton", name="Batch size").fill("100")
    assert_follows(page, "weight", lambda: momentum.press("ArrowLeft"), "after 459 steps")
    expect(page.locator("#how-caption-weight")).to_contain_text("46 epochs")
    assert_follows(page, "batch", lambda: drag(page, page.get_by_role("slider", name="Move example 1 by")), "mean 3.81")
    assert_follows(page, "identity", page.get_by_role("button", name="β = μ").click, "give the input back")

    normalizers = page.locator(".explanation", has=page.get_by_role("radio", name="RMS"))
    page.get_by_role("slider", name="Add to example 1").press("End")
    expect(normalizers).to_contain_text("40 of the 40 outputs of the other examples")
    page.get_by_role("radio", name="Group").check()
    expect(normalizers).to_contain_text("changes 0 of its own 8 outputs and 0 of the 40")
    page.wait_for_timeout(500)
    assert script_runs() == before, "computed in the browser"


def test_a_link_opens_the_same_settings(browser_page: Page, app_url: str) -> None:
    page = browser_page
    open_page(page, f"{app_url}/how_it_works?how-size=12&epochs=3")
    expect(page.get_by_role("slider", name="Examples in the batch")).to_have_value("12")
    chart(page, "identity")
    page.get_by_role("button", name="β = μ").click()
    page.get_by_role("spinbutton", name="Training images").fill("1000")
    page.get_by_role("spinbutton", name="Training images").press("Tab")
    expect(page).to_have_url(re.compile("how-gamma=1.5.*how-images=1000"))
    page.get_by_role("button", name="Share").click()
    link = page.locator('[data-testid="stCode"]')
    for part in ("how-size=12", "how-gamma=1.5", "how-images=1000", "epochs=3"):
        expect(link).to_contain_text(part)

    open_page(page, link.inner_text().strip())
    expect(page.get_by_role("slider", name="gamma γ")).to_have_value("1.5")
    expect(page.get_by_role("spinbutton", name="Training images")).to_have_value("1000")


@pytest.mark.slow
def test_on_a_phone_figures_stay_in_sight_above_their_controls(browser_page: Page, app_url: str) -> None:
    browser_page.set_viewport_size({"width": 390, "height": 844})
    open_page(browser_page, f"{app_url}/how_it_works")
    browser_page.wait_for_function(ALL_DRAWN)
    browser_page.get_by_role("slider", name="epsilon").evaluate("slider => slider.scrollIntoView({ block: 'end' })")
    expect(browser_page.locator('[data-chart="how-chart-batch"]')).to_be_in_viewport(ratio=0.8)
    assert browser_page.evaluate("() => document.querySelector('.stMain').scrollWidth <= innerWidth")


@pytest.mark.slow
def test_without_its_script_a_figure_is_a_sentence(browser_page: Page, app_url: str) -> None:
    browser_page.route("**/explanation.js", lambda route: route.fulfill(body="throw 1", content_type="text/javascript"))
    browser_page.goto(f"{app_url}/how_it_works")
    for figure in FIGURES:
        expect(browser_page.get_by_text(figure.fallback)).to_be_attached()


@pytest.mark.slow
def test_without_plotly_captions_and_controls_work(browser_page: Page, app_url: str) -> None:
    browser_page.route("**/plotly.min.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    open_page(browser_page, f"{app_url}/how_it_works")
    browser_page.get_by_role("slider", name="Examples in the batch").press("Home")
    expect(browser_page.locator("#how-caption-batch")).to_contain_text("One example is its own mean")
