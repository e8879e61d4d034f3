"""A lesson on the Compare page: a real Chromium, a real server, real worker processes."""

import re
from collections.abc import Iterator

import pandas as pd
import pytest
from playwright.sync_api import BrowserContext, ElementHandle, Locator, Page, WebSocket, expect

from bnlab.spec.presets import PRESETS
from bnlab.ui.navigation import ROOT
from tests.browser import running_app
from tests.workers import worker_processes

pytestmark = pytest.mark.browser

CURVES = ("Training loss", "Training accuracy", "Validation loss", "Validation accuracy")
LABELS = [variant.label for variant in next(iter(PRESETS.values())).variants]
# Longer than anybody watches; long enough to be disturbed.
ENDLESS, SHORT = "epochs=1000&train_examples=10000", "epochs=2&train_examples=20000"
PATIENCE = 90_000  # ms: the workers share their cores with everything else that is tested
TICKS = 20

LINES = "chart => chart._fullData?.filter(line => line.showlegend && line.x?.length > 1).length ?? 0"
END = "chart => Math.max(...chart._fullData.map(line => line.x.at(-1) ?? 0))"
BEYOND = f"([chart, end]) => ({END})(chart) > end"
VIEW = """chart => ({
  range: chart._fullLayout.xaxis.range.map(Number),
  hidden: chart._fullData.filter(line => line.showlegend && line.visible === 'legendonly').map(line => line.name),
})"""
# Looks at every frame whether the chart is still the same element, with its lines drawn in it.
WATCH = """chart => {
  const seen = window.seen = { frames: 0, otherNode: 0, noLine: 0 };
  const look = () => {
    seen.frames += 1;
    if (document.querySelector(`[data-chart="${chart.dataset.chart}"]`) !== chart) seen.otherNode += 1;
    if (!chart.querySelector('.scatterlayer .trace path.js-line')) seen.noLine += 1;
    requestAnimationFrame(look);
  };
  look();
}"""
# Looks at every frame whether each card says how far its network is.
WATCH_CARDS = """cards => {
  window.wordless = 0;
  const look = () => {
    if (document.querySelectorAll('[class*="st-key-card-"] .stProgress').length < cards) window.wordless += 1;
    requestAnimationFrame(look);
  };
  look();
}"""

# Whatever is moved on the page from now on, by its text; not what stands within a button or is Plotly's passing word.
WATCH_PLACES = """() => {
  window.moved = [];
  const isOurs = node => node && !node.parentElement?.closest('button, .plotly-notifier');
  const nodes = list => list.getEntries().flatMap(entry => entry.sources).map(source => source.node).filter(isOurs);
  const seen = list => window.moved.push(...nodes(list).map(node => node.textContent));
  new PerformanceObserver(seen).observe({ type: 'layout-shift' });
}"""


@pytest.fixture(scope="module")
def app_url(tmp_path_factory: pytest.TempPathFactory, scheduler: str) -> Iterator[str]:
    store = f"sqlite:///{tmp_path_factory.mktemp('compare')}/bnlab.db"
    with running_app(ROOT / "app.py", env={"BNLAB_STORE": store, "BNLAB_SCHEDULER": scheduler}) as url:
        yield url


@pytest.fixture(autouse=True)
def patient() -> Iterator[None]:
    expect.set_options(timeout=PATIENCE)
    yield
    expect.set_options(timeout=5_000)  # Playwright's own


def open_page(page: Page, address: str) -> WebSocket:
    """Open the page and return its connection to the server."""
    page.set_default_timeout(PATIENCE)
    with page.expect_websocket() as connection:
        page.goto(address)
    expect(chart(page, CURVES[-1])).to_be_visible()
    return connection.value


def press_train(page: Page) -> None:
    train_button(page).click()
    expect(page.locator(".st-key-stop_all button")).to_be_enabled()


def train_button(page: Page) -> Locator:
    """The one to be seen: a button with a help text has a twin for narrow windows."""
    return page.locator(".st-key-train button").filter(visible=True)


def chart(page: Page, name: str) -> Locator:
    return page.locator(f'[data-chart="{name}"]')


def handle(locator: Locator) -> ElementHandle:
    return locator.element_handle()


def card(page: Page, label: str) -> Locator:
    return page.locator(f".st-key-card-{LABELS.index(label)}")


def said_of(page: Page, label: str) -> Locator:
    """What a network's card says of its progress."""
    return card(page, label).get_by_test_id("stProgress")


def button_of(page: Page, label: str) -> Locator:
    """The button that stops a network or goes on with it."""
    return card(page, label).get_by_role("button", name=re.compile("Stop|Continue|Retry"))


def wait_until_at_rest(page: Page) -> None:
    """No script runs on the server for this page."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def expect_trained(page: Page) -> None:
    expect(train_button(page)).to_have_text(re.compile("Trained"))
    for label in LABELS:
        expect(said_of(page, label)).to_contain_text("Done: ")
    wait_until_at_rest(page)


def wait_for_lines(page: Page, name: str, lines: int) -> ElementHandle:
    chart(page, name).scroll_into_view_if_needed()  # charts far from the reader are not drawn
    element = handle(chart(page, name))
    page.wait_for_function(f"([chart, lines]) => ({LINES})(chart) === lines", arg=[element, lines])
    return element


def zoom(page: Page, element: Locator) -> None:
    box = element.locator(".nsewdrag").bounding_box()
    assert box is not None
    across, down = (lambda share: box["x"] + share * box["width"]), (lambda share: box["y"] + share * box["height"])
    page.mouse.move(across(0.2), down(0.2))
    page.mouse.down()
    page.mouse.move(across(0.5), down(0.6), steps=3)
    page.mouse.move(across(0.8), down(0.8), steps=3)
    page.mouse.up()


def test_curves_grow_under_the_readers_zoom(browser_page: Page, app_url: str) -> None:
    connection = open_page(browser_page, f"{app_url}/?{ENDLESS}")
    expect(chart(browser_page, CURVES[0])).to_contain_text("Nothing trained yet")
    browser_page.evaluate(WATCH_PLACES)
    press_train(browser_page)
    for name in CURVES:
        element = wait_for_lines(browser_page, name, len(LABELS))
        browser_page.wait_for_function(BEYOND, arg=[element, element.evaluate(END)])

    loss = chart(browser_page, "Training loss")
    element = handle(loss)
    loss.scroll_into_view_if_needed()
    zoom(browser_page, loss)
    browser_page.wait_for_function("chart => !chart._fullLayout.xaxis.autorange", arg=element)
    loss.locator(".legend .legendtoggle").nth(1).click()
    browser_page.wait_for_function(f"chart => ({VIEW})(chart).hidden.length", arg=element)
    before, end = element.evaluate(VIEW), element.evaluate(END)
    assert before["hidden"] == [LABELS[1]]
    element.evaluate(WATCH)
    for _ in range(TICKS):  # at each the page asks the server for the state of things
        connection.wait_for_event("framesent")
    browser_page.wait_for_function(BEYOND, arg=[element, end])
    seen = browser_page.evaluate("() => ({ ...window.seen })")
    assert seen["frames"] > TICKS
    assert (seen["otherNode"], seen["noLine"]) == (0, 0)
    assert element.evaluate(VIEW) == before

    browser_page.evaluate(WATCH_CARDS, len(LABELS))
    browser_page.locator(".st-key-stop_all button").click()
    for label in LABELS:
        expect(said_of(browser_page, label)).to_contain_text("Stopped at step")
    expect(train_button(browser_page)).to_have_text(re.compile("Continue"))
    assert element.evaluate(VIEW) == before, "the end of training leaves the chart as it was"
    assert browser_page.evaluate("() => window.moved") == [], "nothing makes room for what training says and offers"
    assert browser_page.evaluate("window.wordless") == 0, "nor does a card lose its words while the page is drawn anew"


def test_runs_are_stopped_continued_killed_and_in_the_end_there_for_everybody(
    browser_page: Page, chromium: BrowserContext, app_url: str
) -> None:
    address = f"{app_url}/?{SHORT}"
    connection = open_page(browser_page, address)
    press_train(browser_page)
    button_of(browser_page, LABELS[0]).click()
    expect(said_of(browser_page, LABELS[0])).to_contain_text("Stopped at step")

    expect(browser_page.get_by_text(re.compile("^Training, step")).first).to_be_visible()
    killed = worker_processes()
    assert killed
    for process in killed:
        process.kill()
    expect(button_of(browser_page, LABELS[0])).to_have_text(re.compile("Continue"))
    button_of(browser_page, LABELS[0]).click()
    expect_trained(browser_page)
    expect(browser_page.locator(".st-key-stop_all button")).to_be_disabled()
    assert_nothing_polls(browser_page, connection)

    said = [said_of(browser_page, label).inner_text() for label in LABELS]
    browser_page.reload()
    other = chromium.new_page()
    open_page(other, address)
    for page in (browser_page, other):
        expect_trained(page)
        assert [said_of(page, label).inner_text() for label in LABELS] == said
        for name in CURVES:
            wait_for_lines(page, name, len(LABELS))
    other.close()


def assert_nothing_polls(page: Page, connection: WebSocket) -> None:
    frames: list[object] = []
    connection.on("framesent", lambda frame: frames.append(frame))  # noqa: PLW0108  (Playwright marks its listeners)
    connection.on("framereceived", lambda frame: frames.append(frame))  # noqa: PLW0108
    page.wait_for_timeout(3_000)
    assert not frames


def test_an_edited_comparison_is_in_its_address_and_trains(
    browser_page: Page, chromium: BrowserContext, app_url: str
) -> None:
    open_page(browser_page, f"{app_url}/?epochs=1&train_examples=640&hidden_units=16")
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
    said = [said_of(browser_page, label).inner_text() for label in LABELS]
    with browser_page.expect_download() as download:
        browser_page.locator(".st-key-results_csv button").filter(visible=True).click()
    assert pd.read_csv(download.value.path())["label"].tolist() == ["Without bias", *LABELS[1:]]

    other = chromium.new_page()
    open_page(other, browser_page.url)
    expect(card(other, LABELS[0])).to_contain_text("Without bias")
    assert [said_of(other, label).inner_text() for label in LABELS] == said
    assert other.url == browser_page.url
    other.close()


def test_a_broken_address_says_what_is_wrong_and_shows_the_preset(browser_page: Page, app_url: str) -> None:
    open_page(browser_page, f"{app_url}/?epochs=never&v=A~speed~9")
    expect(browser_page.get_by_text("In this page's address:")).to_contain_text("Epochs must be a whole number")
    for label in LABELS:
        expect(card(browser_page, label)).to_contain_text(label)


def test_a_locked_link_leaves_only_what_it_should(browser_page: Page, app_url: str) -> None:
    open_page(browser_page, f"{app_url}/?lock=epochs&hide=variants.training")
    expect(browser_page.locator(".st-key-view").filter(visible=True).first).to_be_visible()
    expect(train_button(browser_page)).to_have_count(0)
    expect(browser_page.get_by_role("button", name="Edit")).to_have_count(0)
    open_page(browser_page, f"{app_url}/?lock=epochs")
    expect(browser_page.get_by_role("spinbutton", name="Epochs")).to_be_disabled()


def test_a_phone_has_no_keys_to_press_and_a_projector_shows_the_networks_larger(
    browser_page: Page, app_url: str
) -> None:
    hint, drawing = browser_page.locator(".st-key-train kbd").first, browser_page.locator(".st-key-card-0 svg text")
    browser_page.set_viewport_size({"width": 390, "height": 844})
    open_page(browser_page, app_url)
    expect(train_button(browser_page)).to_contain_text("Train")
    expect(hint).to_be_hidden()
    browser_page.set_viewport_size({"width": 1440, "height": 900})
    expect(hint).to_be_visible()
    before = drawing.first.bounding_box()
    open_page(browser_page, f"{app_url}/?projector=true")
    larger = drawing.first.bounding_box()
    assert before
    assert larger
    assert larger["height"] > 1.1 * before["height"]
    browser_page.set_viewport_size({"width": 1100, "height": 800})
