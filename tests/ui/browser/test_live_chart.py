"""What a reader does to a live chart stays done while it grows: in a real Chromium, against a real server."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from bnlab.charts.curve_settings import CurveSettings
from bnlab.charts.learning_curves import curve_drawing
from bnlab.charts.series import CurveData, prepare_curve
from bnlab.ui.assets import FILES
from tests.browser import running_app
from tests.charts.curve_lines import LABELS, STYLES, VAL_LOSS, lines
from tests.charts.snapshots import limits
from tests.slow import all_but_one_slow

TICKING = Path(__file__).parent / "apps" / "ticking_app.py"
BASE = "lab"
DARK_PAPER = "#11151a"
pytestmark = pytest.mark.browser

# Watches a chart at every frame, so that a single blank or rebuilt one is noticed.
WATCH = """chart => {
  const seen = window.seen = { frames: 0, noPlot: 0, noHover: 0, otherNode: 0, widths: [] };
  const look = () => {
    seen.frames += 1;
    if (document.querySelector('[data-chart=loss]') !== chart) seen.otherNode += 1;
    if (!chart.querySelector('.main-svg .scatterlayer .trace path.js-line')) seen.noPlot += 1;
    if (!chart.querySelector('.hoverlayer .legend text')) seen.noHover += 1;
    requestAnimationFrame(look);
  };
  look();
}"""
STATE = """chart => ({
  range: chart._fullLayout.xaxis.range.map(Number),
  hidden: chart._fullData.filter(trace => trace.visible === 'legendonly').map(trace => trace.uid),
  points: chart._fullData[0].x.length,
  text: chart._fullLayout.font.color,
  paper: chart._fullLayout.paper_bgcolor,
})"""
FILLS_ITS_PLACE = """key => {
  const chart = document.querySelector(`[data-chart=${key}]`);
  return chart.clientWidth < 600 && chart._fullLayout.width === chart.clientWidth;
}"""


@pytest.fixture(scope="module")
def ticking_url() -> Iterator[str]:
    with running_app(TICKING, base=BASE) as url:
        yield url


# A page with a chart and live_chart.js alone: updates come from the test, not from a server.
BARE_PAGE = """<!doctype html><title>Charts</title>
<div><div class="live-chart"></div></div>
"""
UPDATE = """async data => {
  const { default: update } = await import('/live_chart.js');
  await update({ data, parentElement: document.querySelector('div') });
}"""
RANGES = """() => {
  const { xaxis, yaxis } = document.querySelector('[data-chart=loss]')._fullLayout;
  return [xaxis.range.map(Number), yaxis.range.map(Number)];
}"""


# Of a chart's title and subtitle, and the upper edge of its plot.
HEADING = """() => {
  const chart = document.querySelector('[data-chart=loss]');
  const box = part => chart.querySelector(part).getBoundingClientRect().toJSON();
  const plot = chart.getBoundingClientRect().top + chart._fullLayout._size.t;
  return [box('.gtitle'), box('.gtitle-subtitle'), plot];
}"""


@pytest.fixture
def bare_page(browser_page: Page) -> Page:
    def serve(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path == "/":
            route.fulfill(body=BARE_PAGE, content_type="text/html")
        else:
            route.fulfill(path=FILES[path.strip("/")])

    browser_page.route("**/*", serve)
    browser_page.goto("http://charts.test/")
    return browser_page


def falling_losses(points: int) -> CurveData:
    """Two losses of `points` evaluations, which fall from 2.3 on; their range grows downwards."""
    losses = 2.3 * 0.97 ** np.arange(points)
    return prepare_curve(lines(VAL_LOSS, losses.tolist(), (1.2 * losses).tolist()), VAL_LOSS, CurveSettings())


def send_loss(page: Page, points: int) -> None:
    figure = curve_drawing(falling_losses(points), STYLES).json("loss")
    page.evaluate(UPDATE, {"chart": "loss", "plotly": "/plotly.min.js", "figure": figure, "height": 320, "alt": "Loss"})


def update_loss(page: Page, points: int) -> None:
    send_loss(page, points)
    page.wait_for_function(
        "points => document.querySelector('[data-chart=loss]')?._fullData?.[0].x.length === points", arg=points
    )


@pytest.mark.parametrize("reset", all_but_one_slow(["double click", "button"]))
def test_a_zoom_stays_on_both_axes_until_it_is_reset_to_the_current_range(bare_page: Page, reset: str) -> None:
    update_loss(bare_page, 30)
    chart = bare_page.locator("[data-chart=loss]")
    zoom(chart)
    zoomed = bare_page.evaluate(RANGES)
    for points in (60, 90, 100):
        update_loss(bare_page, points)
        assert bare_page.evaluate(RANGES) == zoomed
    if reset == "double click":
        left, top = plot_corner(chart)
        bare_page.mouse.dblclick(left + 200, top + 100)
    else:
        chart.locator("[data-title='Reset axes']").dispatch_event("click")
    bare_page.wait_for_function(f"zoomed => JSON.stringify(({RANGES})()) !== JSON.stringify(zoomed)", arg=zoomed)
    for points in (100, 150):
        if points == 150:
            update_loss(bare_page, points)
        x, y = bare_page.evaluate(RANGES)
        assert x == pytest.approx([0, (points - 1) / 10])
        assert y == pytest.approx(limits(curve_drawing(falling_losses(points), STYLES).figure().layout.yaxis))


def test_a_long_subtitle_is_broken_into_lines_between_the_title_and_the_plot(bare_page: Page) -> None:
    settings = CurveSettings(baseline=LABELS[0], differences=True)
    data = prepare_curve(lines(VAL_LOSS, [2.3, 1.0], [2.0, 0.9]), VAL_LOSS, settings)
    figure = curve_drawing(dataclasses.replace(data, baseline_diverged=(14,), baseline_seed_count=3), STYLES)
    update = {"chart": "loss", "plotly": "/plotly.min.js", "figure": figure.json("loss"), "height": 290, "alt": "Loss"}
    bare_page.add_style_tag(content="html { --st-font: sans-serif; }")  # as on a page of Streamlit
    tops, heights = [], []
    for width in (1000, 320):
        bare_page.set_viewport_size({"width": width, "height": 600})
        bare_page.evaluate(UPDATE, update)
        bare_page.wait_for_function(
            "width => document.querySelector('[data-chart=loss]')?._fullLayout?.width > width - 50", arg=width
        )
        bare_page.wait_for_function(
            "width => document.querySelector('[data-chart=loss]')._fullLayout.width < width", arg=width
        )
        title, subtitle, plot = bare_page.evaluate(HEADING)
        assert title["bottom"] <= subtitle["top"] + 3
        assert subtitle["bottom"] <= plot + 3
        assert subtitle["right"] <= width
        tops.append(title["top"])
        heights.append(subtitle["height"])
    assert heights[1] > 1.5 * heights[0], "several lines"
    assert tops[1] == pytest.approx(tops[0], abs=1), "the title stays"


def test_a_chart_out_of_sight_is_drawn_ahead_once_and_updated_when_it_is_in_sight(bare_page: Page) -> None:
    bare_page.add_style_tag(content="div { padding-top: 900px; } .live-chart { padding: 0; }")
    update_loss(bare_page, 30)
    send_loss(bare_page, 60)
    bare_page.wait_for_timeout(200)
    chart = bare_page.locator("[data-chart=loss]")
    assert points(chart) == 30
    chart.scroll_into_view_if_needed()
    bare_page.wait_for_function("() => document.querySelector('[data-chart=loss]')._fullData[0].x.length === 60")


STREAM = """
export const subscribe = (element, path, callback) => { window.send = callback; };
export const unsubscribe = () => {};
"""
SEND = """([name, points]) => {
  const x = Array.from({ length: points }, (_, index) => index);
  send({ order: [name], traces: { [name]: { uid: name, x, y: x } }, layout: {}, shared: {}, alt: "Loss" });
  const chart = document.querySelector('[data-chart=loss]');
  return chart._fullData?.map(trace => [trace.uid, trace.x.length]);
}"""


def test_other_curves_are_drawn_at_once_and_more_points_of_the_same_ones_after_a_rest(bare_page: Page) -> None:
    bare_page.route("**/live_stream.js", lambda route: route.fulfill(body=STREAM, content_type="text/javascript"))
    data = {"chart": "loss", "plotly": "/plotly.min.js", "source": "charts/loss", "height": 320}
    bare_page.evaluate(UPDATE, data)
    bare_page.wait_for_function("() => window.send")
    bare_page.evaluate(SEND, ["a", 2])
    bare_page.wait_for_function("() => document.querySelector('[data-chart=loss]')._fullData")
    assert bare_page.evaluate(SEND, ["a", 3]) == [["a", 2]]
    assert bare_page.evaluate(SEND, ["b", 4]) == [["b", 4]]


@pytest.fixture
def chart(browser_page: Page, ticking_url: str) -> Locator:
    browser_page.goto(ticking_url)
    chart = browser_page.locator("[data-chart=loss]")
    expect(chart.locator(".legend .legendtoggle")).to_have_count(3)
    return chart


TOLD_AT_LEAST = """least => [...document.querySelectorAll('p')].some(
  (words) => parseInt(/^(\\d+) points$/.exec(words.textContent)?.[1] ?? 0) >= least)"""


def points(chart: Locator) -> int:
    return int(chart.evaluate("chart => chart._fullData[0].x.length"))


def wait_for_ticks(chart: Locator, ticks: int) -> None:
    target = points(chart) + ticks
    chart.page.wait_for_function(
        "target => document.querySelector('[data-chart=loss]')._fullData[0].x.length >= target", arg=target
    )


def plot_corner(chart: Locator) -> tuple[float, float]:
    box = chart.locator(".nsewdrag").bounding_box()
    assert box is not None
    return box["x"], box["y"]


def zoom(chart: Locator) -> None:
    left, top = plot_corner(chart)
    mouse = chart.page.mouse
    mouse.move(left + 100, top + 20)
    mouse.down()
    mouse.move(left + 200, top + 90, steps=3)
    mouse.move(left + 300, top + 180, steps=3)
    mouse.up()
    chart.page.wait_for_function("() => !document.querySelector('[data-chart=loss]')._fullLayout.xaxis.autorange")


def hide_run(chart: Locator, position: int) -> None:
    chart.locator(".legend .legendtoggle").nth(position).click()
    chart.page.wait_for_function(
        "() => document.querySelector('[data-chart=loss]')._fullData.some(trace => trace.visible === 'legendonly')"
    )


def test_zoom_hidden_runs_and_hover_outlive_ticks_and_a_change_of_theme(chart: Locator) -> None:
    expect(chart).to_have_role("figure")
    expect(chart).to_have_accessible_name("Training loss of three runs")
    zoom(chart)
    hide_run(chart, 1)
    left, top = plot_corner(chart)
    chart.page.mouse.move(left + 150, top + 90)
    expect(chart.locator(".hoverlayer .legend text").first).to_be_visible()
    before = chart.evaluate(STATE)
    chart.evaluate(WATCH)
    wait_for_ticks(chart, 10)
    seen = chart.evaluate("() => ({ ...window.seen })")
    after = chart.evaluate(STATE)
    assert seen["frames"] > 30
    assert (seen["otherNode"], seen["noPlot"], seen["noHover"]) == (0, 0, 0)
    assert after["range"] == before["range"]
    assert after["hidden"] == before["hidden"] == ["before"]
    assert after["points"] >= before["points"] + 10

    chart.page.emulate_media(color_scheme="dark")
    chart.page.wait_for_function(
        "paper => document.querySelector('[data-chart=loss]')._fullLayout.paper_bgcolor !== paper",
        arg=before["paper"],
    )
    wait_for_ticks(chart, 2)
    dark = chart.evaluate(STATE)
    assert (dark["paper"], dark["text"]) == (DARK_PAPER, "#f3f5f8")
    assert (dark["range"], dark["hidden"]) == (before["range"], before["hidden"])


@pytest.mark.slow
def test_a_chart_that_left_the_page_comes_back_as_it_was(chart: Locator) -> None:
    zoom(chart)
    hide_run(chart, 0)
    before = chart.evaluate(STATE)
    checkbox = chart.page.get_by_text("Show the loss")
    checkbox.click()
    expect(chart).to_have_count(0)
    checkbox.click()
    expect(chart).to_be_visible()
    wait_for_ticks(chart, 1)
    after = chart.evaluate(STATE)
    assert (after["range"], after["hidden"]) == (before["range"], before["hidden"])


def test_nothing_is_redrawn_under_a_drag(chart: Locator) -> None:
    left, top = plot_corner(chart)
    mouse = chart.page.mouse
    mouse.move(left + 100, top + 20)
    mouse.down()
    mouse.move(left + 250, top + 150, steps=4)
    held = points(chart)
    chart.page.wait_for_function(TOLD_AT_LEAST, arg=held + 2)  # more than that, where the look comes late
    assert points(chart) == held
    mouse.up()
    wait_for_ticks(chart, 1)
    assert not chart.evaluate("chart => chart._fullLayout.xaxis.autorange"), "the drag still zoomed"


def test_a_chart_in_a_tab_is_drawn_when_it_shows_and_again_after_a_change_and_fills_its_place(chart: Locator) -> None:
    hidden = chart.page.locator("[data-chart=still]")
    words, tab = (chart.page.get_by_role("tab", name=name) for name in ("Words", "Chart"))
    assert hidden.locator("svg").count() == 0
    tab.click()
    expect(hidden.locator(".legend .legendtoggle")).to_have_count(3)
    words.click()
    chart.page.emulate_media(color_scheme="dark")
    wait_for_ticks(chart, 1)
    tab.click()
    chart.page.wait_for_function(
        "paper => document.querySelector('[data-chart=still]')._fullLayout.paper_bgcolor === paper", arg=DARK_PAPER
    )
    chart.page.set_viewport_size({"width": 600, "height": 800})
    chart.page.wait_for_function(FILLS_ITS_PLACE, arg="loss")
    chart.page.wait_for_function(FILLS_ITS_PLACE, arg="still")


@pytest.mark.slow
def test_a_sentence_stands_in_for_a_plotly_that_does_not_load(browser_page: Page, ticking_url: str) -> None:
    page_not_script = {"status": 200, "content_type": "text/html", "body": "// what Streamlit answers elsewhere"}
    browser_page.route("**/plotly.min.js*", lambda route: route.fulfill(**page_not_script))
    browser_page.goto(ticking_url)
    place = browser_page.locator(".live-chart").first
    expect(place).to_contain_text("This chart cannot be drawn: Plotly did not load.")
    assert place.evaluate("place => place.offsetHeight") == 320
