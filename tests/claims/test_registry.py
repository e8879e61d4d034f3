"""The registry: every claim can be put on trial as it stands there."""

import itertools
import pickle

import pytest

from bnlab.claims.case import SIZES, open_case
from bnlab.claims.claim import Claim, Counted, Probed
from bnlab.claims.evidence import every_condition, sized, trained_specs
from bnlab.claims.registry import CLAIMS

QUICK_STEPS = 300_000
"""About two minutes of two cores."""

claims = pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)


@claims
def test_what_is_read_is_whole_sentences(claim: Claim) -> None:
    assert claim.statement.endswith(".")
    assert claim.question.rstrip(")").endswith(("?", "."))
    for condition in every_condition(claim):
        assert condition.prediction.reason.endswith(".")
    for finding in claim.literature:
        assert finding.sentence.endswith(".")
        assert finding.source


@claims
def test_conditions_and_arms_are_told_apart(claim: Claim) -> None:
    names = [condition.name for condition in every_condition(claim)]
    assert len(set(names)) == len(names)
    for condition in every_condition(claim):
        assert condition.treatment.name != condition.control.name
        assert condition.treatment.specs != condition.control.specs
        assert condition.prediction.smallest_effect > 0


@claims
def test_both_sizes_are_specs_that_can_be(claim: Claim) -> None:
    for name, condition in itertools.product(SIZES, every_condition(claim)):
        case = open_case(claim, name)
        assert len(case.seeds) >= (1 if isinstance(condition.measure.source, Counted) else 5)
        for arm in condition.arms:
            assert {spec.seed for spec in sized(arm, case, 7)} == {7}


@claims
def test_a_quick_trial_is_quick_and_a_full_one_is_larger(claim: Claim) -> None:
    quick, full = (sum(spec.total_steps for spec in trained_specs(open_case(claim, name))) for name in SIZES)
    assert quick <= QUICK_STEPS
    assert full > 5 * quick or full == quick == 0


@claims
def test_workers_find_what_they_are_asked_by_its_name(claim: Claim) -> None:
    for condition in every_condition(claim):
        if isinstance(source := condition.measure.source, Probed):
            assert source.ask.__module__.startswith("bnlab.")
            assert pickle.loads(pickle.dumps(source.ask)) is source.ask


def test_ids_are_the_notebooks_in_its_order() -> None:
    assert list(CLAIMS) == ["O1", "O2", "O3", "A1", "A2", "A3", "A4", "A5", "D1", "D2", "D3", "D4", "W1", "W2"]
    assert all(claim.id == name for name, claim in CLAIMS.items())
