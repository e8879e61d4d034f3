"""No more pages are open than there may be; the others get a page that tries again."""

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from bnlab.live.session_limit import SOCKET, TRY_AGAIN_LATER, session_limit
from tests.asgi import get, run_async

PAGE = "text/html,application/xhtml+xml"


async def respond(_request: Request) -> Response:
    return PlainTextResponse("page")


async def hold(socket: WebSocket) -> None:
    await socket.accept()
    await socket.receive()


def app_with(middleware: Middleware, base: str = "") -> Any:
    routes = [Route("/", respond), WebSocketRoute(base + SOCKET, hold), WebSocketRoute("/other", hold)]
    return Starlette(routes=routes, middleware=[middleware])


class Connection:
    """A websocket of a page, which stays open until `leave`."""

    def __init__(self, app: Any, path: str) -> None:
        self.sent: list[dict[str, Any]] = []
        self._left = asyncio.Event()
        self._connected = False
        scope = {"type": "websocket", "asgi": {"version": "3.0"}, "path": path, "headers": [], "subprotocols": []}
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        await self._left.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    async def opened(self) -> bool:
        while not self.sent:
            await asyncio.sleep(0)
        return bool(self.sent[0]["type"] == "websocket.accept")

    async def leave(self) -> None:
        self._left.set()
        await self.task


@pytest.mark.parametrize("base", ["", "/lab"])
def test_a_place_is_free_again_when_a_page_is_closed(base: str) -> None:
    app = app_with(session_limit(2, base), base)

    async def visit() -> None:
        first, second = Connection(app, base + SOCKET), Connection(app, base + SOCKET)
        assert await first.opened()
        assert await second.opened()
        third = Connection(app, base + SOCKET)
        assert not await third.opened()
        assert third.sent[0]["code"] == TRY_AGAIN_LATER
        await third.task
        other = Connection(app, "/other")
        assert await other.opened(), "only pages count"
        await first.leave()
        fourth = Connection(app, base + SOCKET)
        assert await fourth.opened()
        for connection in (second, fourth, other):
            await connection.leave()

    run_async(visit())


def test_who_comes_when_all_places_are_taken_gets_a_page_that_tries_again() -> None:
    app = app_with(session_limit(1, ""))

    async def visit() -> None:
        connection = Connection(app, SOCKET)
        assert await connection.opened()
        answer = get(app, "/", accept=PAGE)
        assert answer.status == 503
        assert f'content="{answer.headers["retry-after"]}"' in answer.text
        assert get(app, "/", accept="*/*").text == "page", "scripts and pictures of pages that are open"
        await connection.leave()
        assert get(app, "/", accept=PAGE).text == "page"

    run_async(visit())
