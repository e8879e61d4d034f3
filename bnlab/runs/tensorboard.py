"""A run's curves and normalization layers as an event file, which TensorBoard reads."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnlab.runs.reader import evaluations_frame, layers_frame, snapshots_frame, steps_frame
from bnlab.runs.run import Run
from bnlab.runs.store import Store
from bnlab.runs.thinning import thin, thin_together
from bnlab.specs.network import describe_network

Floats = NDArray[np.float64]

MAX_STEPS = 5_000
"""About the most points per curve; TensorBoard draws 1,000, and all steps of a long run would take minutes."""
MAX_HISTOGRAMS = 50
"""About the most histograms per variable."""
BINS = 30


def event_file_name(run: Run) -> str:
    """The name of the run's event file, in the form that TensorBoard recognizes."""
    return f"events.out.tfevents.{int(run.created_at)}.bnlab"


def event_file(store: Store, run: Run) -> bytes:
    """The content of the run's event file, which is a function of its records.

    Scalars loss, accuracy, val_loss, val_accuracy, gradient_norm/LAYER, weight_norm/LAYER and histograms LAYER/VARIABLE
    of the normalization layers, by step. Long curves are thinned to about MAX_STEPS points, with all peaks, histograms
    to about MAX_HISTOGRAMS, with those of the smallest and largest values. The time of an event is the run's creation
    plus its seconds in steps.
    """
    from tensorboardX.proto.event_pb2 import Event  # type: ignore[import-untyped]
    from tensorboardX.proto.summary_pb2 import Summary  # type: ignore[import-untyped]
    from tensorboardX.record_writer import RecordWriter  # type: ignore[import-untyped]

    evaluations = evaluations_frame(store, [run])
    steps, times = evaluations["step"].to_numpy(float), run.created_at + evaluations["seconds"].to_numpy(float)
    with TemporaryDirectory(prefix="bnlab-") as folder:
        path = Path(folder) / event_file_name(run)
        writer = RecordWriter(str(path))
        writer.write(Event(wall_time=run.created_at, file_version="brain.Event:2").SerializeToString())
        for step, tag, value in _entries(store, run, evaluations):
            time = float(np.interp(step, steps, times)) if len(evaluations) else run.created_at
            content = {"simple_value": value} if isinstance(value, float) else {"histo": _histogram(value)}
            summary = Summary(value=[Summary.Value(tag=tag, **content)])
            writer.write(Event(wall_time=time, step=step, summary=summary).SerializeToString())
        writer.close()
        return path.read_bytes()


def _entries(store: Store, run: Run, evaluations: pd.DataFrame) -> Iterator[tuple[int, str, float | Floats]]:
    """Step, tag and value of each event: a number, or an array for a histogram."""
    trained = steps_frame(store, run.digest)
    for column in ("loss", "accuracy"):
        yield from _scalars(trained.iloc[thin(trained[column].to_numpy(float), MAX_STEPS)], [column])
    yield from _scalars(evaluations, ["val_loss", "val_accuracy"])
    for layer, frame in layers_frame(store, run.digest).groupby("layer"):
        yield from _scalars(frame, ["gradient_norm", "weight_norm"], f"/{layer}")
    for normalization in describe_network(run.spec).normalizations:
        for variable, frame in snapshots_frame(store, run.digest, normalization.name).groupby("variable"):
            thinned = frame.iloc[thin_together(_value_ranges(frame["values"]), MAX_HISTOGRAMS)]
            for step, values in zip(thinned["step"], thinned["values"], strict=True):
                finite = values[np.isfinite(values)].astype(float)
                if len(finite):
                    yield int(step), f"{normalization.name}/{variable}", finite


def _scalars(frame: pd.DataFrame, columns: list[str], suffix: str = "") -> Iterator[tuple[int, str, float]]:
    for column in columns:
        for step, value in zip(frame["step"], frame[column], strict=True):
            yield int(step), column + suffix, float(value)


def _value_ranges(snapshots: "pd.Series[Any]") -> tuple[Floats, Floats]:
    """The smallest and the largest finite value of each snapshot; infinite where there are none."""
    arrays = [values.astype(float) for values in snapshots]
    lowest = [values.min(where=np.isfinite(values), initial=np.inf) for values in arrays]
    highest = [values.max(where=np.isfinite(values), initial=-np.inf) for values in arrays]
    return np.array(lowest), np.array(highest)


def _histogram(values: Floats) -> object:
    from tensorboardX.summary import make_histogram  # type: ignore[import-untyped]

    return make_histogram(values, bins=BINS)
