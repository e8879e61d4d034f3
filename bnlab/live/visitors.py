"""The cookie with the visitor's id, which each browser gets with the first page that it opens."""

import asyncio
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bnlab.runs.errors import StoreError
from bnlab.runs.visitors import VisitorSigner, new_visitor

COOKIE = "bnlab_visitor"
MAX_AGE_SECONDS = 2 * 365 * 24 * 3600


def visitor_cookies(signer: Callable[[], VisitorSigner], base: str, *, in_frames: bool = False) -> Middleware:
    """The middleware that sends the cookie with each HTML page to browsers that have none.

    Args:
        signer: called in another thread; it may raise a StoreError, and then no cookie is sent.
        base: the path under which the app is served, empty or like ``/lab``.
        in_frames: whether other sites may show the app in a frame. Over HTTPS, which browsers require for it, the
            cookie is then sent there too, one for each of these sites.
    """
    return Middleware(_VisitorCookies, signer=signer, path=base or "/", in_frames=in_frames)


class _VisitorCookies:
    def __init__(self, app: ASGIApp, signer: Callable[[], VisitorSigner], path: str, in_frames: bool) -> None:
        self._app, self._signer, self._path, self._in_frames = app, signer, path, in_frames

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asks_for_page = scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", "")
        value = await self._new_value(scope) if asks_for_page else ""
        if not value:
            await self._app(scope, receive, send)
            return
        cookie = self._cookie(value, is_secure=_is_https(scope))

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append("set-cookie", cookie)
                headers["cache-control"] = "no-store"  # no cache may give one visitor's cookie to another
            await send(message)

        await self._app(scope, receive, send_with_cookie)

    async def _new_value(self, scope: Scope) -> str:
        """The value of a new cookie; empty if the browser has a valid one or the store cannot be read."""
        try:
            signer = await asyncio.to_thread(self._signer)
        except StoreError:
            return ""
        return "" if signer.read(HTTPConnection(scope).cookies.get(COOKIE, "")) else signer.sign(new_visitor())

    def _cookie(self, value: str, *, is_secure: bool) -> str:
        sites = "SameSite=None; Partitioned" if self._in_frames and is_secure else "SameSite=Lax"
        secure = "; Secure" if is_secure else ""
        return f"{COOKIE}={value}; Path={self._path}; Max-Age={MAX_AGE_SECONDS}; HttpOnly; {sites}{secure}"


def _is_https(scope: Scope) -> bool:
    """Whether the browser asked over HTTPS, perhaps a proxy elsewhere, whose word decides on this cookie alone."""
    forwarded = Headers(scope=scope).get("x-forwarded-proto", "").partition(",")[0].strip()
    return "https" in (scope.get("scheme"), forwarded)
