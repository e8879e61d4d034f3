"""Every condition of every claim can be opened in Compare."""

import pytest

from bnlab.claims.case import open_case
from bnlab.claims.evidence import every_condition
from bnlab.claims.registry import CLAIMS
from bnlab.spec.address import read_comparison, write_comparison
from bnlab.spec.comparison import MOST_VARIANTS
from bnlab.ui.claim_runs import _left_out, condition_comparison


@pytest.mark.parametrize("name", CLAIMS)
def test_its_networks_are_variants_with_the_cases_seeds(name: str) -> None:
    case = open_case(CLAIMS[name])
    for condition in every_condition(case.claim):
        comparison = condition_comparison(case, condition)
        assert 2 <= len(comparison.variants) <= MOST_VARIANTS
        assert comparison.seeds == len(case.seeds)
        assert read_comparison(write_comparison(comparison)) == (comparison, [])
        assert comparison.variants[0].spec in {
            spec.model_copy(update={**case.size.changes, "seed": 0}) for spec in condition.control.specs
        }


def test_networks_of_one_arm_are_told_apart_and_what_is_left_out_is_said() -> None:
    case = open_case(CLAIMS["A4"])
    condition = case.claim.conditions[0]
    labels = condition_comparison(case, condition).labels
    assert labels[0] == "no BN, ReLU, He normal"
    assert len(set(labels)) == MOST_VARIANTS
    assert _left_out(condition).startswith("Compare takes 8 networks: it shows the first 4 of the 12 ")
    assert _left_out(case.claim.beside[0]) == ""
