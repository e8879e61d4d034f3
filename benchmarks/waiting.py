"""How long somebody waits: from the server's start to the first page, from Train to the first point."""

import re
import tempfile
import time
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
LINE = f"{CHART} .scatterlayer .trace path.js-line"
# Measured in the browser, frame by frame.
CLICK = """async patience => {
  const button = [...document.querySelectorAll('.st-key-train button')].find(one => one.offsetParent);
  const hasPoint = () =>
    document.querySelector('[data-chart="training-loss"]')._fullData?.some(line => line.x?.length) ?? false;
  if (hasPoint()) throw new Error('there are points before anything is trained');
  const began = performance.now();
  button.click();
  while (!hasPoint()) {
    if (performance.now() - began > patience) throw new Error('no point has come');
    await new Promise(requestAnimationFrame);
  }
  return (performance.now() - began) / 1000;
}"""


def waiting_seconds(browser: Browser, rounds: int) -> dict[str, float]:
    """What is waited for -> the median of its seconds over `rounds` servers, each on a new store.

    heading and chart: from the start of the server's process until the front page shows its title and its first
    curves (the shipped recording's). cold: from a click on Train to the first point, the first thing done on that
    server (cold_click: when, after its start); known: on warm workers, a network they have trained, with another seed;
    new: a network they have not.
    """
    every = [_one_server(browser) for _ in range(rounds)]
    return {name: median(one[name] for one in every) for name in every[0]}


def _one_server(browser: Browser) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(PATIENCE_MS)
        seconds: dict[str, float] = {}
        began = time.perf_counter()
        with running_app(ROOT / "app.py", env={"BNLAB_STORE": f"sqlite:///{folder}/bnlab.db"}) as url:
            seconds["server"] = time.perf_counter() - began
            page.goto(url)
            page.locator("h1").wait_for()
            seconds["heading"] = time.perf_counter() - began
            page.locator(LINE).first.wait_for(state="attached")
            seconds["chart"] = time.perf_counter() - began
            _open(page, url, "Baseline", seed=0)
            seconds["cold_click"] = time.perf_counter() - began
            seconds["cold"] = _click(page)
            _open(page, url, "Baseline", seed=1, seeds=min(CPU_COUNT, MAX_SEEDS))  # one a worker: all know it then
            _click(page)
            _open(page, url, "Baseline", seed=100)
            seconds["known"] = _click(page)
            _open(page, url, "Approach 2", seed=0)
            seconds["new"] = _click(page)
        page.context.close()
        return seconds


def _open(page: Page, url: str, label: str, seed: int, seeds: int = 1) -> None:
    """The page of one small network that nobody has trained with these seeds."""
    variant = next(v for v in PRESETS["notebook"].variants if v.label == label)
    spec = revise_spec(variant.spec, SMALL | {"seed": seed})
    comparison = Comparison((Variant(label, spec, variant.colour),), seeds)
    page.goto(f"{url}/?{urlencode(comparison_to_url(comparison), doseq=True)}")
    page.locator(CHART).wait_for()


def _click(page: Page) -> float:
    """Press Train; returns the seconds until the first point, once the training is over."""
    seconds: float = page.evaluate(CLICK, PATIENCE_MS)
    trained = page.locator(".st-key-train button").filter(visible=True)
    expect(trained).to_have_text(re.compile("Trained"), timeout=PATIENCE_MS)
    return seconds
