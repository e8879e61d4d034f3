"""The Compare page in Chromium, with a server and worker processes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import pytest
from playwright.sync_api import BrowserContext, Page, WebSocket, expect

from bnlab.specs.presets import PRESETS
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
    WATCH_CARDS,
    WATCH_LAYOUT,
    button_of,
    card,
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
    loss.locator(".legend .legendtoggle").nth(1).click()
    browser_page.wait_for_function(f"chart => ({VIEW})(chart).hidden.length", arg=element)
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

    browser_page.evaluate(WATCH_CARDS, len(LABELS))
    browser_page.locator(".st-key-stop_all button").click()
    for label in LABELS:
        expect(progress_of(browser_page, label)).to_contain_text("Stopped at step")
    expect(train_button(browser_page)).to_have_text(re.compile("Continue"))
    assert element.evaluate(VIEW) == before, "the end of training leaves the chart as it was"
    assert browser_page.evaluate("() => window.moved") == [], "the layout does not shift when training starts and stops"
    assert browser_page.evaluate("window.withoutProgress") == 0, "progress stays visible while the page is redrawn"


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
    editor = browser_page.get_by_role("dialog")
    editor.get_by_label("Name").fill("Without bias")
    editor.get_by_label("Name").press("Enter")
    editor.locator(".st-key-field-0-use_bias label").first.click()
    expect(editor.get_by_text("Not trainable")).to_be_visible()
    browser_page.wait_for_url("**use_bias~false**")
    editor.locator(".st-key-done button").click()
    expect(editor).to_have_count(0)
    expect(card(browser_page, LABELS[0])).to_contain_text("Without bias")
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
    expect(card(other, LABELS[0])).to_contain_text("Without bias")
    assert [progress_of(other, label).inner_text() for label in LABELS] == progress
    assert other.url == browser_page.url
    other.close()


def test_invalid_url_shows_an_error_and_the_preset(browser_page: Page, app_url: str) -> None:
    open_page(browser_page, f"{app_url}/?epochs=never&v=A~speed~9")
    expect(browser_page.get_by_text("In this page's address:")).to_contain_text("Epochs must be a whole number")
    for index, variant in enumerate(PRESETS["notebook"].variants):
        expect(browser_page.locator(f".st-key-card-{index}")).to_contain_text(variant.label)


def test_lesson_locks_and_hides_controls(browser_page: Page, app_url: str) -> None:
    open_page(browser_page, f"{app_url}/?lock=epochs&hide=variants.training")
    expect(browser_page.locator(".st-key-view").filter(visible=True).first).to_be_visible()
    expect(train_button(browser_page)).to_have_count(0)
    expect(browser_page.get_by_role("button", name="Edit")).to_have_count(0)
    open_page(browser_page, f"{app_url}/?lock=epochs")
    expect(epochs_of(browser_page)).to_be_disabled()


def test_curves_are_on_the_first_screen_below_a_toolbar_of_one_row(browser_page: Page, app_url: str) -> None:
    open_page(browser_page, app_url)
    toolbar = browser_page.locator(".st-key-toolbar")
    accuracy = chart(browser_page, "validation-accuracy")
    # The smallest visible part of the chart: all of it but for its legend where the screen is low.
    for width, height, part in ((1400, 900, 1.0), (1280, 720, 0.75), (1024, 768, 0.7), (390, 844, 0.75)):
        browser_page.set_viewport_size({"width": width, "height": height})
        wait_until_at_rest(browser_page)
        box = accuracy.bounding_box()
        assert box
        assert (height - box["y"]) / box["height"] >= part, (width, height, box)
        assert len({child["y"] for child in toolbar.evaluate(CHILDREN)}) == 1, "the toolbar does not wrap"
        if width >= 1024:
            assert toolbar.evaluate("bar => bar.scrollWidth - bar.clientWidth") <= 0, "all of the toolbar is in sight"
        assert browser_page.evaluate("document.documentElement.scrollWidth") <= width


def test_controls_in_a_menu_that_opens_late_have_the_pages_values(browser_page: Page, app_url: str) -> None:
    open_page(browser_page, f"{app_url}/?log_y=true&smoothing=0.5&x=step&train_examples=320&epochs=7")
    browser_page.locator(".st-key-projector label").filter(visible=True).first.click()
    browser_page.wait_for_url("**projector=true**")
    wait_until_at_rest(browser_page)
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


def test_phone_hides_the_shortcut_and_projector_enlarges_the_networks(browser_page: Page, app_url: str) -> None:
    hint, drawing = browser_page.locator(".st-key-train kbd").first, browser_page.locator(".st-key-card-0 svg text")
    browser_page.set_viewport_size({"width": 390, "height": 844})
    open_page(browser_page, app_url)
    expect(train_button(browser_page)).to_contain_text("Train")
    expect(hint).to_be_hidden()
    browser_page.set_viewport_size({"width": 1440, "height": 900})
    expect(hint).to_be_visible()
    first, last = (browser_page.locator(f".st-key-{key} button").filter(visible=True) for key in ("train", "view"))
    boxes = [button.bounding_box() for button in (first, last.first)]
    assert len({box and box["y"] for box in boxes}) == 1, "the bar is one row"
    before = drawing.first.bounding_box()
    open_page(browser_page, f"{app_url}/?projector=true")
    larger = drawing.first.bounding_box()
    assert before
    assert larger
    assert larger["height"] > 1.1 * before["height"]


def test_a_page_is_whole_again_after_a_lost_connection(browser_page: Page, app_url: str) -> None:
    open_page(browser_page, f"{app_url}/?{ENDLESS}&seeds=2")
    press_train(browser_page)
    element = wait_for_lines(browser_page, CURVES[0], len(LABELS))
    browser_page.evaluate("window.sameDocument = true")
    browser_page.context.set_offline(True)  # new connections fail, and Chromium ends those that are open
    browser_page.wait_for_timeout(3_000)
    end = element.evaluate(END)
    browser_page.context.set_offline(False)
    browser_page.wait_for_function(BEYOND, arg=[element, end])
    assert browser_page.evaluate("window.sameDocument"), "without being loaded again"
    browser_page.locator(".st-key-stop_all button").click()
    for label in LABELS:
        expect(progress_of(browser_page, label)).to_contain_text("stopped")
    expect(train_button(browser_page)).to_have_text(re.compile("Continue"))
