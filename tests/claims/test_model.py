"""Experiments: their names, sizes and seeds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import SIZES, Experiment, parse_experiment, plan_experiment

seeds = st.builds(lambda start, count: range(start, start + count), st.integers(0, 2**31), st.integers(1, 100))


@given(st.sampled_from(list(CLAIMS)), st.sampled_from(SIZES), seeds)
def test_an_experiment_is_parsed_from_its_name(claim: str, size: str, chosen_seeds: range) -> None:
    experiment = Experiment(CLAIMS[claim], size, chosen_seeds)
    assert parse_experiment(experiment.name, CLAIMS) == experiment


@given(st.text(max_size=20))
def test_other_names_give_no_experiment(name: str) -> None:
    assert parse_experiment(name, {}) is None


def test_the_size_sets_the_number_of_seeds() -> None:
    experiment = plan_experiment(CLAIMS["A2"])
    assert (experiment.name, experiment.size) == ("A2 quick 0:5", CLAIMS["A2"].quick)
    assert plan_experiment(CLAIMS["A2"], "full").size is CLAIMS["A2"].full
    with pytest.raises(ValueError, match="quick or full, not 'huge'"):
        plan_experiment(CLAIMS["A2"], "huge")


def test_each_look_doubles_the_seeds_and_spends_half_of_the_error_that_is_left() -> None:
    experiment: Experiment | None = plan_experiment(CLAIMS["A2"], seeds=range(5, 10))
    looks = []
    while experiment is not None:
        looks.append((experiment.name, round(1 - experiment.confidence, 5)))
        experiment = experiment.next_look
    assert looks == [
        ("A2 quick 5:10", 0.025), ("A2 quick 5:15", 0.0125), ("A2 quick 5:25", 0.00625), ("A2 quick 5:45", 0.00625)
    ]  # fmt: skip
