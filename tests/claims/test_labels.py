"""Labels distinguish the runs of an experiment and are valid in Compare."""

from collections import defaultdict

import pytest

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.labels import labelled_specs
from bnlab.claims.model import SIZES, plan_experiment
from bnlab.claims.results import trained_specs
from bnlab.specs.comparison import MAX_LABEL_LENGTH
from bnlab.specs.run_spec import RunSpec


@pytest.mark.parametrize("size_name", SIZES)
@pytest.mark.parametrize("name", CLAIMS)
def test_runs_with_the_same_label_differ_only_in_their_seed(name: str, size_name: str) -> None:
    experiment = plan_experiment(CLAIMS[name], size_name)
    labelled = labelled_specs(experiment)
    assert [spec for spec, _ in labelled] == list(trained_specs(experiment))
    specs_by_label: dict[str, set[RunSpec]] = defaultdict(set)
    for spec, label in labelled:
        assert label.startswith(f"{name}: ")
        assert len(label) <= MAX_LABEL_LENGTH
        specs_by_label[label].add(spec.model_copy(update={"seed": 0}))
    assert all(len(specs) == 1 for specs in specs_by_label.values())


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("A1", ["A1: BN on the input, raw pixels", "A1: no BN, pixels × 0.001"]),
        ("A2", ["A2: no BN, ReLU, rate 0.1"]),
        ("A4", ["A4: BN, ReLU and He normal", "A4: no BN, Sigmoid, Random normal, 5", "A4: BN, Tanh, He normal"]),
        ("W1", ["W1: BN, Sigmoid, units 30 × 100"]),
    ],
)
def test_labels_describe_the_networks(name: str, labels: list[str]) -> None:
    assert set(labels) <= {label for _, label in labelled_specs(plan_experiment(CLAIMS[name]))}
