"""Arms are paired: on one seed they see the same batches and start from the same weights wherever shapes agree."""

import itertools

import numpy as np
import pytest

from bnlab.claims.catalog.networks import NOTEBOOK_PAIR, PAIRS
from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import Claim, Condition, RunMeasure, plan_experiment
from bnlab.model.build import build_model
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.training.schedule import epoch_order
from tests.one_thread import one_thread

__all__ = ["one_thread"]

TRAINED = [
    pytest.param(claim, condition, id=f"{claim.id} {condition.id}")
    for claim in CLAIMS.values()
    for condition in claim.all_conditions
    if isinstance(condition.measure.source, RunMeasure)
]


@pytest.mark.parametrize(("claim", "condition"), TRAINED)
def test_both_arms_see_the_same_batches_in_the_same_order(claim: Claim, condition: Condition) -> None:
    specs = [spec for arm in condition.arms for spec in plan_experiment(claim).specs(arm, 7)]
    data = {(spec.dataset, spec.validation, spec.examples, spec.batch_size, spec.epochs) for spec in specs}
    assert len(data) == 1
    orders = [epoch_order(spec, 1) for spec in specs]
    assert all(np.array_equal(order, orders[0]) for order in orders)


@pytest.mark.parametrize(
    ("treatment", "control"),
    [(pair.treatment, pair.control) for pair in PAIRS if pair is not NOTEBOOK_PAIR],
    ids=["rate 0.01", "rate 0.1"],
)
def test_both_arms_start_from_the_same_weights(treatment: RunSpec, control: RunSpec) -> None:
    ours, theirs = (
        {tuple(v.path.split("/")[-2:]): np.asarray(v.value) for v in build_model(spec).trainable_variables}
        for spec in (treatment, control)
    )
    shared = ours.keys() & theirs.keys()
    assert len(shared) == 6  # kernel and bias of three Dense layers
    assert all(np.array_equal(ours[name], theirs[name]) for name in shared)


def test_the_notebooks_pair_is_that_of_the_preset() -> None:
    notebook = PRESETS["notebook"].comparison
    assert (NOTEBOOK_PAIR.treatment, NOTEBOOK_PAIR.control) == (notebook["Approach 2"].spec, notebook["Baseline"].spec)


def test_another_seed_is_another_pair() -> None:
    orders = [epoch_order(RunSpec(seed=seed, train_examples=100), 0).tolist() for seed in range(3)]
    assert all(one != other for one, other in itertools.combinations(orders, 2))
