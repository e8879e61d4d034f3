"""A finished run's network with its normalization layers folded away: predictions, parameters and latency compared."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import select

from bnlab.model.folding import FoldError, fold, unfoldable_reason
from bnlab.runs.run import Run, RunState
from bnlab.runs.schema import checkpoints
from bnlab.runs.store import Store
from bnlab.runs.worker import set_up_worker
from bnlab.runs.worker_store import open_worker_store
from bnlab.runs.writer import read_checkpoint
from bnlab.specs.choices import RESCALINGS
from bnlab.specs.network import Network, describe_network
from bnlab.specs.run_spec import RunSpec

Arrays = dict[str, NDArray[np.float32]]

WEIGHTS_DELETED = "The weights of this run are no longer kept: delete it on the Runs page, then train it again."
DIVERGED = "The training diverged: the network's weights or outputs are no longer numbers."


class MissingWeightsError(RuntimeError):
    """A run without weights to predict with; `str()` is one sentence for the user."""


@dataclass(frozen=True)
class NetworkMeasurements:
    """A network and its measurements; `latencies` are seconds to predict one batch, by batch size."""

    network: Network
    val_accuracy: float
    latencies: dict[int, float]


@dataclass(frozen=True)
class FoldReport:
    """A run's network as trained and folded, compared on the validation images.

    Attributes:
        original: The network as trained.
        folded: The network without the normalization layers that can be folded.
        examples: The number of validation images.
        difference: The largest |Δlogit|, where a logit is an input of the softmax.
        relative: `difference` relative to the largest |logit|.
        model: The content of a `.keras` file with the folded network.
        shared: Whether runs were active while the latencies were measured, so that they may be too long.
    """

    original: NetworkMeasurements
    folded: NetworkMeasurements
    examples: int
    difference: float
    relative: float
    model: bytes
    shared: bool


@dataclass(frozen=True)
class PredictionCost:
    """Latency of a run's network as trained and folded, measured in turns.

    Without normalization, or with a normalizer that cannot be folded, both are the same network, and the latencies
    differ by chance alone.

    Attributes:
        latencies: Seconds to predict one batch as trained, by batch size.
        folded: The same with normalization folded away.
        difference: The largest |Δlogit| between the two on the validation images; 0 for the same network.
    """

    latencies: dict[int, float]
    folded: dict[int, float]
    difference: float


def has_normalization(spec: RunSpec) -> bool:
    """Whether the network has normalization layers, without describing the network."""
    return spec.input_normalization or spec.placement != "none"


def is_foldable(spec: RunSpec) -> bool:
    """Whether the network has a normalization layer that can be folded."""
    return has_normalization(spec) and not unfoldable_reason(spec)


def fold_obstacles(store: Store, runs: Sequence[Run]) -> dict[str, str]:
    """Why a run's network cannot be folded now, in a sentence for the user, by the digests of those that cannot."""
    finished = [run.digest for run in runs if run.state.is_finished() and not run.recorded]
    query = select(checkpoints.c.run).where(checkpoints.c.run.in_(finished)).distinct()
    with store.engine.connect() as connection:
        kept = set(connection.scalars(query))
    obstacles = {run.digest: _fold_obstacle(run, has_weights=run.digest in kept) for run in runs}
    return {digest: obstacle for digest, obstacle in obstacles.items() if obstacle}


def _fold_obstacle(run: Run, *, has_weights: bool) -> str:
    if not has_normalization(run.spec):
        return "There is no normalization that could be merged."
    if reason := unfoldable_reason(run.spec):
        return reason
    if not run.state.is_finished():
        return "A network can be folded when its training is over."
    return DIVERGED if run.state is RunState.DIVERGED else _missing_weights(run, has_weights=has_weights)


def _missing_weights(run: Run, *, has_weights: bool) -> str:
    """Why a finished run has no weights; empty if it has."""
    if run.recorded:
        return "The recorded networks came without their weights: press Train to train them here, then fold them."
    if has_weights:
        return ""
    return "There are no weights yet: continue the training." if run.state.can_continue() else WEIGHTS_DELETED


def fold_run(store_url: str, digest: str) -> FoldReport:
    """Build the fold report of a run: a task for `Scheduler.submit`. Raises what `build_fold_report` raises."""
    set_up_worker()
    return build_fold_report(open_worker_store(store_url), digest)


def build_fold_report(store: Store, digest: str) -> FoldReport:
    """Fold the run's latest checkpoint and compare both networks; imports TensorFlow.

    Raises:
        FoldError: the run is missing, has no checkpoint or no normalization, has diverged, or cannot be folded.
        bnlab.specs.datasets.DatasetError: the validation images are not available.
    """
    from bnlab.model.build import build_folded, build_trained
    from bnlab.model.datasets import load_arrays
    from bnlab.model.export import model_file
    from bnlab.training.diagnostics.model_comparison import compare_models
    from bnlab.training.diagnostics.timing import time_predictions

    spec, weights = _read_weights(store, digest)
    networks = describe_network(spec), fold(spec, weights).network
    models = build_trained(networks[0], spec, weights), build_folded(spec, weights)
    arrays, factor = load_arrays(spec), RESCALINGS[spec.rescale].factor
    images = arrays.validation_images
    comparison = compare_models(*models, images, arrays.validation_labels, factor)
    if not math.isfinite(comparison.difference):
        raise FoldError(DIVERGED)
    were_active = bool(store.leaseholders())
    latencies = time_predictions(*models, images, factor)
    shared = were_active or bool(store.leaseholders())
    original, folded = map(NetworkMeasurements, networks, comparison.accuracies, latencies)
    model = model_file(spec, models[1])
    return FoldReport(original, folded, len(images), comparison.difference, comparison.relative, model, shared)


def _read_weights(store: Store, digest: str) -> tuple[RunSpec, Arrays]:
    """The spec of the run without noise, which is drawn in training only, and the arrays of its checkpoint."""
    runs = store.runs([digest])
    if not runs:
        raise FoldError("The run is no longer there.")
    spec = runs[0].spec.model_copy(update={"noise": False})
    if not has_normalization(spec):
        raise FoldError("The network has no normalization that could be folded away.")
    checkpoint = read_checkpoint(store, digest)
    if checkpoint is None:
        raise FoldError(WEIGHTS_DELETED if runs[0].state.is_finished() else "The run has no weights yet.")
    names = {f"{layer.name}/{variable.name}" for layer in describe_network(spec).layers for variable in layer.variables}
    if not all(np.isfinite(checkpoint.arrays[name]).all() for name in names):
        raise FoldError(DIVERGED)
    return spec, checkpoint.arrays


def parameters_frame(report: FoldReport) -> pd.DataFrame:
    """The parameters of each layer that has any, from input to output, and their total.

    Columns: layer, kind (its Keras class), before, after (missing for a layer that is folded away).
    """
    after = {layer.name: layer.params for layer in report.folded.network.layers}
    rows: list[tuple[str, str, int, int | None]] = [
        (layer.name, layer.keras_class, layer.params, after.get(layer.name))
        for layer in report.original.network.layers
        if layer.params
    ]
    rows.append(("total", "", report.original.network.params, report.folded.network.params))
    return pd.DataFrame(rows, columns=["layer", "kind", "before", "after"]).astype({"after": "Int64"})


def measure_prediction(store_url: str, digest: str) -> PredictionCost:
    """Measure the latency of the run's network at its latest checkpoint: a task for `Scheduler.submit`.

    Raises:
        MissingWeightsError: the run has no checkpoint.
        bnlab.model.folding.FoldError: the network has normalization and cannot be folded.
        bnlab.specs.datasets.DatasetError: the validation images are not available.
    """
    set_up_worker()
    store = open_worker_store(store_url)
    spec = store.run(digest).spec
    if is_foldable(spec):
        report = build_fold_report(store, digest)
        return PredictionCost(report.original.latencies, report.folded.latencies, report.difference)
    checkpoint = read_checkpoint(store, digest)
    if checkpoint is None:
        raise MissingWeightsError(WEIGHTS_DELETED)
    latencies, repeated = _time_unfolded(spec, checkpoint.arrays)
    return PredictionCost(latencies, repeated, 0.0)


def _time_unfolded(spec: RunSpec, arrays: Arrays) -> tuple[dict[int, float], dict[int, float]]:
    """Latencies of one network measured twice in turns, under the same conditions as a pair of two networks."""
    from bnlab.model.build import build_trained
    from bnlab.model.datasets import load_arrays
    from bnlab.training.diagnostics.timing import time_predictions

    model = build_trained(describe_network(spec), spec, arrays)
    images = load_arrays(spec).validation_images
    return time_predictions(model, model, images, RESCALINGS[spec.rescale].factor)
