"""Coroutines, and requests to an ASGI app, in the test's process."""

import asyncio
import zlib
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

GZIP = 16 + zlib.MAX_WBITS


@dataclass
class Answer:
    """The status, the headers by their names in lower case, and the body without its compression."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        is_compressed = self.headers.get("content-encoding") == "gzip"
        return (zlib.decompressobj(GZIP).decompress(self.body) if is_compressed else self.body).decode()


def run_async(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run the coroutine in a thread of its own: Playwright's event loop may be running in this one."""
    with ThreadPoolExecutor(1) as executor:
        executor.submit(asyncio.run, coroutine).result()


def get(app: Any, url: str, scheme: str = "http", **headers: str) -> Answer:
    """Request `url`; underscores in the names of `headers` stand for hyphens."""
    path, _, query = url.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": scheme,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(3600)  # the client stays
        return {"type": "http.disconnect"}

    run_async(app(scope, receive, send))
    received = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], received, b"".join(message.get("body", b"") for message in sent[1:]))
