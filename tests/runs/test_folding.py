"""A run's network folded: against the store, plain Keras and NumPy; runs that cannot be folded; prediction cost."""

import pickle
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from bnlab.model.folding import FoldError
from bnlab.runs.folding import (
    WEIGHTS_DELETED,
    FoldReport,
    MissingWeightsError,
    build_fold_report,
    fold_obstacles,
    fold_run,
    has_normalization,
    measure_prediction,
    parameters_frame,
)
from bnlab.runs.reader import evaluations_frame
from bnlab.runs.run import RunState
from bnlab.runs.storage import delete_checkpoints
from bnlab.runs.store import Store
from bnlab.specs.choices import PLACEMENTS
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import Records
from tests.in_process_training import train_in_process
from tests.one_thread import one_thread  # noqa: F401
from tests.stored_runs import OWNER, CheckpointStub, float32_array, open_writer, record_run

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow's

SPEC = RunSpec(
    placement="before_activation", input_normalization=True, use_bias=False, hidden_units=(32,), train_examples=2_000,
    epochs=1, momentum=0.9, validation="holdout",
)  # fmt: skip


@pytest.fixture(scope="module")
def folded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, FoldReport]]:
    """A store with one trained run, and its fold report."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('fold')}/bnlab.db")
    train_in_process(store, SPEC, "A")
    yield store, pickle.loads(pickle.dumps(fold_run(store.url, SPEC.digest)))
    store.engine.dispose()


def test_both_networks_are_measured(folded: tuple[Store, FoldReport]) -> None:
    store, report = folded
    recorded = evaluations_frame(store, [store.run(SPEC.digest)]).iloc[-1]
    assert report.examples == 5_000
    assert report.original.val_accuracy == pytest.approx(recorded["val_accuracy"], abs=1e-6)
    assert report.folded.val_accuracy == pytest.approx(recorded["val_accuracy"], abs=2 / 5_000)
    assert report.original.val_accuracy > 0.5
    assert 0 < report.relative < 1e-4
    assert report.difference > 0
    assert list(report.original.latencies) == list(report.folded.latencies) == [1, 256]


@pytest.mark.parametrize("is_active", [False, True])
def test_a_report_says_whether_its_times_were_measured_beside_runs(
    folded: tuple[Store, FoldReport], is_active: bool
) -> None:
    store, report = folded
    assert not report.shared
    run = store.launch(RunSpec(seed=5), "other", OWNER)
    if not is_active:
        store.finish(run.digest, OWNER, RunState.COMPLETED)
    assert build_fold_report(store, SPEC.digest).shared is is_active
    store.finish(run.digest, OWNER, RunState.COMPLETED)
    store.delete([run.digest])


def test_parameters_of_each_layer_before_and_after(folded: tuple[Store, FoldReport]) -> None:
    frame = parameters_frame(folded[1])
    assert frame["layer"].tolist() == ["bn_input", "dense_1", "bn_1", "output", "total"]
    assert frame["kind"].tolist() == ["BatchNormalization", "Dense", "BatchNormalization", "Dense", ""]
    assert frame["before"].tolist() == [3136, 784 * 32, 128, 330, 3136 + 784 * 32 + 128 + 330]
    assert frame["after"].isna().tolist() == [True, False, True, False, False]
    assert frame["after"].dropna().tolist() == [784 * 32 + 32, 330, 784 * 32 + 32 + 330]


def test_the_keras_file_is_the_folded_network(folded: tuple[Store, FoldReport], tmp_path: Path) -> None:
    import keras

    from bnlab.model.datasets import load_arrays

    report, arrays = folded[1], load_arrays(SPEC)
    (tmp_path / "folded.keras").write_bytes(report.model)
    model = keras.models.load_model(tmp_path / "folded.keras")
    assert [layer.name for layer in model.layers] == ["flatten", "dense_1", "activation_1", "output"]
    assert model.count_params() == report.folded.network.params
    images = arrays.validation_images / np.float32(255)
    _, accuracy = model.evaluate(images, arrays.validation_labels, verbose=0)
    assert accuracy == pytest.approx(report.folded.val_accuracy, abs=2 / 5_000)


def test_a_run_that_cannot_be_folded(store: Store) -> None:
    plain, queued = RunSpec(), RunSpec(placement="after_activation")
    store.launch(plain, "plain", OWNER)
    store.launch(queued, "queued", OWNER)
    for digest, reason in (
        (plain.digest, "no normalization"),
        (queued.digest, "no weights yet"),
        ("gone", "no longer there"),
    ):
        with pytest.raises(FoldError, match=rf"^The .*{reason}.*\.$"):
            build_fold_report(store, digest)


@pytest.mark.parametrize("weight", [float("nan"), 3e38])
def test_a_run_that_diverged_cannot_be_folded(weight: float, store: Store) -> None:
    spec = RunSpec(hidden_units=(2,), placement="before_activation", validation="holdout")
    variables = [(layer.name, v) for layer in describe_network(spec).layers for v in layer.variables]
    arrays = {f"{name}/{v.name}": np.full(v.shape, weight, np.float32) for name, v in variables}
    arrays |= {"bn_1/moving_variance": float32_array(1, 1), "bn_1/gamma": float32_array(1, 1)}
    open_writer(store, spec).commit(Records(0), CheckpointStub(1, arrays=arrays), RunState.DIVERGED)
    with pytest.raises(FoldError, match="diverged"):
        build_fold_report(store, spec.digest)


def test_only_finished_runs_with_weights_and_normalization_can_be_folded(store: Store) -> None:
    spec = RunSpec(placement="before_activation")
    finished = record_run(store, spec, (1.0,), (), RunState.COMPLETED)
    assert not fold_obstacles(store, [finished, replace(finished, state=RunState.STOPPED)])
    for changes, word in (
        ({"state": RunState.RUNNING}, "over"),
        ({"recorded": "23 November 2026"}, "recorded"),
        ({"state": RunState.DIVERGED}, "diverged"),
        ({"spec": RunSpec()}, "no normalization"),
        ({"spec": RunSpec(placement="before_activation", normalizer="layer_normalization")}, "Layer normalization"),
    ):
        assert word in fold_obstacles(store, [replace(finished, **changes)])[finished.digest]
    delete_checkpoints(store, [finished.digest])
    assert fold_obstacles(store, [finished]) == {finished.digest: WEIGHTS_DELETED}
    assert "no weights yet" in fold_obstacles(store, [replace(finished, state=RunState.FAILED)])[finished.digest]


def test_has_normalization_agrees_with_the_network() -> None:
    for placement, on_input in product(PLACEMENTS, (False, True)):
        spec = RunSpec(placement=placement, input_normalization=on_input)
        assert has_normalization(spec) == bool(describe_network(spec).normalizations)


SMALL = RunSpec(hidden_units=(8,), train_examples=64, epochs=1, validation="holdout")


@pytest.mark.slow
def test_prediction_cost_without_normalization_is_of_one_network(store: Store) -> None:
    train_in_process(store, SMALL, "A")
    cost = pickle.loads(pickle.dumps(measure_prediction(store.url, SMALL.digest)))
    assert list(cost.latencies) == list(cost.folded) == [1, 256]
    assert all(seconds > 0 for seconds in (*cost.latencies.values(), *cost.folded.values()))
    assert cost.difference == 0


def test_prediction_cost_with_normalization_is_the_fold_reports(store: Store) -> None:
    spec = SMALL.model_copy(update={"placement": "before_activation"})
    train_in_process(store, spec, "A")
    cost = measure_prediction(store.url, spec.digest)
    assert list(cost.latencies) == list(cost.folded) == [1, 256]
    assert cost.folded != cost.latencies
    assert 0 < cost.difference < 1e-3


def test_prediction_cost_needs_weights(store: Store) -> None:
    store.launch(SMALL, "A", OWNER)
    with pytest.raises(MissingWeightsError, match="weights of this run are no longer kept"):
        measure_prediction(store.url, SMALL.digest)
