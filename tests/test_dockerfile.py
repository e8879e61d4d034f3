"""The image's health check: its command, run against a server that answers as bnlab does."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.slow import all_but_one_slow

DOCKERFILE = Path(__file__).parents[1] / "Dockerfile"
PORT = "8501"


@contextmanager
def server(health: str, body: bytes = b"ready\n", status: int = 200) -> Iterator[int]:
    """Answers `body` at the path `health`, and a page at all others; yields its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_health = self.path == health
            content = body if is_health else b"<!doctype html>"
            self.send_response(status if is_health else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("localhost", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield listening.server_port
        finally:
            listening.shutdown()
            thread.join()


def health_check() -> str:
    """The command of the Dockerfile's HEALTHCHECK, which a shell runs."""
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    (command,) = re.findall(r"^HEALTHCHECK (?:--\S+ +)+CMD (?!\[)(.+)$", text, re.MULTILINE)
    return str(command)


def is_healthy(port: int, base: str | None, proxies: Mapping[str, str] | None = None) -> bool:
    command = health_check()
    assert PORT in command
    assert f"--server.port={PORT}" in DOCKERFILE.read_text()
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    environment.pop("STREAMLIT_SERVER_BASE_URL_PATH", None)
    environment |= proxies or {}
    if base is not None:
        environment["STREAMLIT_SERVER_BASE_URL_PATH"] = base
    command = command.replace(PORT, str(port))
    finished = subprocess.run(
        command, shell=True, env=environment, cwd=DOCKERFILE.parent, capture_output=True, timeout=30, check=False
    )
    assert not finished.stderr, finished.stderr.decode()
    return finished.returncode == 0


@pytest.mark.parametrize(
    ("base", "path"),
    all_but_one_slow(
        [
            ("/school/bnlab/", "/school/bnlab/ready"),
            (None, "/ready"),
            ("", "/ready"),
            ("bnlab", "/bnlab/ready"),
        ]
    ),
)
def test_the_health_check_follows_the_base_path(base: str | None, path: str) -> None:
    with server(path) as port:
        assert is_healthy(port, base)
        assert not is_healthy(port, "elsewhere")


def test_the_health_check_asks_no_proxy() -> None:
    dead = "http://127.0.0.1:1"
    with server("/ready") as port:
        assert is_healthy(port, None, {"HTTP_PROXY": dead, "http_proxy": dead, "ALL_PROXY": dead, "all_proxy": dead})


def test_a_server_that_is_not_ready_is_not_healthy() -> None:
    with server("/ready", b"The store is read-only.\n", 503) as port:
        assert not is_healthy(port, None)
    assert not is_healthy(port, None)  # nor is one that has ended
