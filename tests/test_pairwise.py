"""Pairwise sampling: every pair occurs, in far fewer cases than the product has."""

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from tests.pairwise import pairwise_cases


@given(st.lists(st.integers(1, 4), min_size=2, max_size=6))
def test_every_pair_of_values_occurs(sizes: list[int]) -> None:
    parameters = {f"p{number}": list(range(size)) for number, size in enumerate(sizes)}
    cases = pairwise_cases(parameters)
    assert all(list(case) == list(parameters) for case in cases)
    for one, other in itertools.combinations(parameters, 2):
        found = {(case[one], case[other]) for case in cases}
        assert found == set(itertools.product(parameters[one], parameters[other]))
    assert len(cases) <= math.prod(sizes)


def test_ten_switches_take_few_cases() -> None:
    switches = {f"p{number}": (False, True) for number in range(10)}
    assert len(pairwise_cases(switches)) <= 12
    assert pairwise_cases(switches) == pairwise_cases(switches)
