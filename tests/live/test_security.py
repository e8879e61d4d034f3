"""The headers of all answers, and the addresses that are closed."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bnlab.live.security import security_middleware
from tests.asgi import get


def app(frame_ancestors: str = "'self'") -> Starlette:
    routes = [Route(path, lambda _: PlainTextResponse("here")) for path in ("/lab/page", "/lab/_stcore/metrics")]
    return Starlette(routes=routes, middleware=security_middleware("/lab", frame_ancestors))


@pytest.mark.parametrize("path", ["/lab/page", "/lab/nothing", "/lab/_stcore/metrics"])
def test_every_answer_has_the_headers(path: str) -> None:
    headers = get(app(), path).headers
    assert headers["content-security-policy"] == "frame-ancestors 'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("setting", "policy"),
    [
        ("'self' https://lms.example", "frame-ancestors 'self' https://lms.example"),
        ("'self'; script-src *", "frame-ancestors 'self' script-src *"),
        ("a\r\nx-other: b", "frame-ancestors a x-other: b"),
    ],
)
def test_a_deployment_chooses_who_may_show_it_in_a_frame_and_nothing_else(setting: str, policy: str) -> None:
    assert get(app(setting), "/lab/page").headers["content-security-policy"] == policy


@pytest.mark.parametrize("path", ["/lab/_stcore/metrics", "/lab/_stcore/metrics/"])
def test_streamlits_metrics_are_closed(path: str) -> None:
    assert get(app(), path).status == 404
    assert get(app(), "/lab/page").text == "here"
