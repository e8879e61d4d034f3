"""The server as a process: its start with bad settings, what operators ask it, its log, its end."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from bnlab.live.session_limit import session_limit
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.ui import server as server_module
from bnlab.ui.navigation import ROOT
from tests.local_http import open_local
from tests.waiting import wait_until
from tests.workers import has_ended, kill_tree

pytestmark = pytest.mark.workers

LIMIT_SECONDS = 5.0
"""In which a server has to end: container engines kill it after ten."""


@contextmanager
def server(folder: Path, **environment: str) -> Iterator[tuple["subprocess.Popen[bytes]", str, Path]]:
    """A server with workers of its own; yields the process, its address and the file of its log."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "app.py",
        f"--server.port={port}",
        "--server.address=127.0.0.1",
    ]
    variables = {**os.environ, "BNLAB_STORE": f"sqlite:///{folder}/served.db", **environment}
    log = folder / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=output, stderr=output)
        try:
            yield process, f"http://127.0.0.1:{port}", log
        finally:
            if process.poll() is None:
                kill_tree(process.pid)
            process.wait()


def text_at(url: str, **headers: str) -> str:
    try:
        with open_local(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.read().decode()
    except OSError:
        return ""


@pytest.mark.parametrize(
    "seconds", [1.0, *(pytest.param(seconds, marks=pytest.mark.slow) for seconds in (0.0, 0.5, 2.0, 4.0))]
)
def test_a_server_ends_in_time_also_while_its_workers_start(seconds: float, tmp_path: Path) -> None:
    with server(tmp_path) as (process, url, log):
        wait_until(lambda: text_at(f"{url}/_stcore/health") == "ok")
        time.sleep(seconds)
        children = psutil.Process(process.pid).children(recursive=True)
        began = time.monotonic()
        process.terminate()
        assert process.wait(2 * LIMIT_SECONDS) in (0, -signal.SIGTERM)  # uvicorn raises the signal again at its end
        assert time.monotonic() - began < LIMIT_SECONDS
        assert "Traceback" not in log.read_text()
        wait_until(lambda: all(has_ended(child) for child in children), 5)


@pytest.mark.parametrize(
    ("address", "shown", "chosen", "hosts"),
    [
        ("localhost", "localhost", [], ["localhost", "127.0.0.1", "[::1]"]),
        ("127.0.0.1", "school.example", [], ["localhost", "127.0.0.1", "[::1]", "school.example"]),
        ("127.0.0.1", None, ["school.example"], ["school.example"]),
        ("127.0.0.1", None, ["*"], ["*"]),
        ("0.0.0.0", "localhost", [], []),
        (None, None, [], []),
    ],
)
def test_a_server_for_this_machine_alone_answers_to_its_names_alone(
    address: str | None, shown: str | None, chosen: list[str], hosts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"server.address": address, "browser.serverAddress": shown, "server.allowedHosts": chosen}
    monkeypatch.setattr(server_module.st, "get_option", options.__getitem__)
    assert server_module.allowed_hosts() == hosts


def test_the_settings_are_those_of_the_middleware(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNLAB_MAX_SESSIONS", "7")
    monkeypatch.setenv("BNLAB_FRAME_ANCESTORS", "https://lms.example")
    server_module.services.settings.cache_clear()
    try:
        used = server_module.middleware()
    finally:
        server_module.services.settings.cache_clear()
    (limit,) = (middleware for middleware in used if middleware.cls is session_limit(1, "").cls)
    assert limit.kwargs["sessions"] == 7
    assert "frame-ancestors https://lms.example" in str(used[0].kwargs)


@pytest.mark.slow
def test_operators_are_told_and_the_log_has_lines_without_passwords(tmp_path: Path) -> None:
    with server(tmp_path, BNLAB_METRICS="true", BNLAB_TEACHER_KEY="opensesame") as (process, url, log):
        wait_until(lambda: text_at(f"{url}/ready") == "ready\n")
        assert "bnlab_viewers 0.0" in text_at(f"{url}/metrics")
        assert text_at(url, Host="evil.example", Origin="http://evil.example") == "Invalid host header"
        wait_until(lambda: re.search(r"^bnlab_workers [1-9]", text_at(f"{url}/metrics"), re.MULTILINE) is not None)
        process.send_signal(signal.SIGTERM)
        process.wait(2 * LIMIT_SECONDS)
        lines = [line for line in log.read_text().splitlines() if line.startswith("time=")]
    events = [match[1] for line in lines if (match := re.search(r' logger=bnlab\S* event="?([\w ]+)', line))]
    assert events[0].startswith("started")
    assert {"connected", "workers"} <= {event.split()[0] for event in events}
    assert events[-1].startswith("ended")
    assert "opensesame" not in log.read_text()


@pytest.mark.slow
def test_a_server_trains_what_waits_before_anybody_opens_a_page(tmp_path: Path) -> None:
    """As after a restart while networks train."""
    with Store(f"sqlite:///{tmp_path}/served.db") as store:
        run = store.launch(RunSpec(hidden_units=(8,), train_examples=640, epochs=2), "waits", "ended")
        store.release("ended")
        with server(tmp_path):
            wait_until(lambda: store.run(run.digest).state is RunState.COMPLETED)


@pytest.mark.slow
def test_metrics_are_off_unless_a_setting_allows_them(tmp_path: Path) -> None:
    with server(tmp_path) as (_, url, _log):
        wait_until(lambda: text_at(f"{url}/ready") == "ready\n")
        assert "bnlab_viewers" not in text_at(f"{url}/metrics")


def test_a_bad_setting_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    with server(tmp_path, BNLAB_MAX_STEPS="plenty") as (process, _url, log):
        assert process.wait(60) != 0
        text = log.read_text()
    assert "BNLAB_MAX_STEPS" in text
    assert "Traceback" not in text
    assert "plenty" not in text
