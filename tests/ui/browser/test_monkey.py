"""Random actions on all pages in Chromium, without waiting: every run is what the page showed when it was launched.

One thing is allowed: a value sent soon after a press may count for it or not (see `monkey_oracle`).

On request, with `MONKEY_SEEDS=1,2,3`; it takes minutes a seed. It prints the last actions and the file with all of
them, one JSON value a line. Beside it are the presses, with what the page showed, and the launches. The same seed does
not lead to the same actions: those depend on what is there when the monkey looks.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.navigation import PAGES, ROOT
from tests.browser import running_app
from tests.ui.browser.compare_reader import open_page, train_button, wait_until_at_rest
from tests.ui.browser.monkey import Monkey
from tests.waiting import wait_until

SEEDS = [int(seed) for seed in os.environ.get("MONKEY_SEEDS", "").split(",") if seed]
ACTIONS = int(os.environ.get("MONKEY_ACTIONS", "500"))
LAST = 30
"""How many actions a failure prints."""
ENDS_SEED = 7_000
"""The seed of the network that is trained in the end, which the monkey never enters."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not SEEDS, reason="takes minutes a seed: set MONKEY_SEEDS"),
]


@pytest.fixture
def own_store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'bnlab.db'}")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


@pytest.fixture
def own_app(own_store: Store, scheduler: str, log: Path) -> Iterator[str]:
    environment = {"BNLAB_STORE": own_store.url, "BNLAB_SCHEDULER": scheduler}
    with running_app(ROOT / "app.py", env=environment, log=log) as url:
        yield url


@pytest.mark.timeout(3_600)  # on a machine that has much else to do
@pytest.mark.parametrize("seed", SEEDS)
def test_every_run_is_what_the_page_showed(
    own_app: str, browser_page: Page, own_store: Store, log: Path, seed: int, tmp_path: Path
) -> None:
    monkey = Monkey(browser_page, own_app, own_store, seed)
    try:
        while len(monkey.actions) < ACTIONS:
            faults = monkey.burst() + failed(own_store) + tracebacks(log)
            assert not faults, "\n".join(faults)
        print(
            f"seed {seed}: {len(monkey.actions)} actions in {len(monkey.presses)} bursts and {monkey.seconds:.0f} s,",
            f"{monkey.required} presses of Train, {len(monkey.launches)} launches,",
            Counter(action["do"] for action in monkey.actions),
        )
        if ACTIONS >= 500:
            assert monkey.visited == {page.name for page in PAGES}
            assert monkey.required > ACTIONS / 100, "it hardly trained anything"
        assert_usable(browser_page, own_app, own_store)
        assert not tracebacks(log)
    finally:
        launches = [[seconds, run.model_dump()] for (_, seconds), run in monkey.launches.items()]
        write_lines(tmp_path / "launches.jsonl", launches)
        presses = [[number, p.button, p.shown] for number, reports in enumerate(monkey.presses) for p in reports]
        write_lines(tmp_path / "presses.jsonl", presses)
        lines = write_lines(tmp_path / "actions.jsonl", monkey.actions)
        print(f"all actions are in {tmp_path / 'actions.jsonl'}, the last ones:", *lines[-LAST:], sep="\n")


def write_lines(path: Path, values: Sequence[object]) -> list[str]:
    """Write JSON values, one a line; returns the lines."""
    lines = [json.dumps(value) for value in values]
    path.write_text("\n".join(lines))
    return lines


def failed(store: Store) -> list[str]:
    """The errors of runs."""
    return [run.error for run in store.runs() if run.state is RunState.FAILED]


def tracebacks(log: Path) -> list[str]:
    text = log.read_text()
    return [text[-4_000:]] if "Traceback" in text else []


def assert_usable(page: Page, url: str, store: Store) -> None:
    """Train one more network."""
    store.request_stop([run.digest for run in store.runs() if not run.state.is_finished()])
    open_page(page, f"{url}/?v=Last&epochs=1&train_examples=320&hidden_units=16&seed={ENDS_SEED}")
    wait_until_at_rest(page)
    train_button(page).click()
    last = RunSpec(epochs=1, train_examples=320, hidden_units=(16,), seed=ENDS_SEED)
    wait_until(lambda: (run := store.find([last]).get(last.digest)) is not None and run.state is RunState.COMPLETED)
    expect(train_button(page)).to_have_text(re.compile("Trained"))
