"""Headers that keep browsers from misusing the app's answers, the hosts that it answers to, and closed addresses."""

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CLOSED = ("/_stcore/metrics",)
"""Streamlit's, which tell about other sessions."""
FOR_ANY_HOST = ("/ready", "/_stcore/health")
"""Addresses that health checks ask for, by whatever name they know the server."""
POLICY = {
    "default-src": "'self'",
    # Streamlit's page has a script of its own, and its components and Plotly make scripts and workers while they run.
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob: data:",
    "worker-src": "'self' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' ws: wss: data: blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
"""The Content-Security-Policy: nothing is loaded from elsewhere, whatever a text on a page turns out to contain."""


def security_middleware(base: str, frame_ancestors: str, allowed_hosts: Sequence[str] = ()) -> list[Middleware]:
    """For all answers of the app: what it may load, who may show it in a frame, no address sent elsewhere.

    Args:
        base: the app's base path.
        frame_ancestors: sources in the terms of Content-Security-Policy.
        allowed_hosts: the names that requests may have in their header Host, as in Streamlit's `server.allowedHosts`,
            which applies to its websocket alone; by default any. It keeps other sites from giving their name to this
            server's address and reading its answers.
    """
    policy = POLICY | {"frame-ancestors": " ".join(frame_ancestors.replace(";", " ").split())}
    headers = {
        "content-security-policy": "; ".join(f"{name} {sources}" for name, sources in policy.items()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
    }
    security = Middleware(_Security, closed=[base + path for path in CLOSED], headers=headers)
    if not allowed_hosts:
        return [security]
    for_any_host = [base + path for path in FOR_ANY_HOST]
    return [security, Middleware(_AllowedHosts, allowed_hosts=list(allowed_hosts), for_any_host=for_any_host)]


class _AllowedHosts:
    def __init__(self, app: ASGIApp, allowed_hosts: list[str], for_any_host: list[str]) -> None:
        self._app, self._for_any_host = app, for_any_host
        self._checked = TrustedHostMiddleware(app, allowed_hosts, www_redirect=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, if it is for a host that this server answers to."""
        is_for_any = scope["type"] == "http" and scope["path"] in self._for_any_host
        await (self._app if is_for_any else self._checked)(scope, receive, send)


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
