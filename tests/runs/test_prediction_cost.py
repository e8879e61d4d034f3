"""What predicting costs, of runs with BN and without, and of a run that has no weights."""

import pickle
from pathlib import Path

import pytest

from bnlab.runs.folding import PredictionError, measure_prediction
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.in_process_training import train_in_process
from tests.one_thread import one_thread  # noqa: F401
from tests.stored_runs import OWNER

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow's

SPEC = RunSpec(hidden_units=(8,), train_examples=64, epochs=1, validation="holdout")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'bnlab.db'}")


def train(store: Store, spec: RunSpec) -> str:
    train_in_process(store, spec, "A")
    return spec.digest


def test_without_bn_there_is_nothing_to_fold(store: Store) -> None:
    cost = pickle.loads(pickle.dumps(measure_prediction(store.url, train(store, SPEC))))
    assert list(cost.latencies) == [1, 256]
    assert all(seconds > 0 for seconds in cost.latencies.values())
    assert list(cost.folded) == [1, 256]
    assert cost.difference == 0


def test_with_bn_it_is_the_fold_reports(store: Store) -> None:
    cost = measure_prediction(store.url, train(store, SPEC.model_copy(update={"placement": "before_activation"})))
    assert list(cost.latencies) == list(cost.folded) == [1, 256]
    assert cost.folded != cost.latencies
    assert 0 < cost.difference < 1e-3


def test_a_run_without_weights_says_so(store: Store) -> None:
    digest = store.launch(SPEC, "A", OWNER).digest
    with pytest.raises(PredictionError, match="weights of this run are no longer kept"):
        measure_prediction(store.url, digest)
