"""Labels: each run of an experiment can be told from the others, and every label can be opened in Compare."""

from collections import defaultdict

import pytest

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import FULL, QUICK, plan_experiment
from bnlab.claims.results import trained_specs
from bnlab.claims.runner import labelled_specs
from bnlab.specs.comparison import MAX_LABEL_LENGTH
from bnlab.specs.run_spec import RunSpec


@pytest.mark.parametrize("size", [QUICK, FULL])
@pytest.mark.parametrize("name", CLAIMS)
def test_runs_of_one_label_differ_in_their_seed_alone(name: str, size: str) -> None:
    experiment = plan_experiment(CLAIMS[name], size)
    labelled = labelled_specs(experiment)
    assert [spec for spec, _ in labelled] == list(trained_specs(experiment))
    called: dict[str, set[RunSpec]] = defaultdict(set)
    for spec, label in labelled:
        assert label.startswith(f"{name}: ")
        assert len(label) <= MAX_LABEL_LENGTH
        called[label].add(spec.model_copy(update={"seed": 0}))
    assert all(len(specs) == 1 for specs in called.values())


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("A1", ["A1: BN on the input, raw pixels", "A1: no BN, pixels × 0.001"]),
        ("A2", ["A2: no BN, ReLU, rate 0.1"]),
        ("A4", ["A4: BN, ReLU and He normal", "A4: no BN, Sigmoid, Random normal, 5", "A4: BN, Tanh, He normal"]),
        ("W1", ["W1: BN, Sigmoid, units 30 × 100"]),
    ],
)
def test_they_say_what_a_run_is(name: str, labels: list[str]) -> None:
    assert set(labels) <= {label for _, label in labelled_specs(plan_experiment(CLAIMS[name]))}
