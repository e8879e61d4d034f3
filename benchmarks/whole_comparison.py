"""Duration of the whole comparison on the command line, against four trainings by Keras `fit`."""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.step_times import train_all_by_fit


def compare_seconds(epochs: int) -> dict[str, float]:
    """Seconds for `python -m bnlab compare notebook` on a new store: as in its JSON output, and of its process."""
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "comparison.json"
        command = [sys.executable, "-m", "bnlab", "compare", "notebook", "--epochs", str(epochs), "--json", document]
        start = time.perf_counter()
        subprocess.run(
            command,
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"BNLAB_STORE": f"sqlite:///{folder}/bnlab.db"},
        )
        return {
            "wall_seconds": json.loads(document.read_text())["wall_seconds"],
            "process_seconds": time.perf_counter() - start,
        }


def fit_seconds(epochs: int) -> float:
    """Seconds for the same four networks by Keras `fit` in a new process, on all cores."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(train_all_by_fit, (epochs,))
