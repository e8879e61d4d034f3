"""A run's network without its batch normalization: what folding it away saves, and what it changes."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnlab.model.fold import FoldError, fold, why_not_foldable
from bnlab.runs.journal import read_checkpoint
from bnlab.runs.run import Run
from bnlab.runs.store import Store
from bnlab.runs.warm import warm_up
from bnlab.spec.choices import RESCALINGS
from bnlab.spec.network import Network, describe_network
from bnlab.spec.run_spec import RunSpec

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
    warm_up()
    store = Store(store_url)
    try:
        return fold_report(store, digest)
    finally:
        store.engine.dispose()


def fold_report(store: Store, digest: str) -> FoldReport:
    """Fold the run's latest checkpoint and measure both networks; imports Keras.

    Raises:
        FoldError: there is no such run, it has no weights yet, or no BN, or its weights are no numbers any more.
        bnlab.spec.datasets.DatasetError: the validation images cannot be had.
    """
    from bnlab.model.build import build_trained
    from bnlab.model.datasets import load_arrays
    from bnlab.model.folded_model import build_folded
    from bnlab.model.saved_model import model_file
    from bnlab.training.agreement import measure_agreement, measure_in_turns

    spec, weights = _trained(store, digest)
    networks = describe_network(spec), fold(spec, weights).network
    models = build_trained(networks[0], spec, weights), build_folded(spec, weights)
    arrays, factor = load_arrays(spec), RESCALINGS[spec.rescale].factor
    images = arrays.validation_images
    agreement = measure_agreement(*models, images, arrays.validation_labels, factor)
    if not math.isfinite(agreement.difference):
        raise FoldError(DIVERGED)
    latencies = measure_in_turns(*models, images, factor)
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
    return has_normalization(spec) and not why_not_foldable(spec)


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
