"""The process of a server or a command: its limit of open files, and its end."""

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

EXIT_SECONDS = 3.0
"""How long a process may take to end by itself after a signal, so that it has ended within five on a busy machine."""


def raise_file_limit() -> int:
    """Raise the number of files that this process may open as far as it may; returns it, 0 where it is not known.

    The usual limit of 1,024 is reached by about 170 viewers: each has two connections and an event loop with three
    descriptors, and Streamlit keeps the loops of up to 128 closed sessions.
    """
    if sys.platform == "win32":
        return 0
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS allows less than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard
    return soft


def exit_after(seconds: float, before: Callable[[], None], status: int = 0) -> threading.Thread:
    """End this process with `status` and its children after `seconds`, whatever it is doing then.

    `before` is called first. The process may end by itself meanwhile: the thread that waits does not keep it alive.
    """

    def end() -> None:
        time.sleep(seconds)
        watched = threading.Thread(target=before, daemon=True)
        watched.start()
        watched.join(0.5)
        kill_children()
        os._exit(status)

    thread = threading.Thread(target=end, name="bnlab-exit", daemon=True)
    thread.start()
    return thread


def kill_children() -> None:
    """Kill all processes that this one has started, and theirs."""
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            child.kill()
