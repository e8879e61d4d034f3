"""Runs as a zip file: everything recorded of them, their final weights, and the code to train them again."""

import io
import re
import zipfile
from collections.abc import Iterable

import pandas as pd

from bnlab.runs.event_files import event_file, event_file_name
from bnlab.runs.frames import history_frame, layers_frame, moments_frame, steps_frame
from bnlab.runs.journal import read_checkpoint
from bnlab.runs.readme import readme_text
from bnlab.runs.run import Run
from bnlab.runs.store import Store
from bnlab.runs.warm import warm_up
from bnlab.spec.keras_code import training_script

LONGEST_NAME = 60
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # a zip's own epoch: the same runs give the same file


def export_runs(store_url: str, digests: tuple[str, ...]) -> bytes:
    """What `export_zip` makes, on a worker: a task for `Lab.submit`."""
    warm_up()
    store = Store(store_url)
    try:
        return export_zip(store, digests)
    finally:
        store.engine.dispose()


def export_zip(store: Store, digests: Iterable[str]) -> bytes:
    """A zip file with a folder for each run of `digests` that exists; imports Keras where a run has weights.

    Each folder has spec.json, history, metrics, validation and layers as tables, an event file for TensorBoard,
    train.py, a README.txt and, if the run has a checkpoint, model.keras.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for run in sorted(store.runs(digests), key=folder_name):
            for name, data in sorted(_run_files(store, run).items()):
                entry = zipfile.ZipInfo(f"{folder_name(run)}/{name}", _EARLIEST)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, data)
    return content.getvalue()


def folder_name(run: Run) -> str:
    """`{label}-{digest}` in letters, digits, points and dashes, which every file system takes."""
    label = re.sub(r"[^A-Za-z0-9.]+", "-", run.label)[:LONGEST_NAME].strip("-.")
    return f"{label or 'run'}-{run.digest}"


def _run_files(store: Store, run: Run) -> dict[str, str | bytes]:
    checkpoint = read_checkpoint(store, run.digest)
    files: dict[str, str | bytes] = {
        "README.txt": readme_text(run, checkpoint.step if checkpoint else None),
        "spec.json": run.spec.model_dump_json(indent=2) + "\n",
        "train.py": training_script(run.spec),
        "history.csv": history_frame(store, run).to_csv(index=False, lineterminator="\n"),
        event_file_name(run): event_file(store, run),
    }
    for name, frame in _tables(store, run).items():
        files[f"{name}.csv"] = frame.to_csv(index=False, lineterminator="\n")
        files[f"{name}.parquet"] = frame.to_parquet(index=False)
    if checkpoint is not None:
        from bnlab.model.saved_model import saved_model

        files["model.keras"] = saved_model(run.spec, checkpoint.arrays)
    return files


def _tables(store: Store, run: Run) -> dict[str, pd.DataFrame]:
    metrics = steps_frame(store, run.digest)
    metrics.insert(1, "epoch", metrics["step"] / run.spec.steps_per_epoch)
    return {
        "metrics": metrics,
        "validation": moments_frame(store, [run]).drop(columns="run"),
        "layers": layers_frame(store, run.digest),
    }
