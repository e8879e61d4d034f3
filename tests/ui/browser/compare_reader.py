"""Actions and queries on the Compare page in Chromium."""

import re

from playwright.sync_api import ElementHandle, Locator, Page, WebSocket, expect

CURVES = ("training-loss", "training-accuracy", "validation-loss", "validation-accuracy")
RATES = {"Slow": 0.01, "Medium": 0.02, "Fast": 0.05}
LABELS = list(RATES)
# These networks share a program, which is compiled once for all tests.
NETWORKS = "&".join(f"v={label}~learning_rate~{rate}" for label, rate in RATES.items()) + "&hidden_units=16"
# Longer than any test; long enough to stop a run and kill its worker.
ENDLESS, SHORT = f"{NETWORKS}&epochs=400&train_examples=20000", f"{NETWORKS}&epochs=30&train_examples=20000"
UPDATES = 3

LINES = "chart => chart._fullData?.filter(line => line.showlegend && line.x?.length > 1).length ?? 0"
END = "chart => Math.max(...chart._fullData.map(line => line.x.at(-1) ?? 0))"
BEYOND = f"([chart, end]) => ({END})(chart) > end"
VIEW = """chart => ({
  range: chart._fullLayout.xaxis.range.map(Number),
  hidden: chart._fullData.filter(line => line.showlegend && line.visible === 'legendonly').map(line => line.name),
})"""
# Checks in every frame that the chart is the same element and has its lines.
WATCH = """chart => {
  const seen = window.seen = { frames: 0, otherNode: 0, noLine: 0 };
  const check = () => {
    seen.frames += 1;
    if (document.querySelector(`[data-chart="${chart.dataset.chart}"]`) !== chart) seen.otherNode += 1;
    if (!chart.querySelector('.scatterlayer .trace path.js-line')) seen.noLine += 1;
    requestAnimationFrame(check);
  };
  check();
}"""
# Checks in every frame that each variant has its progress.
WATCH_PROGRESS = """variants => {
  window.withoutProgress = 0;
  const check = () => {
    const shown = document.querySelectorAll('[class*="st-key-variant-"] .live-progress').length;
    if (shown < variants) window.withoutProgress += 1;
    requestAnimationFrame(check);
  };
  check();
}"""

# Records the text of elements that move, except within buttons and Plotly's notifications.
WATCH_LAYOUT = """() => {
  window.moved = [];
  const isOurs = ({ node }) => node && !node.parentElement?.closest('button, .plotly-notifier');
  const place = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(' ');
  const text = ({ node, previousRect, currentRect }) =>
    `${node.className ?? ''} ${node.textContent.slice(0, 80)}: ${place(previousRect)} -> ${place(currentRect)}`;
  const sources = list => list.getEntries().flatMap(entry => entry.sources).filter(isOurs);
  const seen = list => window.moved.push(...sources(list).map(text));
  new PerformanceObserver(seen).observe({ type: 'layout-shift' });
}"""


def open_page(page: Page, address: str) -> WebSocket:
    """Open the page and return its web socket."""
    with page.expect_websocket() as connection:
        page.goto(address)
    expect(chart(page, CURVES[-1])).to_be_visible()
    return connection.value


def press_train(page: Page) -> None:
    train_button(page).click()
    expect(train_button(page)).to_have_text(re.compile("Training"))


def train_button(page: Page) -> Locator:
    """The visible one: a button with a help text is there twice, once for narrow windows."""
    return page.locator(".st-key-train button").filter(visible=True)


def epochs_of(page: Page) -> Locator:
    """The field of the epochs of all variants; opens the settings."""
    field = page.get_by_role("spinbutton", name="Epochs")
    if not field.count():
        page.locator(".st-key-open-settings button").click()
    return field


def chart(page: Page, name: str) -> Locator:
    return page.locator(f'[data-chart="{name}"]')


def element_of(locator: Locator) -> ElementHandle:
    return locator.element_handle()


def box_of(page: Page, label: str) -> Locator:
    return page.locator(f".st-key-variant-{LABELS.index(label)}")


def progress_of(page: Page, label: str) -> Locator:
    """The progress in a variant's box."""
    return box_of(page, label).locator(".live-progress")


def button_of(page: Page, label: str) -> Locator:
    """The button that stops or continues a network."""
    return box_of(page, label).get_by_role("button", name=re.compile("Stop|Continue|Retry"))


def wait_until_at_rest(page: Page) -> None:
    """Wait until no script runs on the server for this page."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def expect_trained(page: Page) -> None:
    expect(train_button(page)).to_have_text(re.compile("Trained"))
    for label in LABELS:
        expect(progress_of(page, label)).to_contain_text("Done: ")
    wait_until_at_rest(page)


def wait_for_lines(page: Page, name: str, lines: int) -> ElementHandle:
    chart(page, name).scroll_into_view_if_needed()  # charts off screen are not drawn
    element = element_of(chart(page, name))
    page.wait_for_function(f"([chart, lines]) => ({LINES})(chart) === lines", arg=[element, lines])
    return element


def zoom(page: Page, element: Locator) -> None:
    box = element.locator(".nsewdrag").bounding_box()
    assert box is not None
    points = [
        (box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in ((0.2, 0.2), (0.5, 0.6), (0.8, 0.8))
    ]
    page.mouse.move(*points[0])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(x, y, steps=3)
    page.mouse.up()
