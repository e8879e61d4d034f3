"""A real Chromium and a real Streamlit server for tests.

Fixtures for tests/ui/browser: ``chromium`` (one browser for all of its tests) and ``browser_page`` (a fresh page in it,
which fails the test on any console error). Mark tests that use them with ``pytest.mark.browser``.
``running_app`` starts a server.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.local_http import open_local

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_SECONDS = 60
TIMEOUT_MS = (
    240_000  # for every action and expectation: workers, which have a low priority, share few cores with the tests
)


@pytest.fixture(scope="package")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A headless Chromium. Not session-scoped, because Playwright keeps an event loop running until it is closed.

    The context is persistent so that compiled scripts are cached: compiling Streamlit and Plotly for each page takes
    most of the tests' processor time.
    """
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        pytest.skip(f"no Chromium on the PATH (looked for {', '.join(CHROMIUM_NAMES)})")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.getbasetemp() / "chromium",
            executable_path=path,
            args=CHROMIUM_ARGUMENTS,
            viewport={"width": 1100, "height": 800},
            color_scheme="light",
        )
        yield context
        context.close()


@pytest.fixture
def browser_page(chromium: BrowserContext) -> Iterator[Page]:
    """A page in light colours; the test fails if the console shows an error that the app caused."""
    page = chromium.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    expect.set_options(timeout=TIMEOUT_MS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if _is_app_error(message) else None)
    yield page
    page.close()
    assert not errors, errors


def _is_app_error(message: ConsoleMessage) -> bool:
    """Whether a message is an error, except those of Streamlit's search for its base path."""
    url = message.location.get("url", "")
    is_from_streamlit = url.endswith(("/_stcore/health", "/_stcore/host-config"))
    return message.type == "error" and not is_from_streamlit


@contextmanager
def running_app(
    script: Path, *, env: Mapping[str, str] | None = None, base: str = "", log: Path | None = None
) -> Iterator[str]:
    """Serve ``script`` with the app's settings on a free port; yields its URL. `log` gets what the server prints."""
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    command += ["--server.address=127.0.0.1", f"--server.baseUrlPath={base}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
    with (log or Path(os.devnull)).open("w") as output:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            url = f"http://127.0.0.1:{port}/{base}".rstrip("/")
            _wait_until_healthy(url, server)
            yield url
        finally:
            server.terminate()
            _wait_or_kill(server)


def _free_port() -> int:
    try:
        return _bindable_port(_preferred_port())
    except OSError:
        return _bindable_port(0)  # another server has the preferred port


@cache
def _preferred_port() -> int:
    """The same port for consecutive servers, because Chromium caches compiled scripts by URL."""
    return _bindable_port(0)


def _bindable_port(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return int(probe.getsockname()[1])


def _wait_until_healthy(url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with open_local(f"{url}/_stcore/health", timeout=1) as response:
                if response.read() == b"ok":
                    return
        except OSError:
            pass  # not listening yet
        time.sleep(0.1)
    raise AssertionError(f"no server at {url} after {START_SECONDS} s (exit status {server.poll()})")


def _wait_or_kill(server: "subprocess.Popen[bytes]") -> None:
    try:
        server.wait(timeout=15)  # it stops its workers first
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
