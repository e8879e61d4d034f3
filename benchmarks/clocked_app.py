"""The app with every tick of the Compare page timed; ``BNLAB_CLOCK`` is the path of the file with the results."""

import functools
import json
import os
import runpy
import time
from collections.abc import Callable
from pathlib import Path

from bnlab.ui.compare import page as compare
from bnlab.ui.navigation import ROOT

Tick = Callable[..., None]


def timed(tick: Tick) -> Tick:
    """`tick`, which also appends its wall time and CPU time, and the CPU time of the process before it, to the file."""

    @functools.wraps(tick)
    def timed_tick(*arguments: object) -> None:
        server_cpu, thread_cpu, start = time.process_time(), time.thread_time(), time.perf_counter()
        tick(*arguments)
        times = {
            "body_ms": (time.perf_counter() - start) * 1e3,
            "body_cpu_ms": (time.thread_time() - thread_cpu) * 1e3,
            "server_cpu_ms_before": server_cpu * 1e3,
        }
        with Path(os.environ["BNLAB_CLOCK"]).open("a") as file:
            file.write(json.dumps(times) + "\n")

    return timed_tick


if not hasattr(compare._render_tick, "__wrapped__"):  # this script runs again in every session and at every rerun
    compare._render_tick = timed(compare._render_tick)
runpy.run_path(str(ROOT / "app.py"))
