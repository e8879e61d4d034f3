"""Exporting runs as a zip file: their records and weights, code to train them again, and a README."""

import io
import re
import textwrap
import unicodedata
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime

import pandas as pd

from bnlab.runs.reader import evaluations_frame, history_frame, layers_frame, steps_frame
from bnlab.runs.run import Run
from bnlab.runs.store import Store
from bnlab.runs.tensorboard import event_file, event_file_name
from bnlab.runs.worker import set_up_worker
from bnlab.runs.worker_store import open_worker_store
from bnlab.runs.writer import read_checkpoint
from bnlab.specs.keras_code import evaluation_code, scaling_code, training_script

MAX_LINE_LENGTH = 100
MAX_NAME_LENGTH = 60
MAX_NAME_BYTES = 160
"""File systems allow 255 bytes a name."""
WINDOWS_DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in range(10))}
"""Names that Windows keeps for itself, also with an ending as in `con.txt`."""
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)  # the earliest possible, so that the same runs give the same file


def export_runs(store_url: str, digests: tuple[str, ...]) -> bytes:
    """The result of `export_zip`, computed on a worker: a task for `Scheduler.submit`."""
    set_up_worker()
    return export_zip(open_worker_store(store_url), digests)


def export_zip(store: Store, digests: Iterable[str]) -> bytes:
    """A zip file with a folder for each run of `digests` that exists; imports Keras if a run has weights.

    Each folder has spec.json, history, metrics, validation and layers as tables, an event file for TensorBoard,
    train.py, a README.txt and, if the run has a checkpoint, model.keras.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for run in sorted(store.runs(digests), key=folder_name):
            for name, data in sorted(_run_files(store, run).items()):
                entry = zipfile.ZipInfo(f"{folder_name(run)}/{name}", _TIMESTAMP)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, data)
    return content.getvalue()


def folder_name(run: Run) -> str:
    """`{label}-{digest}`: readable, and valid on all file systems.

    The label's letters, marks and digits of any script stay, in Unicode's form NFC, and dots between them; everything
    else becomes a dash. The digest makes names differ where upper and lower case are the same.
    """
    composed = unicodedata.normalize("NFC", run.label)
    replaced = "".join(c if c == "." or unicodedata.category(c)[0] in "LMN" else "-" for c in composed)
    label = re.sub(r"-*\.[-.]*", ".", re.sub(r"-+", "-", replaced)).strip("-.")
    label = label[:MAX_NAME_LENGTH].encode()[:MAX_NAME_BYTES].decode(errors="ignore").strip("-.")
    device = unicodedata.normalize("NFKC", label.split(".")[0]).upper()
    return f"{'run-' if device in WINDOWS_DEVICES else ''}{label or 'run'}-{run.digest}"


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
        from bnlab.model.export import trained_model_file

        files["model.keras"] = trained_model_file(run.spec, checkpoint.arrays)
    return files


def _tables(store: Store, run: Run) -> dict[str, pd.DataFrame]:
    metrics = steps_frame(store, run.digest)
    metrics.insert(1, "epoch", metrics["step"] / run.spec.steps_per_epoch)
    return {
        "metrics": metrics,
        "validation": evaluations_frame(store, [run]).drop(columns="run"),
        "layers": layers_frame(store, run.digest),
    }


_README_FILES = """\
spec.json           what was trained: every setting, as bnlab reads it
history.csv         one row an epoch: loss and accuracy averaged over its steps, val_loss and val_accuracy after it
metrics.csv         one row a step: loss and accuracy of its batch, in training mode
validation.csv      one row a moment (step 0, some in the first epoch, each epoch's end): val_loss and val_accuracy
                    in inference mode; seconds is the time spent in training steps until then. With "evaluate_with":
                    "all" also ..._batch (each batch's own statistics), ..._reestimated (statistics of up to 10,000
                    training images), and train_... on these training images
layers.csv          the same moments: norms of each hidden kernel and of its gradient, and the percentiles
                    (p5 to p95) of what enters the layer's activation, on 128 training images
*.parquet           the same tables for pandas.read_parquet
events.out.*        for TensorBoard: tensorboard --logdir .   (in this folder or the one above it)
train.py            plain Keras code that trains the same network on the same images
"""
_README_MODEL = """\
model.keras         the network with its weights after step {step:,}, for keras.models.load_model
"""
_README_NO_MODEL = """
There is no model.keras: this run had no saved weights when it was exported.
"""
_README_USE = """
Pixels (0 to 255) must enter the model as they did in training, {scaled}: no layer of it scales them.
This is how the validation images are measured, in this folder:

{code}
The model is compiled with the run's optimizer, but without what an optimizer remembers of earlier steps.
"""


def readme_text(run: Run, saved_step: int | None) -> str:
    """The README of one exported run; `saved_step` is the step of its `model.keras`, None if it has none."""
    beside = " (measured beside other work of bnlab)" if run.shared else ""
    head = (
        f"{run.label}\nbnlab's run {run.digest}: {run.state.value}, {run.step:,} of {run.total_steps:,} steps, "
        f"{run.seconds:.1f} s in steps{beside}\nMade {_utc_text(run.created_at)}\n"
        + (f"Tags: {', '.join(run.tags)}\n" if run.tags else "")
        + (f"{run.error}\n" if run.error else "")
        + (f"\n{_wrap(run.note)}\n" if run.note else "")
        + "\n"
    )
    if saved_step is None:
        return head + _README_FILES + _README_NO_MODEL
    code = "".join(f"    {line}".rstrip() + "\n" for line in evaluation_code(run.spec).splitlines())
    usage = _README_USE.format(scaled=scaling_code(run.spec, "x"), code=code)
    return head + _README_FILES + _README_MODEL.format(step=saved_step) + usage


def _wrap(note: str) -> str:
    return "\n".join(textwrap.fill(line, MAX_LINE_LENGTH) for line in note.splitlines())


def _utc_text(seconds: float) -> str:
    """A time, in seconds since the epoch, as in 2026-05-04T03:02:01+00:00 (UTC)."""
    return f"{datetime.fromtimestamp(int(seconds), UTC).isoformat()} (UTC)"
