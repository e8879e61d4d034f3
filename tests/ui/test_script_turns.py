"""No more than a few scripts run at a time, and none waits forever."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bnlab.ui import script_turns
from bnlab.ui.script_turns import SCRIPTS, script_turn


@pytest.fixture(autouse=True)
def own_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_turns, "_turns", threading.BoundedSemaphore(SCRIPTS))


def test_few_scripts_run_at_a_time() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def run(_: int) -> None:
        nonlocal running, most
        with script_turn():
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.005)
            with lock:
                running -= 1

    with ThreadPoolExecutor(12) as sessions:
        list(sessions.map(run, range(24)))
    assert most == SCRIPTS


def test_a_script_that_waits_for_long_runs_without_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_turns, "PATIENCE_SECONDS", 0.02)
    turns = [script_turn() for _ in range(SCRIPTS)]
    for turn in turns:
        turn.__enter__()
    began = time.monotonic()
    with script_turn():
        assert time.monotonic() - began >= 0.02
    for turn in turns:
        turn.__exit__(None, None, None)
    assert script_turns._turns._value == SCRIPTS  # type: ignore[attr-defined]


def test_a_script_that_fails_gives_its_turn_back() -> None:
    for _ in range(SCRIPTS + 1):
        with pytest.raises(ValueError, match="failed"), script_turn():
            raise ValueError("failed")
    assert script_turns._turns._value == SCRIPTS  # type: ignore[attr-defined]
