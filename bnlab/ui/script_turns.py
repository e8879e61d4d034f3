"""A limit on how many scripts run at once: Python runs one thread at a time, and updates would wait for all of them.

Streamlit runs a script in a thread of its own for each session. Where a class opens its pages together, that would be
dozens of threads, and the event loop, which sends all updates, would rarely get to run.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

SCRIPTS = 3
"""How many scripts run at a time."""
PATIENCE_SECONDS = 5.0
"""After how long a script runs without a turn: those that have one may wait for a store that does not answer."""

_turns = threading.BoundedSemaphore(SCRIPTS)


@contextmanager
def script_turn() -> Iterator[None]:
    """Wait for a turn, and have it inside."""
    has_turn = _turns.acquire(timeout=PATIENCE_SECONDS)
    try:
        yield
    finally:
        if has_turn:
            _turns.release()
