"""Pairwise sampling: all pairs are covered by far fewer combinations than the product."""

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from tests.pairwise import pairwise_combinations


@given(st.lists(st.integers(1, 4), min_size=2, max_size=6))
def test_every_pair_of_values_is_covered(sizes: list[int]) -> None:
    parameters = {f"p{number}": list(range(size)) for number, size in enumerate(sizes)}
    combinations = pairwise_combinations(parameters)
    assert all(list(combination) == list(parameters) for combination in combinations)
    for first, second in itertools.combinations(parameters, 2):
        pairs = {(combination[first], combination[second]) for combination in combinations}
        assert pairs == set(itertools.product(parameters[first], parameters[second]))
    assert len(combinations) <= math.prod(sizes)


def test_ten_switches_need_few_combinations() -> None:
    switches = {f"p{number}": (False, True) for number in range(10)}
    assert len(pairwise_combinations(switches)) <= 12
    assert pairwise_combinations(switches) == pairwise_combinations(switches)
