"""What a prediction of an ended run's network costs, as a task: measured alike with BN, folded and without."""

from dataclasses import dataclass

from bnlab.runs.fold import FORGOTTEN, fold_run, is_foldable
from bnlab.runs.journal import read_checkpoint
from bnlab.runs.store import Store
from bnlab.runs.warm import warm_up
from bnlab.spec.choices import RESCALINGS
from bnlab.spec.network import describe_network
from bnlab.spec.run_spec import RunSpec
from bnlab.training.records import Checkpoint


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
        bnlab.model.fold.FoldError: it has BN and cannot be folded.
        bnlab.spec.datasets.DatasetError: the validation images cannot be had.
    """
    warm_up()
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
    from bnlab.training.agreement import measure_in_turns

    model = build_trained(describe_network(spec), spec, checkpoint.arrays)
    images = load_arrays(spec).validation_images
    return measure_in_turns(model, model, images, RESCALINGS[spec.rescale].factor)
