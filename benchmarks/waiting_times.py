"""Waiting times of a user: from the server's start to the first page, and from Train to the first point."""

import re
import tempfile
import time
from collections.abc import Callable
from statistics import median
from urllib.parse import urlencode

from dask.system import CPU_COUNT
from playwright.sync_api import Browser, Page, expect

from bnlab.specs.comparison import MAX_SEEDS, Comparison, Variant
from bnlab.specs.presets import PRESETS
from bnlab.specs.url import comparison_to_url
from bnlab.specs.validation import revise_spec
from bnlab.ui.navigation import ROOT
from tests.browser import running_app

PATIENCE_MS = 90_000
SMALL = {"epochs": 2, "train_examples": 2_000}
CHART = '[data-chart="training-loss"]'
LINE = '[data-chart="validation-accuracy"] .scatterlayer .trace path.js-line'
"""A curve of Compare's first chart, which is in sight when the page is opened."""
PAGES = (
    ("claims", "Claims", ".small-figure .dumbbell"),
    ("layers", "Layers", "[data-chart^=layers-] .plot-container"),
    ("runs", "Runs", "[data-testid=stDataFrame] canvas"),
    ("claims_again", "Claims", ".small-figure .dumbbell"),
    ("compare", "Compare", LINE),
)
"""By the name of the result: the link to a page, and what is awaited there."""
# Measured in the browser, at every animation frame.
CLICK = """async timeout => {
  const button = [...document.querySelectorAll('.st-key-train button')].find(button => button.offsetParent);
  const hasPoint = () =>
    document.querySelector('[data-chart="training-loss"]')._fullData?.some(line => line.x?.length) ?? false;
  if (hasPoint()) throw new Error('the chart has points before the training');
  const start = performance.now();
  button.click();
  while (!hasPoint()) {
    if (performance.now() - start > timeout) throw new Error('no point appeared');
    await new Promise(requestAnimationFrame);
  }
  return (performance.now() - start) / 1000;
}"""


def waiting_seconds(browser: Browser, rounds: int) -> dict[str, float]:
    """Event -> the median of its seconds over `rounds` servers, each on a new store.

    `server`, `heading`, `chart`: from the start of the server's process until it answers, until the front page shows
    its title, and the curves of its first chart, those of the shipped recording. `reload`: from a reload to the curves.
    `claims`, `layers`, `runs`, `claims_again` and `compare`: from a click on the page's link to its first chart or
    table.

    `cold`: from the first click on Train, which comes `cold_click` seconds after the server's start, to the first
    point. `known`: the same on running workers for a network that they have compiled, with another seed. `new`: for a
    network that they have not compiled.
    """
    results = [_measure_server(browser) for _ in range(rounds)]
    return {name: median(seconds[name] for seconds in results) for name in results[0]}


def _measure_server(browser: Browser) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(PATIENCE_MS)
        seconds: dict[str, float] = {}
        start = time.perf_counter()
        with running_app(ROOT / "app.py", env={"BNLAB_STORE": f"sqlite:///{folder}/bnlab.db"}) as url:
            seconds["server"] = time.perf_counter() - start
            page.goto(url)
            page.locator("h1").wait_for()
            seconds["heading"] = time.perf_counter() - start
            page.locator(LINE).first.wait_for(state="attached")
            seconds["chart"] = time.perf_counter() - start
            seconds["reload"] = _seconds_until(page, page.reload, LINE)
            for name, title, content in PAGES:
                link = page.get_by_test_id("stSidebarNav").get_by_role("link", name=title)
                seconds[name] = _seconds_until(page, link.click, content)
            _open_comparison(page, url, "Baseline", seed=0)
            seconds["cold_click"] = time.perf_counter() - start
            seconds["cold"] = _train(page)
            seeds = min(CPU_COUNT, MAX_SEEDS)  # one per worker, so that all have compiled it
            _open_comparison(page, url, "Baseline", seed=1, seeds=seeds)
            _train(page)
            _open_comparison(page, url, "Baseline", seed=100)
            seconds["known"] = _train(page)
            _open_comparison(page, url, "Approach 2", seed=0)
            seconds["new"] = _train(page)
        page.context.close()
        return seconds


def _seconds_until(page: Page, act: Callable[[], object], content: str) -> float:
    """The seconds from `act` until an element is there."""
    start = time.perf_counter()
    act()
    page.locator(content).first.wait_for(state="attached")
    return time.perf_counter() - start


def _open_comparison(page: Page, url: str, label: str, seed: int, seeds: int = 1) -> None:
    """Open the page of one small network that has no runs with these seeds."""
    variant = next(variant for variant in PRESETS["notebook"].variants if variant.label == label)
    spec = revise_spec(variant.spec, SMALL | {"seed": seed})
    comparison = Comparison((Variant(label, spec, variant.colour),), seeds)
    page.goto(f"{url}/?{urlencode(comparison_to_url(comparison), doseq=True)}")
    page.locator(CHART).wait_for()


def _train(page: Page) -> float:
    """Press Train and wait for the end of the training. Returns the seconds until the first point."""
    seconds: float = page.evaluate(CLICK, PATIENCE_MS)
    button = page.locator(".st-key-train button").filter(visible=True)
    expect(button).to_have_text(re.compile("Trained"), timeout=PATIENCE_MS)
    return seconds
