"""Who looks after a run: the name of a lab, and whether it can still be alive."""

import os
import socket
import uuid

import psutil


def new_owner() -> str:
    """A name for a lab in this process: host, process, its start, and a token."""
    return f"{socket.gethostname()}:{_process(os.getpid())}:{uuid.uuid4().hex[:8]}"


def is_dead(owner: str) -> bool:
    """Whether `owner` was a process of this host that has ended; False where this cannot be told."""
    host, pid, start, _token = owner.rsplit(":", 3) if owner.count(":") >= 3 else ("", "", "", "")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    return f"{pid}:{start}" != _process(int(pid))


def _process(pid: int) -> str:
    try:
        return f"{pid}:{psutil.Process(pid).create_time():.2f}"
    except psutil.NoSuchProcess:
        return ""
