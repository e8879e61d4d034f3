"""The routes: event streams by the page's address, and files that browsers may keep."""

import json
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bnlab.live.compare import CompareView
from bnlab.live.hub import HEARTBEAT
from bnlab.live.routes import Assets, compressed_events, stream_route, stream_url
from tests.asgi import GZIP, Answer, get, run_async


class OneEvent:
    """A hub whose streams have one event: what is watched, and from where on."""

    async def watch(self, view: CompareView, last_event_id: str, tasks: list[str]) -> AsyncIterator[bytes]:
        data = {"seeds": view.comparison.seeds, "x": view.settings.x, "after": last_event_id, "tasks": tasks}
        yield f"data: {json.dumps(data)}\n\n".encode()


STREAMS = Starlette(routes=[stream_route(OneEvent(), "/lab")])  # type: ignore[arg-type]


def watched(answer: Answer) -> dict:
    assert answer.status == 200
    return json.loads(answer.text.split("data: ")[1])


def test_a_stream_is_what_its_address_says() -> None:
    answer = get(STREAMS, stream_url("/lab", "compare", {"seeds": ["2"], "x": ["step"]}))
    assert watched(answer) == {"seeds": 2, "x": "step", "after": "", "tasks": []}
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"


def test_a_stream_is_compressed_for_browsers() -> None:
    url = stream_url("/lab", "compare", {"seeds": ["2"]})
    answer = get(STREAMS, url, accept_encoding="gzip, br")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text == get(STREAMS, url).text


def test_compressed_events_are_whole_as_they_arrive() -> None:
    """Each reader gets the same compressed bytes of an event, whatever it was sent before."""
    change, snapshot = b"data: change\n\n" * 9, b"data: snapshot\n\n" * 5000
    early: list[bytes] = []
    late: list[bytes] = []

    async def read(events: list[bytes], parts: list[bytes]) -> None:
        async def sent() -> AsyncIterator[bytes]:
            for data in events:
                yield data

        parts.extend([part async for part in compressed_events(sent())])

    run_async(read([snapshot, HEARTBEAT, change], early))
    run_async(read([change], late))
    assert early[-1] is late[-1]
    for parts, expected in ((early, [b"", snapshot, HEARTBEAT, change]), (late, [b"", change])):
        reader = zlib.decompressobj(wbits=GZIP)
        assert [reader.decompress(part) for part in parts] == expected


def test_a_reader_returns_by_header_or_parameter() -> None:
    assert watched(get(STREAMS, "/lab/live/compare", last_event_id="ab-7"))["after"] == "ab-7"
    assert watched(get(STREAMS, "/lab/live/compare?last-event-id=ab-8"))["after"] == "ab-8"


def test_the_tasks_of_a_stream_are_not_part_of_its_view() -> None:
    answer = get(STREAMS, "/lab/live/compare?task=a&seeds=2&task=b")
    assert watched(answer) == {"seeds": 2, "x": "epoch", "after": "", "tasks": ["a", "b"]}


@pytest.mark.parametrize("path", ["/lab/live/nothing", "/live/compare", "/lab/live/compare/more"])
def test_other_addresses_are_not_found(path: str) -> None:
    assert get(STREAMS, path).status == 404


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.js"
    path.write_text("export default 1;")
    return path


def test_a_file_is_kept_by_browsers_under_an_address_of_its_content(script: Path) -> None:
    assets = Assets("/lab", {"script.js": script})
    app = Starlette(routes=[assets.route()])
    answer = get(app, assets.url("script.js"), accept_encoding="gzip, br")
    assert answer.text == "export default 1;"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    plain = get(app, assets.url("script.js"))
    assert plain.text == answer.text
    assert "content-encoding" not in plain.headers
    assert get(app, "/lab/assets/older/script.js").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["other.js", "..%2Fscript.js", "%2e%2e/script.js", ""])
def test_only_listed_files_are_served(name: str, script: Path) -> None:
    assets = Assets("", {"script.js": script})
    assert get(Starlette(routes=[assets.route()]), f"/assets/{assets.version}/{name}").status == 404


def test_another_content_is_another_address(script: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.js"
    other.write_text("export default 2;")
    first, second = (Assets("", {"script.js": path}).url("script.js") for path in (script, other))
    assert first != second


def test_web_pages_name_the_scripts_that_browsers_are_to_load_at_once(script: Path) -> None:
    async def page(_request: Request) -> Response:
        return HTMLResponse("<p>page</p>")

    assets = Assets("/lab", {"script.js": script})
    app = Starlette(routes=[Route("/lab/page", page), assets.route()], middleware=[assets.preload(["script.js"])])
    assert f"<{assets.url('script.js')}>; rel=preload; as=script" in get(app, "/lab/page").headers["link"]
    assert "link" not in get(app, assets.url("script.js")).headers
