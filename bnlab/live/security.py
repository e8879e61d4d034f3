"""Headers that keep browsers from misusing the app's answers, and addresses that are closed."""

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CLOSED = ("/_stcore/metrics",)
"""Streamlit's, which tell about other sessions."""


def security_middleware(base: str, frame_ancestors: str) -> list[Middleware]:
    """For all answers of the app: who may show it in a frame, no guessed content types, no address sent elsewhere.

    `base` is the app's base path; `frame_ancestors` are sources in the terms of Content-Security-Policy.
    """
    headers = {
        "content-security-policy": f"frame-ancestors {' '.join(frame_ancestors.replace(';', ' ').split())}",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
    }
    return [Middleware(_Security, closed=[base + path for path in CLOSED], headers=headers)]


class _Security:
    def __init__(self, app: ASGIApp, closed: list[str], headers: dict[str, str]) -> None:
        self._app, self._closed, self._headers = app, closed, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, with the headers in the answer."""

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        if scope["type"] == "http" and scope["path"].rstrip("/") in self._closed:
            await PlainTextResponse("Not found", 404)(scope, receive, send_secured)
        else:
            await self._app(scope, receive, send_secured if scope["type"] == "http" else send)
