"""Every condition of every claim can be opened in Compare."""

import pytest

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import plan_experiment
from bnlab.specs.comparison import MAX_VARIANTS
from bnlab.specs.url import comparison_from_url, comparison_to_url
from bnlab.ui.claims.open_in_compare import _omitted_text, condition_comparison


@pytest.mark.parametrize("name", CLAIMS)
def test_networks_are_variants_with_the_seeds_of_the_experiment(name: str) -> None:
    experiment = plan_experiment(CLAIMS[name])
    for condition in experiment.claim.all_conditions:
        comparison = condition_comparison(experiment, condition)
        assert 2 <= len(comparison.variants) <= MAX_VARIANTS
        assert comparison.seeds == len(experiment.seeds)
        assert comparison_from_url(comparison_to_url(comparison)) == (comparison, [])
        assert comparison.variants[0].spec in {
            spec.model_copy(update={**experiment.size.changes, "seed": 0}) for spec in condition.control.specs
        }


def test_networks_of_one_arm_have_distinct_labels_and_omitted_ones_are_mentioned() -> None:
    experiment = plan_experiment(CLAIMS["A4"])
    condition = experiment.claim.conditions[0]
    labels = condition_comparison(experiment, condition).labels
    assert labels[0] == "no BN, ReLU, He normal"
    assert len(set(labels)) == MAX_VARIANTS
    assert _omitted_text(condition).startswith("Compare takes 8 networks: it shows the first 4 of the 12 ")
    assert _omitted_text(experiment.claim.supplementary[0]) == ""
