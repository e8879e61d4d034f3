"""`python -m benchmarks.load`: what many viewers cost the server, and how soon they see what is committed.

The server is the app itself, which trains with its workers meanwhile; the viewers are in this process, on the loopback
interface.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.viewers import Viewer, lags
from bnlab.runs.owners import new_owner
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.specs.comparison import MAX_VARIANTS, Comparison, Variant
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.url import comparison_to_url
from bnlab.specs.validation import revise_spec
from bnlab.ui.navigation import ROOT
from tests.browser import running_app

SCENARIOS = ("0", "1", "10", "40", "200", "0x40", "40x40")
"""How many viewers; after an x, of how many different comparisons, by default of one.

Those without viewers say how fast so many comparisons are trained unwatched.
"""
ENDLESS = {"epochs": 1000, "train_examples": 20_000}
VARIANTS_OF_MANY = 2
OPEN_SECONDS = 0.25
"""Between two viewers who open the page."""
SETTLE_SECONDS = 5
START_SECONDS = 20
"""From the server's start until it has loaded what it loads while nobody waits for it."""
POLL_SECONDS = 0.05
WARM_STEPS = 500
"""Of a run whose program has been compiled."""
PATIENCE_SECONDS = 180
SAMPLE_SECONDS = 30
"""Between two measurements of memory."""
OPEN_AT_ONCE, REPORTED_SESSIONS = 8, 64
"""Of the sessions that are opened and closed."""
ROWS = {
    "update lag p50, s": "lag_p50",
    "update lag p95, s": "lag_p95",
    "missed updates": "missed",
    "bytes of an update p50": "bytes_p50",
    "… largest": "bytes_max",
    "server, cores": "cores",
    "server memory at first, MB": "megabytes_first",
    "… at the end": "megabytes_last",
    "script runs while nothing is touched": "scripts",
    "errors": "errors",
    "training, steps/s": "steps_per_second",
    "… of unwatched": "training_ratio",
}


def main() -> None:
    """Measure each scenario with a server of its own, print the table and write everything as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", default=SCENARIOS, help=f"of viewers: {' '.join(SCENARIOS)}")
    parser.add_argument("--seconds", type=float, default=60, help="measured in each scenario")
    parser.add_argument("--minutes", type=float, help="the same in minutes, to see whether memory stays flat")
    parser.add_argument("--sessions", type=int, help="instead open and close so many pages, and see what they leave")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/load.json"))
    arguments = parser.parse_args()
    console = Console()
    console.print(f"{os.cpu_count()} cores, load before {psutil.getloadavg()[0]:.1f}")
    results: dict[str, Any] = {}
    if arguments.sessions:
        results["sessions"] = measure_sessions(arguments.sessions, console.print)
        arguments.scenarios = ()
    seconds = 60 * arguments.minutes if arguments.minutes else arguments.seconds
    for scenario in arguments.scenarios:
        viewers, _, comparisons = scenario.partition("x")
        results[scenario] = measure(int(viewers), int(comparisons or 1), seconds)
        if unwatched := results.get(f"0x{comparisons}" if comparisons else "0"):
            ratio = results[scenario]["steps_per_second"] / unwatched["steps_per_second"]
            results[scenario]["training_ratio"] = ratio
        console.print(f"{scenario} viewers: {results[scenario]}")
    if arguments.scenarios:
        console.print(table(results))
    console.print(f"load after {psutil.getloadavg()[0]:.1f}")
    arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    console.print(f"Written to {arguments.json}.")


def table(results: dict[str, dict[str, float]]) -> Table:
    """One column for each scenario."""
    shown = Table("viewers (x comparisons)", title="Load", title_justify="left")
    for scenario in results:
        shown.add_column(scenario, justify="right")
    for title, name in ROWS.items():
        shown.add_row(title, *(f"{result[name]:.3g}" if name in result else "–" for result in results.values()))
    return shown


def measure(viewers: int, comparisons: int, seconds: float) -> dict[str, Any]:
    """The costs of `viewers` of so many different comparisons, by the names of `ROWS`; memory at SAMPLE_SECONDS."""
    watched = [_comparison(index, comparisons) for index in range(comparisons)]
    with _served(watched) as (store, url):
        return asyncio.run(_Measurement(store, url, watched, viewers).run(seconds))


def measure_sessions(sessions: int, report: Callable[[str], None]) -> list[dict[str, float]]:
    """What the server uses while and after so many pages are opened and closed; networks train meanwhile.

    Rows of open and closed sessions, megabytes and descriptors, which are reported one by one.
    """
    watched = [_comparison(0, 1)]
    with _served(watched) as (store, url):
        return asyncio.run(_Sessions(store, url, watched, OPEN_AT_ONCE).open_and_close(sessions, report))


@contextmanager
def _served(comparisons: list[Comparison]) -> Iterator[tuple[Store, str]]:
    """An app with a new store, in which these train, and its address."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/bnlab.db")
        with running_app(ROOT / "app.py", env={"BNLAB_STORE": store.url}) as url:
            _launch(store, comparisons)
            yield store, url
        store.engine.dispose()


def _comparison(index: int, comparisons: int) -> Comparison:
    """A comparison of networks that no other one has: eight if it is the only one."""
    networks = PRESETS["notebook"].variants
    number = MAX_VARIANTS if comparisons == 1 else VARIANTS_OF_MANY
    return Comparison(
        tuple(
            Variant(f"Network {position}", _spec(networks[position % len(networks)].spec, index, position), position)
            for position in range(number)
        )
    )


def _spec(network: RunSpec, index: int, position: int) -> RunSpec:
    return revise_spec(network, ENDLESS | {"seed": 100 * index + position})


def _launch(store: Store, comparisons: list[Comparison]) -> None:
    """Queue the runs for the server's scheduler."""
    owner = new_owner()
    specs = [(variant.spec, variant.label) for comparison in comparisons for variant in comparison.variants]
    store.launch_runs(specs, owner)
    store.release(owner)


@dataclass
class _Measurement:
    store: Store
    url: str
    comparisons: list[Comparison]
    viewers: int

    async def run(self, seconds: float) -> dict[str, Any]:
        """Open the pages, wait until the workers train, then measure for `seconds`."""
        server = _server()
        viewers = [
            Viewer(comparison_to_url(self.comparisons[index % len(self.comparisons)])) for index in range(self.viewers)
        ]
        tasks = []
        for viewer in viewers:
            tasks.append(asyncio.create_task(viewer.watch(self.url)))
            await asyncio.sleep(OPEN_SECONDS)
        await self._until_training()
        await _until_at_rest(viewers)
        await asyncio.sleep(max(0, server.create_time() + START_SECONDS - time.time()))
        for viewer in viewers:
            viewer.clear()
        memory, cpu, began = server.memory_info().rss, sum(server.cpu_times()[:2]), time.time()
        before = self._runs()
        samples: list[float] = []
        sampling = asyncio.create_task(_sample(server, samples))
        commits = await self._commits(seconds)
        sampling.cancel()
        after, took = self._runs(), time.time() - began
        cores = (sum(server.cpu_times()[:2]) - cpu) / took
        await asyncio.sleep(SETTLE_SECONDS)
        last = server.memory_info().rss
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        steps = sum(run.step - before[digest].step for digest, run in after.items())
        return _summary(viewers, self._watched_commits(commits)) | {
            "cores": cores,
            "megabytes_first": memory / 2**20,
            "megabytes_last": last / 2**20,
            "megabytes": samples,
            "steps_per_second": steps / took,
        }

    def _runs(self) -> dict[str, Run]:
        return {run.digest: run for run in self.store.runs() if not run.recorded}

    async def _until_training(self) -> None:
        """Wait until as many runs train as can: all of one comparison, and the first of many."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        needed = MAX_VARIANTS if len(self.comparisons) == 1 else 2
        while sum(run.step >= WARM_STEPS for run in self._runs().values()) < needed:
            if time.monotonic() > deadline:
                raise SystemExit("The workers do not train.")
            await asyncio.sleep(0.5)

    async def _commits(self, seconds: float) -> dict[str, list[float]]:
        """The times of all commits in the next `seconds`, by the run's digest."""
        commits: dict[str, list[float]] = {digest: [] for digest in self._runs()}
        seen = {digest: run.updated_at for digest, run in self._runs().items()}
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for digest, run in self._runs().items():
                if run.updated_at != seen[digest] and run.state is RunState.RUNNING:
                    commits[digest].append(run.updated_at)
                seen[digest] = run.updated_at
            await asyncio.sleep(POLL_SECONDS)
        return commits

    def _watched_commits(self, commits: dict[str, list[float]]) -> list[list[float]]:
        """The commits that concern each viewer."""
        of_comparison = [
            [commit for variant in comparison.variants for commit in commits[variant.spec.digest]]
            for comparison in self.comparisons
        ]
        return [of_comparison[index % len(of_comparison)] for index in range(self.viewers)]


class _Sessions(_Measurement):
    """Opens and closes pages, `viewers` at a time."""

    async def open_and_close(self, sessions: int, report: Callable[[str], None]) -> list[dict[str, float]]:
        """The rows of `measure_sessions`."""
        server, rows = _server(), []

        def note(opened: int, closed: int) -> None:
            megabytes = server.memory_info().rss / 2**20
            rows.append({"open": opened, "closed": closed, "megabytes": megabytes, "descriptors": server.num_fds()})
            report(f"{opened} open, {closed} closed: {megabytes:.0f} MB, {server.num_fds()} descriptors")

        await asyncio.sleep(SETTLE_SECONDS)
        note(0, 0)
        for closed in range(0, sessions, self.viewers):
            viewers = [Viewer(comparison_to_url(self.comparisons[0])) for _ in range(self.viewers)]
            tasks = [asyncio.create_task(viewer.watch(self.url)) for viewer in viewers]
            deadline = time.monotonic() + PATIENCE_SECONDS
            while any(not viewer.scripts for viewer in viewers) and time.monotonic() < deadline:
                await asyncio.sleep(POLL_SECONDS)
            if closed % REPORTED_SESSIONS < self.viewers:
                note(self.viewers, closed)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(SETTLE_SECONDS)
        note(0, sessions)
        return rows


async def _sample(server: psutil.Process, samples: list[float]) -> None:
    """Add the server's megabytes every SAMPLE_SECONDS."""
    while True:
        samples.append(round(server.memory_info().rss / 2**20, 1))
        await asyncio.sleep(SAMPLE_SECONDS)


async def _until_at_rest(viewers: list[Viewer]) -> None:
    """Wait until no page's script has ended for SETTLE_SECONDS: many pages are drawn one after the other."""
    deadline, before = time.monotonic() + PATIENCE_SECONDS, -1
    while (scripts := sum(viewer.scripts for viewer in viewers)) != before and time.monotonic() < deadline:
        before = scripts
        await asyncio.sleep(SETTLE_SECONDS)


def _summary(viewers: list[Viewer], commits: list[list[float]]) -> dict[str, Any]:
    lag = [value for viewer, its_commits in zip(viewers, commits, strict=True) for value in lags(viewer, its_commits)]
    sizes = [size for viewer in viewers for size in viewer.sizes]
    summary: dict[str, Any] = {
        "missed": sum(viewer.missed for viewer in viewers),
        "scripts": sum(viewer.scripts for viewer in viewers),
        "errors": sum(len(viewer.errors) for viewer in viewers),
        "messages": sorted({error[:200] for viewer in viewers for error in viewer.errors})[:5],
    }
    if len(lag) > 1:
        summary |= {"lag_p50": median(lag), "lag_p95": quantiles(lag, n=20)[-1], "updates": len(sizes)}
        summary |= {"bytes_p50": median(sizes), "bytes_max": max(sizes)}
    return summary


def _server() -> psutil.Process:
    """The app's process, whose children are the workers."""
    with suppress(StopIteration):
        return next(child for child in psutil.Process().children() if "streamlit" in child.cmdline())
    raise SystemExit("The server has ended.")


if __name__ == "__main__":
    main()
