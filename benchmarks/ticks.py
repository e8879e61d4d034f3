"""What one tick of the Compare page costs: the server's time, and bytes to the browser."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

from distributed import LocalCluster
from playwright.sync_api import Browser, Page, WebSocket

from benchmarks.growing import Growing, growing_comparison
from bnlab.runs.run import RunState
from bnlab.specs.comparison import Comparison
from bnlab.specs.url import comparison_to_url
from tests.browser import running_app, staged_app

CLOCKED_APP = Path(__file__).with_name("clocked_app.py")
COMMIT_MS = 400
"""Half a tick: every tick finds something new of every run."""
COMMIT_STEPS = 180
SETTLING_TICKS = 4
STILL_TICKS = 10
REST_SECONDS = 5
CHARTS = 4
PATIENCE_MS = 60_000
AT_REST = '[data-testid="stApp"][data-test-script-state="notRunning"]'

PAGES: dict[str, tuple[int, int]] = {"1 run": (1, 1), "8 runs": (8, 1), "8 runs (4 × 2 seeds)": (4, 2)}
"""What is measured -> variants and seeds."""


class Connection:
    """The messages of one page's WebSocket; each that the page sends begins a tick."""

    def __init__(self, socket: WebSocket) -> None:
        """Listen from now on."""
        self.ticks: list[int] = []
        socket.on("framesent", lambda _frame: self.ticks.append(0))
        socket.on("framereceived", self._receive)

    def _receive(self, frame: str | bytes) -> None:
        self.ticks = [*self.ticks[:-1], (self.ticks[-1] if self.ticks else 0) + len(frame)]


def tick_costs(browser: Browser, ticks: int) -> dict[str, dict[str, float]]:
    """Page of PAGES -> milliseconds and bytes a tick: with news of every run, without, and when all runs are over.

    body: the fragment's own function, wall and processor time; server_cpu: all threads of the server's process from
    one tick to the next, so with Streamlit's own work and messages. No worker trains meanwhile, and the browser takes
    every message but draws no chart. The table has a slower timer: where it is drawn it adds to server_cpu, and its
    bytes are those of a tick of its own.
    """
    with LocalCluster(n_workers=0, protocol="tcp", dashboard_address="127.0.0.1:0") as nobody:
        return {
            name: _page_costs(browser, growing_comparison(variants), seeds, ticks, nobody.scheduler_address)
            for name, (variants, seeds) in PAGES.items()
        }


def _page_costs(browser: Browser, comparison: Comparison, seeds: int, ticks: int, scheduler: str) -> dict[str, float]:
    address = urlencode(comparison_to_url(comparison.with_seeds(seeds)), doseq=True)
    with Growing(comparison, seeds) as growing:
        clock = growing.folder / "clock.jsonl"
        env = {"BNLAB_STORE": growing.store.url, "BNLAB_SCHEDULER": scheduler, "BNLAB_CLOCK": str(clock)}
        with (
            running_app(staged_app(CLOCKED_APP, growing.folder), env=env) as url,
            _opened(browser, f"{url}/?{address}") as (page, connection),
        ):
            return _measured(page, connection, growing, clock, ticks)


@contextmanager
def _opened(browser: Browser, address: str) -> Iterator[tuple[Page, Connection]]:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    # A reader's browser draws on another machine; here it would take the server's cores.
    page.route("**/plotly.min.js*", lambda route: route.abort())
    with page.expect_websocket() as socket:
        page.goto(address)
    page.locator(".live-chart").nth(CHARTS - 1).wait_for(state="attached")
    yield page, Connection(socket.value)
    page.context.close()


def _measured(page: Page, connection: Connection, growing: Growing, clock: Path, ticks: int) -> dict[str, float]:
    def grow() -> None:
        growing.grow(COMMIT_STEPS)

    _watch(page, connection, SETTLING_TICKS, grow)
    seen = len(clock.read_text().splitlines())
    news = _watch(page, connection, ticks, grow)
    costs = [json.loads(line) for line in clock.read_text().splitlines()[seen:]]
    _watch(page, connection, SETTLING_TICKS, growing.keep)
    still = _watch(page, connection, STILL_TICKS, growing.keep)
    growing.grow(COMMIT_STEPS, RunState.COMPLETED)
    page.wait_for_timeout(2_000)
    page.locator(AT_REST).wait_for()
    connection.ticks.clear()
    page.wait_for_timeout(REST_SECONDS * 1e3)
    before = [cost["server_cpu_ms_before"] for cost in costs]
    return {
        "ticks": len(costs),
        **_spread("body_ms", [cost["body_ms"] for cost in costs]),
        **_spread("body_cpu_ms", [cost["body_cpu_ms"] for cost in costs]),
        **_spread("server_cpu_ms", [after - first for first, after in pairwise(before)]),
        **_spread("kilobytes", [size / 1e3 for size in news]),
        **_spread("kilobytes_unchanged", [size / 1e3 for size in still]),
        f"messages_in_{REST_SECONDS}_s_at_rest": len(connection.ticks),
    }


def _watch(page: Page, connection: Connection, ticks: int, between: Callable[[], None]) -> list[int]:
    """Each tick's bytes over the next `ticks` whole ticks; `between` is called twice a tick."""
    connection.ticks.clear()
    while len(connection.ticks) <= ticks + 1:  # the first began before, the last is still under way
        between()
        page.wait_for_timeout(COMMIT_MS)
    return connection.ticks[1:-1]


def _spread(name: str, values: Sequence[float]) -> dict[str, float]:
    return {name: median(values), f"{name}_p95": quantiles(values, n=20)[-1], f"{name}_least": min(values)}
