"""Files to download, each under an address of its own.

What an address stands for does not depend on what a page draws: it answers also while, and after, its page is rendered
again. Streamlit's download buttons offer another address each time, and the one before is refused.
"""

import mimetypes
import secrets
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode
from weakref import WeakValueDictionary

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bnlab.charts.results_table import measured_runs, results_table
from bnlab.live.compare import CompareView
from bnlab.live.routes import Parameters, parse_parameters
from bnlab.runs.errors import StoreError
from bnlab.runs.latencies import last_measured
from bnlab.runs.reader import last_evaluated_steps
from bnlab.runs.run import Run
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store

RESULTS = "bnlab-results.csv"


def results_url(base: str, parameters: Parameters) -> str:
    """The address of the table of results of the comparison in a page's parameters."""
    return f"{base}/download/{RESULTS}?{urlencode(parameters, doseq=True)}"


def results_csv(store: Store, view: CompareView) -> str:
    """The table of results with all columns and digits; latencies are in milliseconds."""
    found = store.find(spec for specs in view.specs.values() for spec in specs)
    runs: dict[str, Sequence[Run]] = {
        label: [found[spec.digest] for spec in specs if spec.digest in found] for label, specs in view.specs.items()
    }
    measured = measured_runs(runs, last_evaluated_steps(store, list(found)))
    frame = results_table(store, measured, view.settings.baseline, last_measured(store))
    latencies = [name for name in frame.columns if name.startswith("latency_")]
    return frame.assign(**{name: frame[name] * 1e3 for name in latencies}).to_csv(index=False)


def results_route(scheduler: Callable[[], Scheduler], base: str) -> BaseRoute:
    """The route of `results_url`: the table at the time of the request."""

    def results(request: Request) -> Response:  # not a coroutine: Starlette calls it in a thread
        view = CompareView.from_url(parse_parameters(request))
        try:
            store = scheduler().store
            if view.without_results:
                return PlainTextResponse("This lesson hides the results.", 403)
            if view.hides_results(store):
                return PlainTextResponse("The results of this lesson have not been revealed.", 403)
            content = results_csv(store, view)
        except StoreError as error:
            return PlainTextResponse(str(error), 503)
        return _file(content, RESULTS)

    return Route(f"{base}/download/{RESULTS}", results)


class Download:
    """A file in memory, with its address. It can be downloaded as long as this object exists."""

    def __init__(self, content: bytes, name: str, url: str) -> None:
        """`name` is what a browser saves it as."""
        self.content, self.name, self.url = content, name, url


class Downloads:
    """The files that sessions offer. Their addresses cannot be guessed."""

    def __init__(self, base: str) -> None:
        """`base` is the app's base path, empty or like ``/lab``."""
        self._base = base
        self._files: WeakValueDictionary[str, Download] = WeakValueDictionary()

    def offer(self, content: bytes, name: str) -> Download:
        """A download of `content`."""
        token = secrets.token_urlsafe(16)
        download = self._files[token] = Download(content, name, f"{self._base}/download/{token}/{name}")
        return download

    def route(self) -> BaseRoute:
        """The route that serves the files."""

        async def serve(request: Request) -> Response:
            download = self._files.get(request.path_params["token"])
            if download is None:
                raise HTTPException(404, "This file is no longer kept: make it again.")
            return _file(download.content, download.name)

        return Route(f"{self._base}/download/{{token}}/{{name}}", serve)


def _file(content: bytes | str, name: str) -> Response:
    headers: Mapping[str, str] = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=mimetypes.guess_type(name)[0] or "application/octet-stream", headers=headers)
