"""The app, with a clock around what each tick of the Compare page runs; ``BNLAB_CLOCK`` names the file it writes."""

import functools
import json
import os
import runpy
import time
from collections.abc import Callable
from pathlib import Path

from bnlab.ui.compare import page as compare
from bnlab.ui.navigation import ROOT

Body = Callable[..., None]


def clocked(body: Body) -> Body:
    """`body`, which then also notes its milliseconds and the whole process's processor time as it began."""

    @functools.wraps(body)
    def measured(*arguments: object) -> None:
        server, thread, began = time.process_time(), time.thread_time(), time.perf_counter()
        body(*arguments)
        noted = {
            "body_ms": (time.perf_counter() - began) * 1e3,
            "body_cpu_ms": (time.thread_time() - thread) * 1e3,
            "server_cpu_ms_before": server * 1e3,
        }
        with Path(os.environ["BNLAB_CLOCK"]).open("a") as clock:
            clock.write(json.dumps(noted) + "\n")

    return measured


if not hasattr(compare._render_tick, "__wrapped__"):  # the script runs anew for every session and rerun
    compare._render_tick = clocked(compare._render_tick)
runpy.run_path(str(ROOT / "app.py"))
