"""The hub: reads the store for everything that is watched, and hands each view's events to all who watch it."""

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

from bnlab.live.events import Document, difference, encode, event
from bnlab.live.reading import Reader, Reading
from bnlab.live.views import View
from bnlab.runs.activity import Activity
from bnlab.runs.progress import STALE_SECONDS
from bnlab.runs.run import Run, RunState
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

    All methods belong to the event loop's thread; only the updates are made in another one.
    """

    def __init__(self, scheduler: Callable[[], Scheduler]) -> None:
        """`scheduler` returns the app's scheduler; it is asked at each update, and may raise while there is none."""
        self._reader = Reader(scheduler)
        self._channels: dict[View, Channel] = {}
        self._wake = asyncio.Event()
        self._closed = asyncio.Event()

    @property
    def watchers(self) -> int:
        """How many streams are open."""
        return sum(channel.watchers for channel in self._channels.values())

    async def watch(self, view: View, last_event_id: str = "") -> AsyncGenerator[bytes, None]:
        """The events of a view, without end: a snapshot, unless the reader has had it by its last event's id."""
        channel = self._channels.setdefault(view, Channel(view))
        channel.watchers += 1
        self._wake.set()
        try:
            seen = channel.number_of(last_event_id)
            while not self._closed.is_set():
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
        with ThreadPoolExecutor(1, "bnlab-hub") as executor:
            while not self._closed.is_set():
                pause = await self._update(executor) if self._channels else None
                await self._sleep(pause)

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
            updates = await asyncio.get_running_loop().run_in_executor(executor, self._compute, channels)
        except Exception as error:
            logger.warning("A live update failed and is tried again: %s", type(error).__name__)
            logger.debug("The failed live update:", exc_info=True)
            return RETRY_SECONDS
        for channel, document, change in updates:
            channel.publish(document, change)
        return max(UPDATE_SECONDS, time.monotonic() - began)

    def _compute(self, channels: Sequence[Channel]) -> list[tuple[Channel, Document, bytes]]:
        """The new documents of those channels that have changed, with the events that lead to them."""
        reading = self._reader.read({digest for channel in channels for digest in channel.view.digests})
        inputs = {channel: _inputs(channel.view, reading) for channel in channels}
        changed = [channel for channel in channels if inputs[channel] != channel.inputs]
        runs = {digest for channel in changed for digest in channel.view.digests} & reading.runs.keys()
        reading.curves.read([reading.runs[digest] for digest in runs])  # at once for all views
        updates = []
        for channel in changed:
            document = channel.view.document(reading)
            change = channel.change(document)
            channel.inputs = inputs[channel]
            if change is not None:
                updates.append((channel, document, change))
        return updates


def _inputs(view: View, reading: Reading) -> object:
    """Everything in a reading on which the view's document depends."""
    runs = [reading.runs[digest] for digest in view.digests if digest in reading.runs]
    silence = [_silent_seconds(run, reading.time) for run in runs]
    queue = [reading.queue.get(run.digest) for run in runs]
    activity = [_activity(run, reading.activity) for run in runs]
    shares = [reading.shares.get(run.digest) for run in runs]
    return runs, queue, activity, shares, silence, reading.problem, reading.measured_at


def _activity(run: Run, activity: Activity) -> tuple[bool, bool]:
    """Whether a worker trains the run, and whether it has a speed, which itself changes at every reading."""
    return run.digest in activity.training, bool(activity.speeds.get(run.digest))


def _silent_seconds(run: Run, now: float) -> int:
    """Whole seconds without a commit of a run in training, 0 until they are shown."""
    seconds = now - run.updated_at
    return int(seconds) if run.state is RunState.RUNNING and seconds > STALE_SECONDS else 0
