"""The cost of one tick of the Compare page: server time, and bytes sent to the browser."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

from distributed import LocalCluster
from playwright.sync_api import Browser, Page, WebSocket

from benchmarks.growing_runs import GrowingRuns, growing_comparison
from bnlab.runs.run import RunState
from bnlab.specs.comparison import Comparison
from bnlab.specs.url import comparison_to_url
from tests.browser import running_app, staged_app

CLOCKED_APP = Path(__file__).with_name("clocked_app.py")
COMMIT_MS = 400
"""Half a tick, so that every tick finds new records of every run."""
COMMIT_STEPS = 180
SETTLING_TICKS = 4
UNCHANGED_TICKS = 10
REST_SECONDS = 5
CHARTS = 4
PATIENCE_MS = 60_000
AT_REST = '[data-testid="stApp"][data-test-script-state="notRunning"]'

PAGES: dict[str, tuple[int, int]] = {"1 run": (1, 1), "8 runs": (8, 1), "8 runs (4 × 2 seeds)": (4, 2)}
"""Name of the measured page -> number of variants and of seeds."""


class TickTraffic:
    """The traffic of one page's WebSocket: `ticks` are the bytes received per tick. A sent message starts a tick."""

    def __init__(self, socket: WebSocket) -> None:
        """Start to listen to `socket`."""
        self.ticks: list[int] = []
        socket.on("framesent", lambda _frame: self.ticks.append(0))
        socket.on("framereceived", self._receive)

    def _receive(self, frame: str | bytes) -> None:
        self.ticks = [*self.ticks[:-1], (self.ticks[-1] if self.ticks else 0) + len(frame)]


def tick_costs(browser: Browser, ticks: int) -> dict[str, dict[str, float]]:
    """Page of PAGES -> milliseconds and kilobytes per tick.

    `body`: wall and CPU time of the fragment's function. `server_cpu`: CPU time of all threads of the server from one
    tick to the next, which includes Streamlit's work. `kilobytes`: with new records of every run;
    `kilobytes_unchanged`: without. No worker trains, and the browser receives all messages but draws no charts. The
    table has a slower timer, whose ticks are measured like the others.
    """
    with LocalCluster(n_workers=0, protocol="tcp", dashboard_address="127.0.0.1:0") as cluster:
        return {
            name: _page_costs(browser, growing_comparison(variants), seeds, ticks, cluster.scheduler_address)
            for name, (variants, seeds) in PAGES.items()
        }


def _page_costs(browser: Browser, comparison: Comparison, seeds: int, ticks: int, scheduler: str) -> dict[str, float]:
    query = urlencode(comparison_to_url(comparison.with_seeds(seeds)), doseq=True)
    with GrowingRuns(comparison, seeds) as growing:
        clock = growing.folder / "clock.jsonl"
        env = {"BNLAB_STORE": growing.store.url, "BNLAB_SCHEDULER": scheduler, "BNLAB_CLOCK": str(clock)}
        with (
            running_app(staged_app(CLOCKED_APP, growing.folder), env=env) as url,
            _open_page(browser, f"{url}/?{query}") as (page, traffic),
        ):
            return _measure(page, traffic, growing, clock, ticks)


@contextmanager
def _open_page(browser: Browser, url: str) -> Iterator[tuple[Page, TickTraffic]]:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    # In use, the browser runs on another machine; here drawing would take CPU time from the server.
    page.route("**/plotly.min.js*", lambda route: route.abort())
    with page.expect_websocket() as socket:
        page.goto(url)
    page.locator(".live-chart").nth(CHARTS - 1).wait_for(state="attached")
    yield page, TickTraffic(socket.value)
    page.context.close()


def _measure(page: Page, traffic: TickTraffic, growing: GrowingRuns, clock: Path, ticks: int) -> dict[str, float]:
    def grow() -> None:
        growing.grow(COMMIT_STEPS)

    _watch(page, traffic, SETTLING_TICKS, grow)
    ignored = len(clock.read_text().splitlines())
    changed = _watch(page, traffic, ticks, grow)
    costs = [json.loads(line) for line in clock.read_text().splitlines()[ignored:]]
    _watch(page, traffic, SETTLING_TICKS, growing.renew_lease)
    unchanged = _watch(page, traffic, UNCHANGED_TICKS, growing.renew_lease)
    growing.grow(COMMIT_STEPS, RunState.COMPLETED)
    page.wait_for_timeout(2_000)
    page.locator(AT_REST).wait_for()
    traffic.ticks.clear()
    page.wait_for_timeout(REST_SECONDS * 1e3)
    starts = [cost["server_cpu_ms_before"] for cost in costs]
    return {
        "ticks": len(costs),
        **_spread("body_ms", [cost["body_ms"] for cost in costs]),
        **_spread("body_cpu_ms", [cost["body_cpu_ms"] for cost in costs]),
        **_spread("server_cpu_ms", [end - start for start, end in pairwise(starts)]),
        **_spread("kilobytes", [size / 1e3 for size in changed]),
        **_spread("kilobytes_unchanged", [size / 1e3 for size in unchanged]),
        f"messages_in_{REST_SECONDS}_s_at_rest": len(traffic.ticks),
    }


def _watch(page: Page, traffic: TickTraffic, ticks: int, commit: Callable[[], None]) -> list[int]:
    """The bytes received in each of the next `ticks` complete ticks; `commit` is called twice per tick."""
    traffic.ticks.clear()
    while len(traffic.ticks) <= ticks + 1:  # the first and the last are incomplete
        commit()
        page.wait_for_timeout(COMMIT_MS)
    return traffic.ticks[1:-1]


def _spread(name: str, values: Sequence[float]) -> dict[str, float]:
    return {name: median(values), f"{name}_p95": quantiles(values, n=20)[-1], f"{name}_min": min(values)}
