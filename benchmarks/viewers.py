"""Viewers of a page as the server sees them: a session over Streamlit's web socket and an event stream each."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from bnlab.live.routes import stream_url

MAX_EVENT_BYTES = 2**22
Parameters = dict[str, list[str]]


@dataclass
class Viewer:
    """One viewer of the Compare page, and what it has received.

    Attributes:
        parameters: of the page's address.
        received: for each event with news, the time it came, and the time of the newest commit in it.
        sizes: the bytes of each change.
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
    _page: str = ""

    async def watch(self, url: str) -> None:
        """Open the page and its stream; until cancelled."""
        try:
            origin = url.replace("http", "ws", 1)
            async with websockets.connect(
                f"{origin}/_stcore/stream",
                subprotocols=[websockets.Subprotocol("streamlit")],
                max_size=None,
                origin=url,
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
            if message.delta.new_element.WhichOneof("type") == "exception":
                self.errors.append(message.delta.new_element.exception.message)

    async def _stream(self, socket: websockets.ClientConnection, url: str) -> None:
        host = urlsplit(url)
        reader, writer = await asyncio.open_connection(host.hostname, host.port, limit=MAX_EVENT_BYTES)
        request = f"GET {stream_url('', 'compare', self.parameters)} HTTP/1.1\r\nHost: {host.netloc}\r\n\r\n"
        writer.write(request.encode())
        try:
            kind, number = "", 0
            while line := await reader.readline():
                name, _, value = line.decode().rstrip().partition(": ")
                if name == "id":
                    number = int(value.partition("-")[2])
                elif name == "event":
                    kind = value
                elif name == "data":
                    self._receive(kind, number, json.loads(value), len(line))
                    await self._follow(socket, url, json.loads(value))
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

    async def _follow(self, socket: websockets.ClientConnection, url: str, data: dict[str, object]) -> None:
        """Have the page rendered again when it must offer something else, as static/live_stream.js does."""
        page = data.get("page")
        if isinstance(page, str) and page != self._page:
            if self._page:
                await self._ask(socket, url)
            self._page = page


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
