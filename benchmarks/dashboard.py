"""`python -m benchmarks.dashboard`: the cost of the Compare page for its server, and waiting times for its user."""

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

from benchmarks.tick_costs import REST_SECONDS, tick_costs
from benchmarks.waiting_times import waiting_seconds
from tests.browser import CHROMIUM_ARGUMENTS, CHROMIUM_NAMES

TICK_ROWS = {
    "Function of the tick, ms": "body_ms",
    "… CPU time": "body_cpu_ms",
    "Whole server, ms of CPU time": "server_cpu_ms",
    "Kilobytes to the browser": "kilobytes",
    "… without new data": "kilobytes_unchanged",
}
WAITING_ROWS = {
    "Server start until it answers": "server",
    "… until the page title": "heading",
    "… until the first chart": "chart",
    "Train until the first point, workers starting": "cold",
    "… workers running, known network": "known",
    "… workers running, new network": "new",
}


def main() -> None:
    """Measure, print the tables and write everything as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=30, help="measured ticks per page")
    parser.add_argument("--rounds", type=int, default=3, help="number of servers started in sequence")
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
    """Median and 95th percentile of the costs per tick, one column per page."""
    table = Table("per tick", title="Compare page: median (95th percentile) per tick", title_justify="left")
    for page in costs:
        table.add_column(page, justify="right")
    for title, name in TICK_ROWS.items():
        table.add_row(title, *(f"{cost[name]:.1f} ({cost[f'{name}_p95']:.1f})" for cost in costs.values()))
    at_rest = f"messages_in_{REST_SECONDS}_s_at_rest"
    title = f"Messages in {REST_SECONDS} s after all runs finished"
    table.add_row(title, *(f"{cost[at_rest]}" for cost in costs.values()))
    return table


def waiting_table(seconds: dict[str, float]) -> Table:
    """Median waiting times in seconds."""
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
    """Mean number of running or waiting processes over the last minute; 0 on systems without `os.getloadavg`."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else 0.0


if __name__ == "__main__":
    main()
