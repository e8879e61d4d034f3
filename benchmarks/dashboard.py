"""`python -m benchmarks.dashboard`: how long a user waits, for the first page and for the first point of a curve."""

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

from benchmarks.waiting_times import waiting_seconds
from tests.browser import CHROMIUM_ARGUMENTS, CHROMIUM_NAMES

WAITING_ROWS = {
    "Server start until it answers": "server",
    "… until the page title": "heading",
    "… until the first chart": "chart",
    "Reload until the curves": "reload",
    "Click on Claims until the first figure": "claims",
    "Click on Layers until the first figure": "layers",
    "Click on Runs until the table": "runs",
    "Click on Claims again": "claims_again",
    "Click on Compare until the curves": "compare",
    "Train until the first point, workers starting": "cold",
    "… workers running, known network": "known",
    "… workers running, new network": "new",
}


def main() -> None:
    """Measure, print the tables and write everything as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
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
        results["seconds"] = waiting_seconds(browser, arguments.rounds)
        console.print(waiting_table(results["seconds"]))
    results["load_after"] = _load()
    arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    console.print(f"Written to {arguments.json}.")


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
