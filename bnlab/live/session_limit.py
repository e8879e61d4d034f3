"""The largest number of open pages, each of which has a session of Streamlit's and a websocket."""

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

SOCKET = "/_stcore/stream"
"""Streamlit's websocket, one for each open page."""
TRY_AGAIN_LATER = 1013
"""The code with which a websocket is closed, as in the registry of RFC 6455."""
RETRY_SECONDS = 20
FULL = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="{RETRY_SECONDS}">
<meta name="viewport" content="width=device-width">
<title>bnlab</title>
<style>
:root {{ color-scheme: light dark; font: 1.1rem/1.5 system-ui, sans-serif; }}
body {{ max-width: 34rem; margin: 15vh auto; padding: 0 1rem; }}
</style>
</head>
<body>
<h1>Batch normalization lab</h1>
<p role="status">As many pages are open as this server can show. This one tries again every {RETRY_SECONDS} seconds.</p>
</body>
</html>
"""


def session_limit(sessions: int, base: str) -> Middleware:
    """The middleware that shows no more than this number of pages at a time; others show a page that tries again.

    Args:
        sessions: the most open pages.
        base: the path under which the app is served, empty or like ``/lab``.
    """
    return Middleware(_SessionLimit, sessions=sessions, socket=base + SOCKET)


class _SessionLimit:
    def __init__(self, app: ASGIApp, sessions: int, socket: str) -> None:
        self._app, self._sessions, self._socket = app, sessions, socket
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, unless it is for one more page than there may be."""
        is_full = self._open >= self._sessions
        if scope["type"] == "websocket" and scope["path"] == self._socket:
            if is_full:
                await receive()  # the request to connect, which is to be answered
                await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
                return
            self._open += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._open -= 1
        elif is_full and scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", ""):
            await HTMLResponse(FULL, 503, {"Retry-After": str(RETRY_SECONDS)})(scope, receive, send)
        else:
            await self._app(scope, receive, send)
