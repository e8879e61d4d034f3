"""A connection to a local server that can be cut as by a failing network, which Chromium's offline mode does not do."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

HOST = "127.0.0.1"


class TcpProxy:
    """Forwards the connections to its own port to another port of this machine, until it is cut."""

    def __init__(self, target: int) -> None:
        self._target, self.port = target, 0
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.mend()

    def cut(self) -> None:
        """End all connections and refuse new ones."""
        self._call(self._cut())

    def mend(self) -> None:
        """Accept connections, on the same port as before."""
        self._call(self._listen())

    def close(self) -> None:
        """End all connections for good."""
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()
        await asyncio.sleep(0.1)  # until both ends know

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            answers, requests = await asyncio.open_connection(HOST, self._target)
            await asyncio.gather(self._forward(reader, requests), self._forward(answers, writer))
        writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while data := await reader.read(2**16):
                writer.write(data)
                await writer.drain()
        finally:
            self._open.discard(writer)
            writer.close()


@contextmanager
def tcp_proxy(target: int) -> Iterator[TcpProxy]:
    """A proxy of this port, for the time of a block."""
    proxy = TcpProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
