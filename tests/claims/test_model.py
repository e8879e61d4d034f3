"""Experiments: how they are named, and read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import SIZES, Experiment, parse_experiment, plan_experiment

seeds = st.builds(lambda start, many: range(start, start + many), st.integers(0, 2**31), st.integers(1, 100))


@given(st.sampled_from(list(CLAIMS)), st.sampled_from(SIZES), seeds)
def test_an_experiment_is_parsed_from_its_name(claim: str, size: str, chosen_seeds: range) -> None:
    experiment = Experiment(CLAIMS[claim], size, chosen_seeds)
    assert parse_experiment(experiment.name, CLAIMS) == experiment


@given(st.text(max_size=20))
def test_other_names_are_no_experiment(name: str) -> None:
    assert parse_experiment(name, {}) is None


def test_an_experiment_has_as_many_seeds_as_its_size_says_and_can_have_more() -> None:
    experiment = plan_experiment(CLAIMS["A2"])
    assert (experiment.name, experiment.size) == ("A2 quick 0:5", CLAIMS["A2"].quick)
    assert experiment.with_more_seeds(5).name == "A2 quick 0:10"
    assert plan_experiment(CLAIMS["A2"], "full").size is CLAIMS["A2"].full
    with pytest.raises(ValueError, match="quick or full, not 'huge'"):
        plan_experiment(CLAIMS["A2"], "huge")
