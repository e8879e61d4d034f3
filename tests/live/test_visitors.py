"""The cookie of a visitor: sent once, with the first page, and never one that others could use or forge."""

from http.cookies import SimpleCookie

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bnlab.live.visitors import COOKIE, visitor_cookies
from bnlab.runs.errors import StoreError
from bnlab.runs.visitors import VisitorSigner
from tests.asgi import Answer, get

SIGNER = VisitorSigner("key")
PAGE = "text/html,application/xhtml+xml"


async def respond(_request: Request) -> Response:
    return PlainTextResponse("page", headers={"Cache-Control": "no-cache", "Set-Cookie": "other=1"})


APP = Starlette(routes=[Route("/", respond)], middleware=[visitor_cookies(lambda: SIGNER, "/lab")])


def cookie(answer: Answer) -> str:
    """The visitor's cookie that was sent, with its attributes; empty if there is none."""
    text = answer.headers["set-cookie"]
    return text if text.startswith(COOKIE) else ""


def test_a_browser_without_a_cookie_gets_one_that_is_read_back() -> None:
    sent = get(APP, "/", accept=PAGE)
    morsel = SimpleCookie(cookie(sent))[COOKIE]
    visitor = SIGNER.read(morsel.value)
    assert visitor
    assert (morsel["path"], morsel["samesite"], morsel["httponly"]) == ("/lab", "Lax", True)
    assert sent.headers["cache-control"] == "no-store"
    returned = get(APP, "/", accept=PAGE, cookie=f"a=b; {COOKIE}={morsel.value}")
    assert not cookie(returned)
    assert returned.headers["cache-control"] == "no-cache"
    assert SIGNER.read(SimpleCookie(cookie(get(APP, "/", accept=PAGE)))[COOKIE].value) != visitor


@pytest.mark.parametrize(
    ("in_frames", "scheme", "forwarded", "sites", "secure"),
    [
        (False, "https", "", "Lax", True),
        (True, "https", "", "None", True),
        (True, "http", "", "Lax", ""),
        (True, "http", "https", "None", True),
        (True, "http", "https, http", "None", True),
        (True, "http", "http", "Lax", ""),
    ],
)
def test_frames_of_other_sites_get_the_cookie_over_https(
    in_frames: bool, scheme: str, forwarded: str, sites: str, secure: object
) -> None:
    """A proxy with TLS may be on another machine, as that of Hugging Face Spaces."""
    app = Starlette(routes=[Route("/", respond)], middleware=[visitor_cookies(lambda: SIGNER, "", in_frames=in_frames)])
    text = cookie(get(app, "/", scheme, accept=PAGE, **{"x_forwarded_proto": forwarded} if forwarded else {}))
    morsel = SimpleCookie(text.replace("; Partitioned", ""))[COOKIE]  # which Python 3.11 does not know
    assert (morsel["samesite"], morsel["secure"]) == (sites, secure)
    assert ("Partitioned" in text) == (sites == "None")


@pytest.mark.parametrize("value", ["", "ann", "ann.forged", SIGNER.sign("ann")[:-1], '"\\000', "a;b=c=d"])
def test_a_cookie_that_was_not_signed_is_replaced(value: str) -> None:
    assert cookie(get(APP, "/", accept=PAGE, cookie=f"{COOKIE}={value}"))


@pytest.mark.parametrize("accept", ["*/*", "text/css", "text/event-stream"])
def test_only_pages_bring_a_cookie(accept: str) -> None:
    assert not cookie(get(APP, "/", accept=accept))


def test_without_a_store_there_is_a_page_without_a_cookie() -> None:
    def fail() -> VisitorSigner:
        raise StoreError("The store is away.")

    answer = get(Starlette(routes=[Route("/", respond)], middleware=[visitor_cookies(fail, "")]), "/", accept=PAGE)
    assert (answer.status, answer.text, cookie(answer)) == (200, "page", "")
