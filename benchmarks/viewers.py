"""Viewers of a page as the server sees them: a session over Streamlit's web socket and an event stream each."""

import asyncio
import json
import random
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from bnlab.live.routes import stream_url

MAX_EVENT_BYTES = 2**22
LEAST_SPREAD = 0.5
"""Seconds, as in static/render_again.js."""
Parameters = dict[str, list[str]]


@dataclass
class Viewer:
    """One viewer of the Compare page, and what it has received.

    Attributes:
        parameters: of the page's address.
        received: for each event with news, the time it came, and the time of the newest commit in it.
        sizes: the bytes of each change, compressed.
        missed: how many events were left out.
        scripts: how many runs of the page's script ended, the first included.
        errors: exceptions shown on the page, and lost connections.
    """

    parameters: Parameters
    received: list[tuple[float, float]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    missed: int = 0
    scripts: int = 0
    errors: list[str] = field(default_factory=list)
    _number: int = 0
    _document: dict[str, Any] = field(default_factory=dict)
    _rendered: dict[str, Any] = field(default_factory=dict)
    _asking: "asyncio.Task[None] | None" = None

    async def watch(self, url: str) -> None:
        """Open the page and its stream; until cancelled."""
        try:
            origin = url.replace("http", "ws", 1)
            async with websockets.connect(
                f"{origin}/_stcore/stream",
                subprotocols=[websockets.Subprotocol("streamlit")],
                max_size=None,
                origin=url,
                proxy=None,
            ) as socket:
                await self._ask(socket, url)
                await asyncio.gather(self._session(socket), self._stream(socket, url))
        except (OSError, websockets.WebSocketException, EOFError) as error:
            self.errors.append(repr(error))

    def clear(self) -> None:
        """Forget what was received so far."""
        self.received, self.sizes, self.missed, self.scripts, self.errors = [], [], 0, 0, []

    async def _ask(self, socket: websockets.ClientConnection, url: str) -> None:
        """Ask for a run of the page's script."""
        message = BackMsg()
        message.rerun_script.query_string = urlencode(self.parameters, doseq=True)
        message.rerun_script.context_info.url = url
        await socket.send(message.SerializeToString())

    async def _session(self, socket: websockets.ClientConnection) -> None:
        async for raw in socket:
            message = ForwardMsg()
            message.ParseFromString(raw if isinstance(raw, bytes) else raw.encode())
            self.scripts += message.WhichOneof("type") == "script_finished"
            element = message.delta.new_element
            if element.WhichOneof("type") == "exception":
                self.errors.append(element.exception.message)
            elif element.WhichOneof("type") == "bidi_component" and element.bidi_component.json:
                data = json.loads(element.bidi_component.json)
                if "version" in data:  # what the page was rendered for, see `bnlab.ui.live.follow`
                    self._rendered = data

    async def _stream(self, socket: websockets.ClientConnection, url: str) -> None:
        host = urlsplit(url)
        reader, writer = await asyncio.open_connection(host.hostname, host.port, limit=MAX_EVENT_BYTES)
        address = stream_url("", "compare", self.parameters)
        writer.write(f"GET {address} HTTP/1.1\r\nHost: {host.netloc}\r\nAccept-Encoding: gzip\r\n\r\n".encode())
        try:
            headers = await reader.readuntil(b"\r\n\r\n")
            if b"content-encoding: gzip" not in headers.lower():
                raise EOFError("The event stream is not compressed.")
            async for event, size in _events(reader):
                fields = dict(line.partition(": ")[::2] for line in event.splitlines())
                if "data" in fields:
                    kind, number = fields["event"], int(fields.get("id", "-0").partition("-")[2])
                    self._receive(kind, number, json.loads(fields["data"]), size)
                    self._follow(socket, url, json.loads(fields["data"]), is_new=kind == "snapshot")
            self.errors.append("The event stream ended.")
        finally:
            writer.close()

    def _receive(self, kind: str, number: int, data: dict[str, object], size: int) -> None:
        if self._number:
            self.missed += number - self._number - (kind == "change")
        self._number = number
        if kind == "change":
            self.sizes.append(size)
            if isinstance(committed := data.get("committed"), float):
                self.received.append((time.time(), committed))

    def _follow(self, socket: websockets.ClientConnection, url: str, data: dict[str, Any], *, is_new: bool) -> None:
        """Have the page rendered again when it must offer something else, as static/render_again.js does."""
        page = {} if is_new else self._document.get("page", {})
        changed = {name: version for name, version in (page | data.get("page", {})).items() if version is not None}
        self._document = {"page": changed, "spread": data.get("spread", self._document.get("spread", 0.0))}
        if self._is_outdated() and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._ask_later(socket, url))

    def _is_outdated(self) -> bool:
        page, name = self._document["page"], self._rendered.get("name", "")
        return bool(self._rendered) and page.get(name, page.get("")) != self._rendered["version"]

    async def _ask_later(self, socket: websockets.ClientConnection, url: str) -> None:
        await asyncio.sleep(max(LEAST_SPREAD, self._document["spread"]) * random.random())
        if self._is_outdated():
            scripts = self.scripts
            await self._ask(socket, url)
            while self.scripts == scripts:
                await asyncio.sleep(LEAST_SPREAD)


async def _events(reader: asyncio.StreamReader) -> AsyncIterator[tuple[str, int]]:
    """Each event of a compressed stream, with its bytes as they were sent: the server sends one in each HTTP chunk."""
    decompressor = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    while size := int(await reader.readline(), 16):
        chunk = await reader.readexactly(size + len(b"\r\n"))
        if event := decompressor.decompress(chunk[:size]).decode():
            yield event, size


def lags(viewer: Viewer, commits: list[float]) -> Iterator[float]:
    """The seconds from each commit to the first event that had it."""
    events = iter(viewer.received)
    event = next(events, None)
    for commit in sorted(commits):
        while event is not None and event[1] < commit:
            event = next(events, None)
        if event is None:
            return
        yield event[0] - commit
