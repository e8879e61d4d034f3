"""Paired networks: both arms get the same batches, and the same initial weights where shapes agree."""

import itertools

import numpy as np
import pytest

from bnlab.claims.catalog.networks import ACTIVATION_KINDS, NOTEBOOK_PAIR, PAIRS, deep_pair, depth_text
from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import Claim, Condition, RunMeasure, plan_experiment
from bnlab.model.build import build_model
from bnlab.specs.network import describe_network
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.training.schedule import epoch_order
from tests.one_thread import one_thread

__all__ = ["one_thread"]

TRAINED_CONDITIONS = [
    pytest.param(claim, condition, id=f"{claim.id} {condition.id}")
    for claim in CLAIMS.values()
    for condition in claim.all_conditions
    if isinstance(condition.measure.source, RunMeasure)
]


@pytest.mark.parametrize("kind", ACTIVATION_KINDS)
@pytest.mark.parametrize("depth", [1, 20])
def test_deep_pair_differs_only_in_bn(kind: str, depth: int) -> None:
    control, treatment = deep_pair(kind, depth)
    assert control.hidden_units == (100,) * depth
    assert control == treatment.model_copy(update={"placement": "none"})
    assert len(describe_network(treatment).normalizations) == depth
    assert describe_network(control).normalizations == ()


def test_depth_text() -> None:
    assert (depth_text("relu", 1), depth_text("tanh", 5)) == ("1 ReLU layer", "5 tanh layers")


def test_notebook_pair_is_that_of_the_preset() -> None:
    notebook = PRESETS["notebook"].comparison
    assert (NOTEBOOK_PAIR.treatment, NOTEBOOK_PAIR.control) == (notebook["Approach 2"].spec, notebook["Baseline"].spec)


@pytest.mark.parametrize(("claim", "condition"), TRAINED_CONDITIONS)
def test_both_arms_get_the_same_batches_in_the_same_order(claim: Claim, condition: Condition) -> None:
    specs = [spec for arm in condition.arms for spec in plan_experiment(claim).specs(arm, 7)]
    data = {(spec.dataset, spec.validation, spec.examples, spec.batch_size, spec.epochs) for spec in specs}
    assert len(data) == 1
    orders = [epoch_order(spec, 1) for spec in specs]
    assert all(np.array_equal(order, orders[0]) for order in orders)


def test_another_seed_gives_another_order() -> None:
    orders = [epoch_order(RunSpec(seed=seed, train_examples=100), 0).tolist() for seed in range(3)]
    assert all(first != second for first, second in itertools.combinations(orders, 2))


@pytest.mark.parametrize(
    ("treatment", "control"),
    [(pair.treatment, pair.control) for pair in PAIRS if pair is not NOTEBOOK_PAIR],
    ids=["rate 0.01", "rate 0.1"],
)
def test_both_arms_start_from_the_same_weights(treatment: RunSpec, control: RunSpec) -> None:
    treatment_weights, control_weights = (
        {
            tuple(variable.path.split("/")[-2:]): np.asarray(variable.value)
            for variable in build_model(spec).trainable_variables
        }
        for spec in (treatment, control)
    )
    shared = treatment_weights.keys() & control_weights.keys()
    assert len(shared) == 6  # kernel and bias of three Dense layers
    assert all(np.array_equal(treatment_weights[name], control_weights[name]) for name in shared)
