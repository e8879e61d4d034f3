"""Prediction latencies of networks: measured by turns while nothing else is done, and kept by network.

A latency does not depend on the weights, so networks are identified by `prediction_key`: identical ones share a value,
whatever trained them, and recorded runs, which have no weights, have one as well.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress

from distributed import Client, Future, get_worker
from sqlalchemy import delete, func, insert, select

from bnlab.runs.errors import StoreError
from bnlab.runs.schema import network_latencies
from bnlab.runs.store import Store
from bnlab.runs.worker import set_up_worker
from bnlab.runs.worker_store import open_worker_store
from bnlab.specs.network import prediction_key
from bnlab.specs.run_spec import RunSpec

QUIET_SECONDS = 1.0
"""How long nothing else may have been done before networks are measured: pages are drawn when training ends."""
POLL_SECONDS = 0.2
"""How often a measurement looks for work that it has to give way to."""
RESULT_SECONDS = 60
"""How long fetching a result from a worker may take."""

Latencies = Mapping[str, Mapping[int, float]]
"""By network (`prediction_key`): the seconds that predicting one batch takes, by batch size."""


def read_latencies(store: Store, networks: Collection[str]) -> Latencies:
    """The latencies of those `networks` that have been measured."""
    table = network_latencies
    query = select(table).where(table.c.network.in_(networks)).order_by(table.c.batch_size)
    latencies: defaultdict[str, dict[int, float]] = defaultdict(dict)
    with store.engine.connect() as connection:
        for row in connection.execute(query):
            latencies[row.network][row.batch_size] = row.seconds
    return dict(latencies)


def last_measured(store: Store) -> float:
    """The time of the last measurement in seconds since the epoch, 0 if there was none: tells what is out of date."""
    with store.engine.connect() as connection:
        return connection.scalar(select(func.max(network_latencies.c.measured_at))) or 0.0


def write_latencies(store: Store, latencies: Latencies) -> None:
    """Store the latencies of one measurement, replacing earlier ones of the same networks."""
    now = time.time()
    rows = [
        {"network": network, "batch_size": size, "seconds": seconds, "measured_at": now}
        for network, by_size in latencies.items()
        for size, seconds in by_size.items()
    ]
    with store.engine.begin() as connection:
        connection.execute(delete(network_latencies).where(network_latencies.c.network.in_(latencies)))
        if rows:
            connection.execute(insert(network_latencies), rows)


def measure_latencies(store_url: str, specs: Mapping[str, RunSpec]) -> Latencies | None:
    """Measure the networks of `specs`, which are by network, by turns: what the scheduler has a worker call.

    Returns:
        The latencies; None if it gave way, because a run was launched or another call waits for this worker.
    """
    set_up_worker()
    from bnlab.training.diagnostics.timing import time_networks

    latencies = time_networks(list(specs.values()), _poller(open_worker_store(store_url)))
    return None if latencies is None else dict(zip(specs, latencies, strict=True))


def _poller(store: Store) -> Callable[[], bool]:
    """A function that says whether there is other work, and looks for it every POLL_SECONDS."""
    polled, found = float("-inf"), False

    def has_other_work() -> bool:
        nonlocal polled, found
        if not found and time.monotonic() - polled >= POLL_SECONDS:
            found = bool(store.leaseholders()) or _is_awaited()
            polled = time.monotonic()
        return found

    return has_other_work


def _is_awaited() -> bool:
    """Whether another call waits for this worker to be free."""
    with suppress(ValueError):  # this is no worker
        return bool(get_worker().state.ready)
    return False


class LatencyRequests:
    """The networks that pages ask for. `request` may be called from any thread, the rest from the scheduler's only.

    All of them are measured in one call, by turns, while no run is active and no task is done. If there is other work
    before it ends, its result is dropped, and they are measured when that work is done.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()  # guards _requested
        self._requested: dict[frozenset[str], dict[str, RunSpec]] = {}  # each with what a page showed together
        self._failed: set[str] = set()
        self._running: Future[Latencies | None] | None = None
        self._measured: dict[str, RunSpec] = {}  # the networks of the call that is running
        self._was_disturbed = False
        self._quiet_since = time.monotonic()

    def request(self, specs: Iterable[RunSpec]) -> bool:
        """Have the networks of `specs` measured together, unless all of them have latencies; returns at once.

        Returns:
            Whether they are going to be measured.
        """
        networks = {prediction_key(spec): spec for spec in specs}
        networks = {network: spec for network, spec in networks.items() if network not in self._failed}
        if networks.keys() <= read_latencies(self._store, networks).keys():
            return False
        with self._lock:
            if frozenset(networks) not in self._requested:
                self._requested[frozenset(networks)] = networks
                self._quiet_since = time.monotonic()
        return True

    def update(
        self,
        client: Client,
        is_idle: Callable[[], bool],
        on_done: Callable[[object], None],
        workers: Collection[str] | None = None,
    ) -> None:
        """Start or end a measurement if it is time; `on_done` is called as a call ends.

        `is_idle` says whether no run is active and no task is done; it is asked only if there are requests. `workers`
        are the addresses of those that may measure, by default all.
        """
        if not self._requested:
            return
        idle = is_idle()
        if not idle:
            self._quiet_since = time.monotonic()
            self._was_disturbed = True
        if self._running is not None and self._running.done():
            running, self._running = self._running, None
            self._finish(running)
        is_quiet = idle and time.monotonic() - self._quiet_since >= QUIET_SECONDS
        if is_quiet and self._running is None and self._requested:
            with self._lock:
                self._measured = {key: spec for request in self._requested.values() for key, spec in request.items()}
            self._was_disturbed = False
            allowed = {} if workers is None else {"workers": list(workers)}
            self._running = client.submit(measure_latencies, self._store.url, self._measured, pure=False, **allowed)
            self._running.add_done_callback(on_done)

    def forget_running(self) -> None:
        """Measure again what was being measured, as when the cluster is lost."""
        self._running = None

    def _finish(self, running: "Future[Latencies | None]") -> None:
        if running.status == "error":
            if not isinstance(running.exception(), StoreError):
                self._failed |= self._measured.keys()
            self._remove_measured()
            return
        latencies = running.result(timeout=RESULT_SECONDS) if running.status == "finished" else None
        if latencies is None or self._was_disturbed:
            self._quiet_since = time.monotonic()
            return
        write_latencies(self._store, latencies)
        self._remove_measured()

    def _remove_measured(self) -> None:
        with self._lock:
            self._requested = {
                networks: specs for networks, specs in self._requested.items() if not networks <= self._measured.keys()
            }
