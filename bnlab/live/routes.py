"""The HTTP routes beside Streamlit's: the event streams, and scripts with addresses that change with their content."""

import gzip
import hashlib
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bnlab.live.hub import Hub
from bnlab.live.views import VIEWS

GZIP_HEADERS = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
LAST_EVENT = "last-event-id"
"""The header with which a browser returns to a stream; a parameter where a script opens the stream again."""
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
TASK = "task"
"""The parameter with the identifiers of tasks that the page waits for; it is not part of the view."""
MAX_TASKS = 100
RECONNECT_MS = 1_000
GZIP_START = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
"""How a file of gzip begins (RFC 1952): the parts of its deflate stream follow."""

Parameters = Mapping[str, list[str]]


def stream_url(base: str, page: str, parameters: Parameters) -> str:
    """The address of a page's stream; `base` is the app's base path, empty or like ``/lab``."""
    return f"{base}/live/{page}?{urlencode(parameters, doseq=True)}"


def parse_parameters(request: Request) -> dict[str, list[str]]:
    """The parameters of the page's address, as `stream_url` wrote them."""
    return parse_qs(request.url.query)


def stream_route(hub: Hub, base: str) -> BaseRoute:
    """The route of the event streams: ``/live/{page}`` with the parameters of the page's address."""

    async def stream(request: Request) -> Response:
        make_view = VIEWS.get(request.path_params["page"])
        if make_view is None:
            raise HTTPException(404)
        parameters = parse_parameters(request)
        last = request.headers.get(LAST_EVENT) or parameters.pop(LAST_EVENT, [""])[-1]
        tasks = parameters.pop(TASK, [])[:MAX_TASKS]
        view = make_view(parameters)

        async def events() -> AsyncIterator[bytes]:
            yield f"retry: {RECONNECT_MS}\n\n".encode()
            async for change in hub.watch(view, last, tasks):
                yield change

        if "gzip" not in request.headers.get("accept-encoding", ""):
            return StreamingResponse(events(), media_type="text/event-stream", headers=STREAM_HEADERS)
        headers = STREAM_HEADERS | GZIP_HEADERS
        return StreamingResponse(compressed_events(events()), media_type="text/event-stream", headers=headers)

    return Route(f"{base}/live/{{page}}", stream)


async def compressed_events(events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The events as a file of gzip without an end."""
    yield GZIP_START
    async for data in events:
        yield deflated(data)


@lru_cache(maxsize=64)
def deflated(data: bytes) -> bytes:
    """`data` as a part of a deflate stream that can follow any other part: one is compressed once for all readers."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush(zlib.Z_FULL_FLUSH)


class Assets:
    """Files that are served from where they are, such as a script in an installed package.

    Their addresses contain a digest of all of them, so browsers may keep them forever, and scripts may import each
    other by relative addresses.
    """

    def __init__(self, base: str, files: Mapping[str, Path]) -> None:
        """`files` by the names under which they are served."""
        self._base, self._files = base, dict(files)

    @property
    def version(self) -> str:
        """A digest of the names and contents."""
        return _digest(tuple(sorted(self._files.items())))

    def url(self, name: str) -> str:
        """The address of a file."""
        return f"{self._base}/assets/{self.version}/{name}"

    def preload(self, names: Sequence[str]) -> Middleware:
        """The header of web pages by which browsers load these scripts at once, before a page asks for them."""
        links = ", ".join(f"<{self.url(name)}>; rel=preload; as=script; fetchpriority=low" for name in names)
        return Middleware(_PageHeader, name="link", value=links)

    def compress(self) -> None:
        """Compress the files before the first request, which would otherwise wait for it."""
        for path in self._files.values():
            _compressed(path)

    def route(self) -> BaseRoute:
        """The route that serves the files."""

        async def serve(request: Request) -> Response:
            name, version = request.path_params["name"], request.path_params["version"]
            if name not in self._files:
                raise HTTPException(404)
            headers = FOREVER if version == self.version else {"Cache-Control": "no-store"}
            media_type = "text/javascript" if name.endswith(".js") else "text/css"
            if "gzip" in request.headers.get("accept-encoding", ""):
                headers = headers | GZIP_HEADERS
                return Response(_compressed(self._files[name]), media_type=media_type, headers=headers)
            return Response(self._files[name].read_bytes(), media_type=media_type, headers=headers)

        return Route(f"{self._base}/assets/{{version}}/{{name}}", serve)


class _PageHeader:
    """Adds a header to the answers that are web pages."""

    def __init__(self, app: ASGIApp, name: str, value: str) -> None:
        self._app, self._name, self._value = app, name, value

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""

        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers[self._name] = self._value
            await send(message)

        await self._app(scope, receive, send_with_header if scope["type"] == "http" else send)


@lru_cache(maxsize=8)
def _digest(files: tuple[tuple[str, Path], ...]) -> str:
    digest = hashlib.sha256()
    for name, path in files:
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


@lru_cache(maxsize=16)
def _compressed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), compresslevel=4)
