"""Owners of runs: names of schedulers, which tell whether the process has ended and whether two share a machine.

A run's owner is the scheduler that holds its lease. A lease that has not expired is taken over only from an owner that
has certainly ended.
"""

import os
import socket
import sys
import uuid
from functools import cache
from pathlib import Path

import psutil


def new_owner() -> str:
    """A unique name for a scheduler of this process: process space, process id, start time, and a random token."""
    return f"{_process_space()}:{_process_key(os.getpid())}:{uuid.uuid4().hex[:8]}"


def has_owner_ended(owner: str) -> bool:
    """Whether `owner` was a process of this process space that has ended; False where its lease alone can tell."""
    space, pid, start, _token = owner.rsplit(":", 3) if owner.count(":") >= 3 else ("", "", "", "")
    if not space or space != _process_space() or not pid.isdigit():
        return False
    return f"{pid}:{start}" != _process_key(int(pid))


def may_share_machine(first: str, second: str) -> bool:
    """Whether two owners may be processes of one machine: they are not if they know of different boots."""
    boots = [owner.rsplit(":", 3)[0].partition("/")[0] if owner.count(":") >= 3 else "" for owner in (first, second)]
    return not all(boots) or boots[0] == boots[1]


@cache
def _process_space() -> str:
    """What process ids refer to: this boot of this machine and, on Linux, the PID namespace; empty if not known.

    The name of the host does not do: containers may share it, and not their processes.
    """
    try:
        if sys.platform != "linux":
            return f"{socket.gethostname()}/{psutil.boot_time():.0f}"
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except (OSError, psutil.Error):
        return ""


def _process_key(pid: int) -> str:
    """Process id and start time, which together are never reused; empty if there is no such process."""
    try:
        return f"{pid}:{psutil.Process(pid).create_time():.2f}"
    except psutil.NoSuchProcess:
        return ""
