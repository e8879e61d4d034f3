"""Real comparisons from the shell, with real workers: one undisturbed, one interrupted."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from tests.waiting import wait_until
from tests.workers import has_ended

pytestmark = [pytest.mark.workers, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
LIMIT_SECONDS = 5.0
"""In which a command has to end after a signal."""
LABELS = ["Baseline", "Approach 1 (as printed)", "Approach 1 (as described)", "Approach 2"]
SMALL = ["compare", "notebook", "--epochs", "1", "--set", "train_examples=200", "--set", "hidden_units=[8]"]
# Some seconds a run: long enough to be interrupted in the middle, also by a test that has to wait for its turn.
LONGER = ["compare", "notebook", "--epochs", "25", "--set", "train_examples=20000", "--set", "hidden_units=[16]"]


@contextmanager
def bnlab(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m bnlab` in a new process group, which is killed at the end of the block."""
    command = [sys.executable, "-m", "bnlab", *arguments]
    pipe: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    # Where pytest was started as a background job of a shell, it ignores Ctrl + C, and so would the commands it starts.
    interruptible: dict[str, Any] = {"preexec_fn": partial(signal.signal, signal.SIGINT, signal.SIG_DFL)}
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True, **pipe, **interruptible) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def run_to_the_end(*arguments: str) -> str:
    with bnlab(*arguments) as process:
        output, _ = process.communicate(timeout=300)  # other tests may be under way
    assert process.returncode == 0, output
    assert "Traceback" not in output
    return output


def assert_is_the_small_comparison(document: dict[str, Any], runs: list[Run]) -> None:
    assert list(document) == ["wall_seconds", "runs"]
    assert [run["label"] for run in document["runs"]] == LABELS
    by_digest = {run.digest: run for run in runs}
    for described, variant in zip(document["runs"], PRESETS["notebook"].variants, strict=True):
        assert list(described) == [
            "label", "digest", "spec", "state", "params", "history", "steps", "train_seconds", "shared", "tags", "note",
        ]  # fmt: skip
        spec = RunSpec(**variant.spec.model_dump() | {"epochs": 1, "train_examples": 200, "hidden_units": [8]})
        assert RunSpec(**described["spec"]) == spec
        assert described["digest"] == spec.digest
        assert (described["state"], described["steps"]) == ("COMPLETED", 7)
        assert described["train_seconds"] == by_digest[spec.digest].seconds > 0
        assert list(described["params"]) == ["total", "trainable", "non_trainable"]
        assert described["params"]["total"] == described["params"]["trainable"] + described["params"]["non_trainable"]
        (epoch,) = described["history"]
        assert list(epoch) == ["epoch", "step", "loss", "accuracy", "val_loss", "val_accuracy"]
        assert (epoch["epoch"], epoch["step"]) == (1, 7)
        assert 1 < epoch["val_loss"] < 4
        assert round(epoch["accuracy"] * 200, 6) in range(201)
        assert round(epoch["val_accuracy"] * 10_000, 2) in range(10_001)


def test_comparison_is_trained_once(url: str, scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNLAB_SCHEDULER", scheduler)
    path = tmp_path / "results.json"
    output = run_to_the_end(*SMALL, "--json", str(path))
    assert all(f"{label}: COMPLETED" in output for label in LABELS)
    runs, document = Store(url).runs(), json.loads(path.read_text())
    assert_is_the_small_comparison(document, runs)

    assert "All of these runs had been trained before." in run_to_the_end(*SMALL, "--json", str(path))
    assert Store(url).runs() == runs
    assert json.loads(path.read_text()) == document | {"wall_seconds": 0.0}


def interrupt_while_it_trains(
    url: str, *arguments: str, by: signal.Signals = signal.SIGINT
) -> tuple[int, str, list[psutil.Process]]:
    """The exit status, the whole output, and the worker processes there were. A run has committed steps by then."""
    with bnlab(*arguments) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if ": RUNNING" in line:
                break
        with Store(url) as store:
            wait_until(lambda: any(run.step for run in store.runs()))
        workers = psutil.Process(process.pid).children(recursive=True)
        if by is signal.SIGINT:
            os.killpg(process.pid, by)  # as a terminal does
        else:
            process.send_signal(by)
        rest, _ = process.communicate(timeout=60)
        return process.returncode, "".join(lines) + rest, workers


@pytest.mark.parametrize("seconds", [0.0, 2.0])
def test_a_command_ends_in_time_also_while_its_workers_start(seconds: float, url: str) -> None:
    with bnlab(*LONGER) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if ": QUEUED" in line:
                break
        time.sleep(seconds)
        children = psutil.Process(process.pid).children(recursive=True)
        began = time.monotonic()
        process.terminate()
        rest, _ = process.communicate(timeout=60)
        took = time.monotonic() - began
    assert process.returncode == 130, rest
    assert took < LIMIT_SECONDS
    assert rest.endswith("Stopped. The same command goes on from here.\n")
    wait_until(lambda: all(has_ended(child) for child in children), 5)
    assert [run.state for run in Store(url).runs()] == [RunState.STOPPED] * 4


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_comparison_continues(
    by: signal.Signals, url: str, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, output, workers = interrupt_while_it_trains(url, *LONGER, by=by)
    assert status == 130, output
    assert "Traceback" not in output
    assert output.endswith("Stopping; what was trained is kept.\nStopped. The same command goes on from here.\n")
    assert workers
    wait_until(lambda: all(has_ended(worker) for worker in workers), 5)
    stopped = {run.digest: run for run in Store(url).runs()}
    assert [run.state for run in stopped.values()] == [RunState.STOPPED] * 4
    assert any(0 < run.progress < 1 for run in stopped.values())
    if by is not signal.SIGINT:
        return  # the store is the same

    monkeypatch.setenv("BNLAB_SCHEDULER", scheduler)  # to whom the work goes makes no difference
    run_to_the_end(*LONGER)
    for run in Store(url).runs():
        assert (run.state, run.progress) == (RunState.COMPLETED, 1.0)
        assert run.created_at == stopped[run.digest].created_at
        assert run.seconds > stopped[run.digest].seconds
