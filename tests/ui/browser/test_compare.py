"""The Compare page in Chromium, with a server and worker processes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pandas as pd
import pytest
from playwright.sync_api import BrowserContext, ElementHandle, FloatRect, Locator, Page, WebSocket, expect

from tests.browser import TIMEOUT_MS
from tests.slow import all_but_one_slow
from tests.tcp_proxy import tcp_proxy
from tests.ui.browser.compare_reader import (
    BEYOND,
    CURVES,
    END,
    ENDLESS,
    LABELS,
    NETWORKS,
    SHORT,
    UPDATES,
    VIEW,
    WATCH,
    WATCH_LAYOUT,
    WATCH_PROGRESS,
    box_of,
    button_of,
    chart,
    element_of,
    epochs_of,
    expect_trained,
    open_page,
    press_train,
    progress_of,
    train_button,
    wait_for_lines,
    wait_until_at_rest,
    zoom,
)
from tests.workers import worker_processes

pytestmark = pytest.mark.browser

CHILDREN = "bar => [...bar.children].map(child => child.getBoundingClientRect().toJSON())"

SHOWN_ORDER = ["validation-accuracy", "validation-loss", "training-accuracy", "training-loss"]
# Each drawing's chart, and the number of the browser's turn in which it was made.
WATCH_DRAWINGS = """
let turn = 0, plotly;
window.drawings = [];
const { port1, port2 } = new MessageChannel();
port2.onmessage = () => { turn += 1; };
Object.defineProperty(window, 'Plotly', {
  configurable: true,
  get: () => plotly,
  set: library => {
    const { react } = library;
    plotly = { ...library, react: (element, ...others) => {
      window.drawings.push([element.dataset.chart, turn]);
      port1.postMessage(0);
      return react(element, ...others);
    } };
  },
});
"""


@pytest.mark.parametrize("width", all_but_one_slow([1024, 390]))
def test_names_that_differ_at_their_ends_are_told_apart_in_a_narrow_window(
    browser_page: Page, app_url: str, width: int
) -> None:
    browser_page.set_viewport_size({"width": width, "height": 768})
    open_page(browser_page, f"{app_url}/?preset=early_validation")
    names = browser_page.locator(".variant-name strong")
    expect(names).to_have_count(3)
    cut = names.evaluate_all(
        "names => names.filter(({ scrollWidth, clientWidth, scrollHeight, clientHeight }) => "
        "scrollWidth > clientWidth || scrollHeight > clientHeight + 2).map(({ textContent }) => textContent)"
    )
    assert not cut


@pytest.mark.slow
def test_zoom_survives_updates_of_the_curves(browser_page: Page, app_url: str) -> None:
    connection = open_page(browser_page, f"{app_url}/?{ENDLESS}")
    expect(chart(browser_page, CURVES[0])).to_contain_text("Nothing trained yet")
    browser_page.evaluate(WATCH_LAYOUT)
    press_train(browser_page)
    for name in CURVES:
        element = wait_for_lines(browser_page, name, len(LABELS))
        browser_page.wait_for_function(BEYOND, arg=[element, element.evaluate(END)])

    loss = chart(browser_page, "training-loss")
    element = element_of(loss)
    loss.scroll_into_view_if_needed()
    zoom(browser_page, loss)
    browser_page.wait_for_function("chart => !chart._fullLayout.xaxis.autorange", arg=element)
    browser_page.locator(".variant-name").nth(1).click()
    expect(browser_page.locator('.variant-name[aria-pressed="false"]')).to_have_text(LABELS[1])
    before, end = element.evaluate(VIEW), element.evaluate(END)
    assert before["hidden"] == [LABELS[1]]
    element.evaluate(WATCH)
    with nothing_asked(connection):
        for _ in range(UPDATES):
            browser_page.wait_for_function(BEYOND, arg=[element, end])
            end = element.evaluate(END)
    seen = browser_page.evaluate("() => ({ ...window.seen })")
    assert seen["frames"] > UPDATES
    assert (seen["otherNode"], seen["noLine"]) == (0, 0)
    assert element.evaluate(VIEW) == before

    browser_page.evaluate(WATCH_PROGRESS, len(LABELS))
    browser_page.locator(".st-key-stop_all button").click()
    for label in LABELS:
        expect(progress_of(browser_page, label)).to_contain_text("Stopped at step")
    expect(train_button(browser_page)).to_have_text(re.compile("Continue"))
    assert element.evaluate(VIEW) == before, "the end of training leaves the chart as it was"
    assert browser_page.evaluate("() => window.moved") == [], "the layout does not shift when training starts and stops"
    assert browser_page.evaluate("window.withoutProgress") == 0, "progress stays visible while the page is redrawn"


@pytest.mark.slow
def test_runs_are_stopped_continued_killed_and_shown_to_other_visitors(
    browser_page: Page, chromium: BrowserContext, app_url: str
) -> None:
    address = f"{app_url}/?{SHORT}"
    connection = open_page(browser_page, address)
    press_train(browser_page)
    last = LABELS[-1]  # it waits for the others, so that it is not done before the click
    button_of(browser_page, last).click()
    expect(progress_of(browser_page, last)).to_contain_text("Stopped at step")

    expect(browser_page.get_by_text(re.compile("^Training, step")).first).to_be_visible()
    killed = worker_processes()
    assert killed
    for process in killed:
        process.kill()
    expect(button_of(browser_page, last)).to_have_text(re.compile("Continue"))
    button_of(browser_page, last).click()
    expect_trained(browser_page)
    expect(browser_page.locator(".st-key-stop_all button")).to_have_css("opacity", "0.65")
    with nothing_asked(connection):
        browser_page.wait_for_timeout(2_000)

    progress = [progress_of(browser_page, label).inner_text() for label in LABELS]
    browser_page.reload()
    other = chromium.new_page()
    open_page(other, address)
    for page in (browser_page, other):
        expect_trained(page)
        assert [progress_of(page, label).inner_text() for label in LABELS] == progress
        for name in CURVES:
            wait_for_lines(page, name, len(LABELS))
    other.close()


@contextmanager
def nothing_asked(connection: WebSocket) -> Iterator[None]:
    """Check that meanwhile no script runs for this page: nothing passes between it and Streamlit."""
    frames: list[object] = []
    connection.on("framesent", lambda frame: frames.append(frame))  # noqa: PLW0108  (Playwright marks its listeners)
    connection.on("framereceived", lambda frame: frames.append(frame))  # noqa: PLW0108
    yield
    assert not frames


def test_edited_comparison_is_in_the_url_and_trains(browser_page: Page, chromium: BrowserContext, app_url: str) -> None:
    open_page(browser_page, f"{app_url}/?{NETWORKS}&epochs=1&train_examples=672")
    browser_page.locator(".st-key-edit-0 button").filter(visible=True).click()
    editor = browser_page.locator(".st-key-settings")
    wait_until_at_rest(browser_page)
    editor.get_by_label("Name", exact=True).fill("Without bias")
    editor.get_by_label("Name", exact=True).press("Enter")
    editor.locator(".st-key-field-0-use_bias label").first.click()
    browser_page.wait_for_url("**use_bias~false**")
    editor.locator(".st-key-done button").click()
    expect(editor.get_by_label("Name", exact=True)).to_have_count(0)
    expect(box_of(browser_page, LABELS[0])).to_contain_text("Without bias")
    train_button(browser_page).click()
    expect_trained(browser_page)
    for name in CURVES:
        wait_for_lines(browser_page, name, len(LABELS))
    progress = [progress_of(browser_page, label).inner_text() for label in LABELS]
    with browser_page.expect_download() as download:
        browser_page.locator(".st-key-results_csv a").click()
    assert pd.read_csv(download.value.path())["label"].tolist() == ["Without bias", *LABELS[1:]]

    other = chromium.new_page()
    open_page(other, browser_page.url)
    expect(box_of(other, LABELS[0])).to_contain_text("Without bias")
    assert [progress_of(other, label).inner_text() for label in LABELS] == progress
    assert other.url == browser_page.url
    other.close()


def test_curves_are_on_the_first_screen_below_a_toolbar_of_one_row(browser_page: Page, app_url: str) -> None:
    open_page(browser_page, app_url)
    toolbar = browser_page.locator(".st-key-toolbar")
    accuracy = chart(browser_page, "validation-accuracy")
    # The smallest visible part of the chart: its title and most of its curves where the screen is low.
    for width, height, part in ((1400, 900, 1.0), (1280, 720, 0.73), (1024, 768, 0.73), (390, 844, 0.73)):
        browser_page.set_viewport_size({"width": width, "height": height})
        wait_until_at_rest(browser_page)
        box = accuracy.bounding_box()
        assert box
        assert (height - box["y"]) / box["height"] >= part, (width, height, box)
        assert len({child["y"] for child in toolbar.evaluate(CHILDREN)}) == 1, "the toolbar does not wrap"
        if width >= 1024:
            assert toolbar.evaluate("bar => bar.scrollWidth - bar.clientWidth") <= 0, "all of the toolbar is in sight"
        assert browser_page.evaluate("document.documentElement.scrollWidth") <= width
    hint = browser_page.locator(".st-key-train kbd").first
    expect(hint).to_be_hidden()  # a phone has no keyboard
    browser_page.set_viewport_size({"width": 1440, "height": 900})
    expect(hint).to_be_visible()


def test_charts_in_sight_are_drawn_first_and_one_at_a_time(browser_page: Page, app_url: str) -> None:
    browser_page.set_viewport_size({"width": 1280, "height": 720})
    browser_page.add_init_script(WATCH_DRAWINGS)
    open_page(browser_page, app_url)
    browser_page.wait_for_function("window.drawings?.length === 4")
    drawings = browser_page.evaluate("window.drawings")
    assert [chart for chart, _ in drawings] == SHOWN_ORDER
    assert len({turn for _, turn in drawings}) == len(drawings)


def test_plotly_is_loaded_before_a_chart_needs_it(browser_page: Page, app_url: str) -> None:
    browser_page.goto(f"{app_url}/runs")
    browser_page.wait_for_function("Boolean(window.Plotly)")
    assert browser_page.locator("[data-chart]").count() == 0


def test_controls_in_a_menu_that_opens_late_have_the_pages_values(browser_page: Page, app_url: str) -> None:
    browser_page.set_viewport_size({"width": 1440, "height": 900})
    open_page(browser_page, f"{app_url}/?log_y=true&smoothing=0.5&x=step&train_examples=320&epochs=7")
    drawing = browser_page.locator(".st-key-network-0 svg text")
    before = drawing.first.bounding_box()
    browser_page.locator(".st-key-projector label").filter(visible=True).first.click()
    browser_page.wait_for_url("**projector=true**")
    wait_until_at_rest(browser_page)
    assert_fits_a_projector(browser_page, drawing, before)
    expect(epochs_of(browser_page)).to_have_value("7")
    expect(browser_page.get_by_role("spinbutton", name="Training examples")).to_have_value("320")
    browser_page.keyboard.press("Escape")
    browser_page.locator(".st-key-view button").filter(visible=True).first.click()
    expect(browser_page.get_by_role("slider")).to_have_value("0.5")
    expect(browser_page.locator(".st-key-view-log_y input")).to_be_checked()
    browser_page.locator(".st-key-view-log_x label").first.click()
    browser_page.wait_for_url("**log_x=true**")
    for parameter in ("log_y=true", "smoothing=0.5", "x=step", "train_examples=320", "epochs=7"):
        assert parameter in browser_page.url


def assert_fits_a_projector(page: Page, drawing: Locator, before: FloatRect | None) -> None:
    """The networks are larger than `before`, and the one chart is on the screen."""
    element = element_of(chart(page, CURVES[-1]))
    page.wait_for_function("chart => chart.clientHeight > 300", arg=element)
    box, larger = element.bounding_box(), drawing.first.bounding_box()
    assert before
    assert larger
    assert larger["height"] > 1.1 * before["height"]
    assert box
    assert box["y"] + box["height"] <= 900


def end_at_rest(page: Page, element: ElementHandle) -> float:
    """The end of a chart's curves once what has been received is drawn."""
    before, end = None, element.evaluate(END)
    while before != end:
        page.wait_for_timeout(3_000)
        before, end = end, element.evaluate(END)
    return float(end)


@pytest.mark.slow
def test_a_page_is_whole_again_after_a_lost_connection(chromium: BrowserContext, app_url: str) -> None:
    """In a page of its own, since browsers report each connection that fails as an error."""
    page = chromium.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    address = urlsplit(app_url)
    assert address.port
    with tcp_proxy(address.port) as proxy:
        open_page(page, f"http://{address.hostname}:{proxy.port}/?{ENDLESS}&seeds=2")
        press_train(page)
        element = wait_for_lines(page, CURVES[0], len(LABELS))
        page.evaluate("window.sameDocument = true")
        proxy.cut()
        end = end_at_rest(page, element)
        page.wait_for_timeout(19_000)
        assert element.evaluate(END) == end, "nothing comes while the connection is lost"
        proxy.mend()
        page.wait_for_function(BEYOND, arg=[element, end])
        assert page.evaluate("window.sameDocument"), "without being loaded again"
        for name in CURVES:
            shown = wait_for_lines(page, name, len(LABELS))
            page.wait_for_function(BEYOND, arg=[shown, shown.evaluate(END)])
        page.locator(".st-key-stop_all button").click()
        for label in LABELS:
            expect(progress_of(page, label)).to_contain_text("stopped")
        expect(train_button(page)).to_have_text(re.compile("Continue"))
        page.close()
