"""`python -m benchmarks.dashboard`: what the Compare page costs its server, and how long its reader waits."""

import argparse
import json
import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.table import Table

from benchmarks.ticks import REST_SECONDS, tick_costs
from benchmarks.waiting import waiting_seconds
from tests.browser import CHROMIUM_ARGUMENTS, CHROMIUM_NAMES

TICK_ROWS = {
    "The tick's own function, ms": "body_ms",
    "… of processor time": "body_cpu_ms",
    "Whole server, ms of processor time": "server_cpu_ms",
    "Kilobytes to the browser": "kilobytes",
    "… when nothing has changed": "kilobytes_unchanged",
}
WAITING_ROWS = {
    "Server started until it answers": "server",
    "… until the page's title is there": "heading",
    "… until the first chart is drawn": "chart",
    "Train clicked until the first point, workers still starting": "cold",
    "… workers warm, a network they know": "known",
    "… workers warm, a new network": "new",
}


def main() -> None:
    """Measure, print the tables and write everything as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=30, help="ticks measured of each page")
    parser.add_argument("--rounds", type=int, default=3, help="servers started, one after the other")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/dashboard.json"))
    arguments = parser.parse_args()
    console = Console()
    console.print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {_load()}, "
        f"Python {platform.python_version()}"
    )
    results: dict[str, Any] = {"cores": os.cpu_count(), "load_before": _load()}
    with _chromium() as browser:
        results["tick"] = tick_costs(browser, arguments.ticks)
        console.print(tick_table(results["tick"]))
        results["seconds"] = waiting_seconds(browser, arguments.rounds)
        console.print(waiting_table(results["seconds"]))
    results["load_after"] = _load()
    arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    console.print(f"Written to {arguments.json}.")


def tick_table(costs: dict[str, dict[str, float]]) -> Table:
    """A tick's median and 95th percentile, a column for each page."""
    table = Table("a tick", title="Compare page: median (95th percentile) a tick", title_justify="left")
    for page in costs:
        table.add_column(page, justify="right")
    for title, name in TICK_ROWS.items():
        table.add_row(title, *(f"{cost[name]:.1f} ({cost[f'{name}_p95']:.1f})" for cost in costs.values()))
    at_rest = f"messages_in_{REST_SECONDS}_s_at_rest"
    table.add_row(f"Messages in {REST_SECONDS} s when all is over", *(f"{cost[at_rest]}" for cost in costs.values()))
    return table


def waiting_table(seconds: dict[str, float]) -> Table:
    """Seconds until what somebody waits for is there."""
    table = Table("from … until …", "seconds", title="Waiting: median", title_justify="left")
    for title, name in WAITING_ROWS.items():
        table.add_row(title, f"{seconds[name]:.2f}")
    return table


@contextmanager
def _chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        raise SystemExit(f"No Chromium on the PATH (looked for {', '.join(CHROMIUM_NAMES)}).")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


def _load() -> float:
    """Processes that ran or waited for a core over the last minute; where that cannot be told, 0."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else 0.0


if __name__ == "__main__":
    main()
