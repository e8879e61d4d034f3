"""Every condition of every claim can be opened in Compare."""

import pytest

from bnlab.claims.case import open_case
from bnlab.claims.evidence import every_condition
from bnlab.claims.registry import CLAIMS
from bnlab.spec.address import read_comparison, write_comparison
from bnlab.spec.comparison import MOST_VARIANTS
from bnlab.ui.claim_runs import condition_comparison


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
