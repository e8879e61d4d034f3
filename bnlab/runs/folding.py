"""A run's network with its normalization layers folded: what folding changes and what a prediction costs."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnlab.model.folding import FoldError, fold, unfoldable_reason
from bnlab.runs.run import Run
from bnlab.runs.store import Store
from bnlab.runs.worker import set_up_worker
from bnlab.runs.writer import read_checkpoint
from bnlab.specs.choices import RESCALINGS
from bnlab.specs.network import Network, describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import Checkpoint

FORGOTTEN = "The weights of this run are no longer kept: delete it on the Runs page, then train it again."


DIVERGED = "The training diverged: the network's weights or outputs are no longer numbers."


@dataclass(frozen=True)
class Measured:
    """One of the two networks: its layers and what was measured of it; `latencies` are seconds by batch size."""

    network: Network
    val_accuracy: float
    latencies: dict[int, float]


@dataclass(frozen=True)
class FoldReport:
    """A run's network with BN and folded, on all `examples` validation images.

    `difference` is the largest |Δlogit| (a logit is what enters the softmax), `relative` that over the largest
    |logit|. `model` is the content of a `.keras` file with the folded network.
    """

    original: Measured
    folded: Measured
    examples: int
    difference: float
    relative: float
    model: bytes


def fold_run(store_url: str, digest: str) -> FoldReport:
    """What `fold_report` says of a run, on a worker: a task for `Lab.submit`.

    Raises:
        FoldError: the run cannot be folded.
    """
    set_up_worker()
    store = Store(store_url)
    try:
        return fold_report(store, digest)
    finally:
        store.engine.dispose()


def fold_report(store: Store, digest: str) -> FoldReport:
    """Fold the run's latest checkpoint and measure both networks; imports Keras.

    Raises:
        FoldError: there is no such run, it has no weights yet, or no BN, or its weights are no numbers any more.
        bnlab.specs.datasets.DatasetError: the validation images cannot be had.
    """
    from bnlab.model.build import build_folded, build_trained
    from bnlab.model.datasets import load_arrays
    from bnlab.model.export import model_file
    from bnlab.training.diagnostics.model_comparison import compare_models, time_predictions

    spec, weights = _trained(store, digest)
    networks = describe_network(spec), fold(spec, weights).network
    models = build_trained(networks[0], spec, weights), build_folded(spec, weights)
    arrays, factor = load_arrays(spec), RESCALINGS[spec.rescale].factor
    images = arrays.validation_images
    agreement = compare_models(*models, images, arrays.validation_labels, factor)
    if not math.isfinite(agreement.difference):
        raise FoldError(DIVERGED)
    latencies = time_predictions(*models, images, factor)
    original, folded = map(Measured, networks, agreement.accuracies, latencies)
    size = agreement.difference, agreement.relative
    return FoldReport(original, folded, len(images), *size, model_file(spec, models[1]))


def ledger_frame(report: FoldReport) -> pd.DataFrame:
    """One row a layer that has parameters, from the input on, and their total.

    Columns: layer, kind (its Keras class), before, after (its parameters; missing once it is folded away).
    """
    after = {layer.name: layer.params for layer in report.folded.network.layers}
    rows: list[tuple[str, str, int, int | None]] = [
        (layer.name, layer.keras_class, layer.params, after.get(layer.name))
        for layer in report.original.network.layers
        if layer.params
    ]
    rows.append(("total", "", report.original.network.params, report.folded.network.params))
    return pd.DataFrame(rows, columns=["layer", "kind", "before", "after"]).astype({"after": "Int64"})


def can_fold(run: Run) -> bool:
    """Whether the run has ended, has something to fold, and was trained here: a recording has no weights."""
    return run.state.is_finished() and not run.recorded and is_foldable(run.spec)


def is_foldable(spec: RunSpec) -> bool:
    """Whether the network has normalization, and of a kind that can be folded."""
    return has_normalization(spec) and not unfoldable_reason(spec)


def has_normalization(spec: RunSpec) -> bool:
    """Whether the network has normalization: a page asks at each tick, so no network is described for it."""
    return spec.input_normalization or spec.placement != "none"


def _trained(store: Store, digest: str) -> tuple[RunSpec, dict[str, NDArray[np.float32]]]:
    """The run's spec, as far as it matters at inference, and its network's arrays."""
    runs = store.runs([digest])
    if not runs:
        raise FoldError("The run is no longer there.")
    spec = runs[0].spec.model_copy(update={"noise": False})
    if not has_normalization(spec):
        raise FoldError("The network has no normalization that could be folded away.")
    checkpoint = read_checkpoint(store, digest)
    if checkpoint is None:
        raise FoldError(FORGOTTEN if runs[0].state.is_finished() else "The run has no weights yet.")
    weights = {f"{layer.name}/{v.name}" for layer in describe_network(spec).layers for v in layer.variables}
    if not all(np.isfinite(checkpoint.arrays[name]).all() for name in weights):
        raise FoldError(DIVERGED)
    return spec, checkpoint.arrays


class PredictionError(RuntimeError):
    """A run whose network is not there; `str()` is one sentence for the user."""


@dataclass(frozen=True)
class PredictionCost:
    """Seconds that predicting one batch takes, by batch size, as trained and with BN folded away.

    The two are measured in turns, so that they can be compared however busy the machine is. `difference` is the largest
    |Δlogit| between them on the validation images. Where there is nothing to fold, without normalization or with one
    that takes its statistics from each example, both are the same network, the latencies differ by chance alone, and
    `difference` is 0.
    """

    latencies: dict[int, float]
    folded: dict[int, float]
    difference: float


def measure_prediction(store_url: str, digest: str) -> PredictionCost:
    """Measure the run's network at its last checkpoint: a task for `Lab.submit`.

    Raises:
        PredictionError: no weights of the run are kept.
        bnlab.model.folding.FoldError: it has BN and cannot be folded.
        bnlab.specs.datasets.DatasetError: the validation images cannot be had.
    """
    set_up_worker()
    store = Store(store_url)
    try:
        spec = store.run(digest).spec
        if is_foldable(spec):
            report = fold_run(store_url, digest)
            return PredictionCost(report.original.latencies, report.folded.latencies, report.difference)
        checkpoint = read_checkpoint(store, digest)
    finally:
        store.engine.dispose()
    if checkpoint is None:
        raise PredictionError(FORGOTTEN)
    latencies, again = _latencies(spec, checkpoint)
    return PredictionCost(latencies, again, 0.0)


def _latencies(spec: RunSpec, checkpoint: Checkpoint) -> tuple[dict[int, float], dict[int, float]]:
    """Of a network that is not folded, in turns with itself: as one with BN is measured beside the folded one."""
    from bnlab.model.build import build_trained
    from bnlab.model.datasets import load_arrays
    from bnlab.training.diagnostics.model_comparison import time_predictions

    model = build_trained(describe_network(spec), spec, checkpoint.arrays)
    images = load_arrays(spec).validation_images
    return time_predictions(model, model, images, RESCALINGS[spec.rescale].factor)
