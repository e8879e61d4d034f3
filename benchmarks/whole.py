"""The whole comparison, from the start of the command to its last table, against four Keras fits."""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.step import whole_fit


def compare_seconds(epochs: int) -> dict[str, float]:
    """Seconds for `python -m bnlab compare notebook` on a new store, as its JSON says and as a process."""
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "comparison.json"
        command = [sys.executable, "-m", "bnlab", "compare", "notebook", "--epochs", str(epochs), "--json", document]
        began = time.perf_counter()
        subprocess.run(
            command,
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"BNLAB_STORE": f"sqlite:///{folder}/bnlab.db"},
        )
        return {
            "wall_seconds": json.loads(document.read_text())["wall_seconds"],
            "process_seconds": time.perf_counter() - began,
        }


def fit_seconds(epochs: int) -> float:
    """Seconds for the same four networks by Keras `fit` in a fresh process, with all cores."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(whole_fit, (epochs,))
