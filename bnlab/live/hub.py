"""The hub: reads the store for everything that is watched, and hands each view's events to all who watch it."""

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from typing import Any

from bnlab.claims.service import ClaimService
from bnlab.live.events import Document, difference, encode, event
from bnlab.live.reading import DEFAULT_VERSION, Reader
from bnlab.live.tasks import find_task
from bnlab.live.views import View
from bnlab.runs.errors import DamagedError, StoreError
from bnlab.runs.run import Run
from bnlab.runs.scheduler import Scheduler

UPDATE_SECONDS = 0.25
"""The time between two updates. It grows with the time that an update takes, so that the hub never takes a core."""
RETRY_SECONDS = 2.0
"""The pause after an update that failed, for example because the store was away."""
HEARTBEAT = b":\n\n"
HEARTBEAT_SECONDS = 15.0
"""After how long without an event a comment is sent, so that no proxy takes the connection for dead."""
MAX_MISSED = 32
"""How many changes are kept for a reader that fell behind or lost its connection; after more it gets a snapshot."""
SECONDS_PER_RENDERING = 0.1
"""Over how many seconds pages are rendered again, times their number: so that scripts take less than half a core."""
MAX_SPREAD_SECONDS = 20.0
STORE_AWAY = "store away"
"""The version of all documents' `page` after two updates that failed: pages say why when they are rendered again."""

logger = logging.getLogger(__name__)


class Channel:
    """One view with its numbered events: each is encoded once, for all who watch it.

    An event's id is the channel's name and the number of the document to which the event leads.
    """

    def __init__(self, view: View) -> None:
        """A channel without a document, which the hub's next update brings."""
        self.view = view
        self.name = secrets.token_hex(4)
        self.watchers = 0
        self.number = 0
        self.document: Document = {}
        self.inputs: object = None
        self._changes: deque[tuple[int, bytes]] = deque(maxlen=MAX_MISSED)
        self._next = asyncio.Event()

    def change(self, document: Document) -> bytes | None:
        """The event that leads from the present document to `document`; None if they are equal."""
        patch = difference(self.document, document)
        return event("change", self._id(self.number + 1), patch) if patch or not self.number else None

    def publish(self, document: Document, change: bytes) -> None:
        """Make `document` the present one and wake the readers."""
        self.number += 1
        self.document = document
        self._changes.append((self.number, change))
        self.__dict__.pop("snapshot", None)
        self.wake()

    def wake(self) -> None:
        """End the wait of all readers."""
        awaited, self._next = self._next, asyncio.Event()
        awaited.set()

    @cached_property
    def snapshot(self) -> bytes:
        """The present document as one event."""
        return event("snapshot", self._id(self.number), encode(self.document))

    def number_of(self, identifier: str) -> int:
        """The number in an event's id; 0 if the event is not one of this channel."""
        name, _, number = identifier.partition("-")
        return int(number) if name == self.name and number.isdecimal() else 0

    def events_after(self, number: int) -> Sequence[bytes]:
        """The events that lead from the document `number` to the present one; 0 is for a reader that has none."""
        if number == self.number:
            return []
        missed = [change for position, change in self._changes if position > number]
        return missed if number and len(missed) == self.number - number else [self.snapshot]

    async def wait(self, seconds: float) -> bool:
        """Wait for the next document; False if there was none for `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._next.wait()
        except TimeoutError:
            return False
        return True

    def _id(self, number: int) -> str:
        return f"{self.name}-{number}"


class Hub:
    """Updates the views that are watched, together, and reads nothing while there are none.

    All methods belong to the event loop's thread; only the updates are made in another one. Its properties may be read
    in any thread.
    """

    def __init__(self, scheduler: Callable[[], Scheduler], claim_service: Callable[[], ClaimService]) -> None:
        """The app's scheduler and claims; they are asked for at each update, and may raise a StoreError."""
        self._reader = Reader(scheduler, claim_service)
        self._failures = 0
        self._channels: dict[View, Channel] = {}
        self._commits: dict[str, float] = {}  # of watched runs, by digest
        self._is_running = False
        self.on_update: Callable[[Sequence[float]], None] = lambda _commits: None
        """Called after an update with the times of the commits that are new in it, in seconds since the epoch."""
        self._wake = asyncio.Event()
        self._closed = asyncio.Event()

    @property
    def watchers(self) -> int:
        """How many streams are open."""
        return sum(channel.watchers for channel in list(self._channels.values()))

    @property
    def views(self) -> int:
        """How many different views are watched."""
        return len(self._channels)

    @property
    def is_running(self) -> bool:
        """Whether views are updated: from the start of `run` until the hub is closed."""
        return self._is_running and not self._closed.is_set()

    async def watch(
        self, view: View, last_event_id: str = "", tasks: Iterable[str] = ()
    ) -> AsyncGenerator[bytes, None]:
        """The events of a view, without end: a snapshot, unless the reader has had it by its last event's id.

        `tasks` are identifiers of `bnlab.live.tasks`; each has an event "ready" when it is done or no longer there.
        """
        channel = self._channels.setdefault(view, Channel(view))
        channel.watchers += 1
        self._wake.set()
        pending = dict.fromkeys(tasks)
        for identifier in pending:
            _wake_when_done(find_task(identifier), channel)
        try:
            seen = channel.number_of(last_event_id)
            while not self._closed.is_set():
                for identifier in [identifier for identifier in pending if _is_done(identifier)]:
                    del pending[identifier]
                    yield event("ready", "", identifier)
                if seen == channel.number:
                    if not await channel.wait(HEARTBEAT_SECONDS):
                        yield HEARTBEAT
                    continue
                changes, seen = channel.events_after(seen), channel.number  # there may be more before all are sent
                for change in changes:
                    yield change
        finally:
            channel.watchers -= 1
            if not channel.watchers and self._channels.get(view) is channel:
                del self._channels[view]

    async def run(self) -> None:
        """Update the views until the hub is closed."""
        self._is_running = True
        try:
            with ThreadPoolExecutor(1, "bnlab-hub") as executor:
                while not self._closed.is_set():
                    pause = await self._update(executor) if self._channels else None
                    await self._sleep(pause)
        finally:
            self._is_running = False

    def close(self) -> None:
        """End all streams, so that the server can end: it waits for its connections."""
        self._closed.set()
        self._wake.set()
        for channel in self._channels.values():
            channel.wake()

    async def _sleep(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _update(self, executor: ThreadPoolExecutor) -> float:
        """Update all views; returns the seconds until the next update."""
        began = time.monotonic()
        channels = list(self._channels.values())
        try:
            updates, commits = await asyncio.get_running_loop().run_in_executor(executor, self._compute, channels)
        except Exception as error:
            logger.warning("A live update failed and is tried again: %s", type(error).__name__)
            logger.debug("The failed live update:", exc_info=True)
            for channel in channels:
                channel.inputs = None  # its document is computed again when the store is back
            self._failures += isinstance(error, StoreError)
            if self._failures > 1:
                _publish_away(channels)
            return RETRY_SECONDS
        self._failures = 0
        for channel, document, change in updates:
            channel.publish(document, change)
        self.on_update(commits)
        return max(UPDATE_SECONDS, time.monotonic() - began)

    def _compute(self, channels: Sequence[Channel]) -> tuple[list[tuple[Channel, Document, bytes]], list[float]]:
        """The new documents of those channels that have changed, with the events that lead to them; new commits."""
        watched = [channel.view.digests for channel in channels]
        digests = {digest for view_digests in watched for digest in view_digests or ()}
        reading = self._reader.read(digests, every_run=None in watched)
        inputs = {channel: channel.view.inputs(reading) for channel in channels}
        changed = [channel for channel in channels if inputs[channel] != channel.inputs]
        drawn = {digest for channel in changed for digest in channel.view.drawn_digests} & reading.runs.keys()
        with suppress(DamagedError):  # for the view that draws the damaged run
            reading.curves.read([reading.runs[digest] for digest in drawn])  # at once for all views
        documents: dict[Channel, Document] = {}
        for channel in changed:
            channel.inputs = inputs[channel]
            try:
                documents[channel] = channel.view.document(reading)
            except DamagedError as error:  # of what one view shows; its page says so when it is drawn
                logger.warning("A live view failed: %s", error)
            except StoreError:
                raise
            except Exception:  # of one view, for example because a run was deleted meanwhile: the others go on
                logger.exception("A live view failed")
        return _changes(documents), self._new_commits(reading.runs.values())

    def _new_commits(self, runs: Iterable[Run]) -> list[float]:
        """The times of the commits since the last update, of runs that were watched then."""
        before, self._commits = self._commits, {run.digest: run.updated_at for run in runs}
        return [time for digest, time in self._commits.items() if time > before.get(digest, time)]


def spread_seconds(pages: int) -> float:
    """Over how many seconds this number of pages is to be rendered again, each at a random moment."""
    return round(min(SECONDS_PER_RENDERING * pages, MAX_SPREAD_SECONDS), 1)


def _changes(documents: Mapping[Channel, Document]) -> list[tuple[Channel, Document, bytes]]:
    """The documents that have changed, with the events that lead to them.

    Where a `page` is another one than before, a document's `spread` is the time in which such pages are rendered again.
    """
    outdated = [
        channel for channel, document in documents.items() if document.get("page") != channel.document.get("page")
    ]
    spread = spread_seconds(sum(channel.watchers for channel in outdated))
    changes = []
    for channel, shown in documents.items():
        kept = spread if channel in outdated else channel.document.get("spread", spread)
        document = {**shown, "spread": kept} if "page" in shown else shown
        if (change := channel.change(document)) is not None:
            changes.append((channel, document, change))
    return changes


def _publish_away(channels: Iterable[Channel]) -> None:
    """Have the pages of these channels rendered again, which says that the store is away; once."""
    documents = {channel: dict(channel.document) | {"page": {DEFAULT_VERSION: STORE_AWAY}} for channel in channels}
    for channel, document, change in _changes(
        {channel: document for channel, document in documents.items() if channel.number}
    ):
        channel.publish(document, change)


def _is_done(identifier: str) -> bool:
    task = find_task(identifier)
    return task is None or task.done()


def _wake_when_done(task: Future[Any] | None, channel: Channel) -> None:
    """Have the readers of `channel` look at their tasks when `task` is done, which another thread finds out."""
    loop = asyncio.get_running_loop()

    def wake(_done: Future[Any]) -> None:
        with suppress(RuntimeError):  # the server has ended
            loop.call_soon_threadsafe(channel.wake)

    if task is not None:
        task.add_done_callback(wake)
