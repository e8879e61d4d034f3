"""The headers of all answers, and the addresses that are closed."""

from collections.abc import Sequence

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bnlab.live.security import security_middleware
from tests.asgi import get

PATHS = ("/lab/page", "/lab/_stcore/metrics", "/lab/_stcore/health", "/lab/ready")


def app(frame_ancestors: str = "'self'", allowed_hosts: Sequence[str] = ()) -> Starlette:
    routes = [Route(path, lambda _: PlainTextResponse("here")) for path in PATHS]
    return Starlette(routes=routes, middleware=security_middleware("/lab", frame_ancestors, allowed_hosts))


def policy_of(served: Starlette, path: str = "/lab/page") -> dict[str, str]:
    """The sources of the Content-Security-Policy by directive."""
    directives = get(served, path).headers["content-security-policy"].split("; ")
    return {name: sources for name, _, sources in (directive.partition(" ") for directive in directives)}


@pytest.mark.parametrize("path", ["/lab/page", "/lab/nothing", "/lab/_stcore/metrics"])
def test_every_answer_has_the_headers(path: str) -> None:
    headers = get(app(), path).headers
    assert policy_of(app(), path)["frame-ancestors"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("setting", "policy"),
    [
        ("'self' https://lms.example", "'self' https://lms.example"),
        ("'self'; script-src *", "'self' script-src *"),
        ("a\r\nx-other: b", "a x-other: b"),
    ],
)
def test_a_deployment_chooses_who_may_show_it_in_a_frame_and_nothing_else(setting: str, policy: str) -> None:
    assert policy_of(app(setting)) == policy_of(app()) | {"frame-ancestors": policy}


@pytest.mark.parametrize("path", ["/lab/_stcore/metrics", "/lab/_stcore/metrics/"])
def test_streamlits_metrics_are_closed(path: str) -> None:
    assert get(app(), path).status == 404
    assert get(app(), "/lab/page").text == "here"


def test_nothing_is_loaded_from_elsewhere() -> None:
    policy = policy_of(app())
    assert not [name for name, sources in policy.items() if {"*", "http:", "https:"} & set(sources.split())]
    assert (policy["default-src"], policy["object-src"], policy["base-uri"]) == ("'self'", "'none'", "'self'")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("lab.example", 200),
        ("lab.example:8501", 200),
        ("LAB.example", 200),
        ("a.school.example", 200),
        ("evil.example", 400),
        ("lab.example.evil.example", 400),
        ("school.example", 400),
    ],
)
def test_other_hosts_are_refused_where_hosts_are_named(host: str, status: int) -> None:
    named = app(allowed_hosts=["lab.example", "*.school.example"])
    answer = get(named, "/lab/page", host=host)
    assert answer.status == status
    assert "content-security-policy" in answer.headers
    assert get(app(), "/lab/page", host=host).status == 200


@pytest.mark.parametrize("path", ["/lab/ready", "/lab/_stcore/health"])
def test_health_checks_may_use_any_name(path: str) -> None:
    assert get(app(allowed_hosts=["lab.example"]), path, host="localhost:8501").status == 200
