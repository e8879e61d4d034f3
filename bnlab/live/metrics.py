"""Figures of a running server in Prometheus's text format, for whoever operates it."""

import time
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bnlab.live.hub import Hub
from bnlab.runs.errors import StoreError
from bnlab.runs.run import RunState
from bnlab.runs.scheduler import Scheduler

LAG_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds; an update is meant to be with its viewers half a second after the commit."""


def metrics_route(hub: Hub, scheduler: Callable[[], Scheduler], base: str) -> BaseRoute:
    """The route ``/metrics`` below the app's base path, of one server.

    Args:
        hub: its updates are observed from now on.
        scheduler: asked at each request; it may raise a StoreError.
        base: empty or like ``/lab``.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_ServerCollector(hub, scheduler))
    lag = Histogram(
        "bnlab_update_lag_seconds",
        "From a run's commit to the update that shows it.",
        registry=registry,
        buckets=LAG_BUCKETS,
    )
    hub.on_update = lambda commits: _observe(lag, commits)

    def serve(_request: Request) -> Response:  # not a coroutine: Starlette calls it in a thread
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Route(f"{base}/metrics", serve)


def _observe(lag: Histogram, commits: Iterable[float]) -> None:
    now = time.time()
    for commit in commits:
        lag.observe(max(now - commit, 0.0))


class _ServerCollector:
    """What is read when it is asked for; a store that is away leaves out what is in it."""

    def __init__(self, hub: Hub, scheduler: Callable[[], Scheduler]) -> None:
        self._hub, self._scheduler = hub, scheduler

    def collect(self) -> Iterator[Metric]:
        """The present figures."""
        yield GaugeMetricFamily("bnlab_viewers", "Open event streams, one for each visible tab.", self._hub.watchers)
        yield GaugeMetricFamily("bnlab_views", "Different views that are watched.", self._hub.views)
        try:
            yield from self._stored()
        except StoreError:
            yield GaugeMetricFamily("bnlab_store_up", "Whether the store can be read.", 0)

    def _stored(self) -> Iterator[Metric]:
        scheduler = self._scheduler()
        counts = scheduler.store.count_runs()
        waiting = len(scheduler.queue())
        yield GaugeMetricFamily("bnlab_store_up", "Whether the store can be read.", 1)
        runs = GaugeMetricFamily("bnlab_runs", "Runs in the store.", labels=["state"])
        for state in RunState:
            runs.add_metric([state.value.lower()], counts.get(state.value, 0))
        yield runs
        yield GaugeMetricFamily("bnlab_queue", "Runs that wait for their first slice.", waiting)
        yield GaugeMetricFamily("bnlab_workers", "Workers that this server gives runs to.", scheduler.workers)
