"""Pairwise sampling: few combinations in which every pair of values of two parameters occurs."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Case = dict[str, Any]


def pairwise_cases(parameters: Mapping[str, Sequence[Any]]) -> list[Case]:
    """Cases such that each two values of different parameters meet in one of them; the same ones every time.

    Greedy: each case starts from the first pair that has not occurred yet, and every further parameter takes the value
    that makes most new pairs.
    """
    missing = dict.fromkeys(_all_pairs(parameters))
    cases = []
    while missing:
        case = dict(next(iter(missing)))
        for name in (name for name in parameters if name not in case):
            new = [sum(_pair(name, i, *own) in missing for own in case.items()) for i in range(len(parameters[name]))]
            case[name] = new.index(max(new))
        for (one, i), (other, j) in itertools.combinations(case.items(), 2):
            missing.pop(_pair(one, i, other, j), None)
        cases.append({name: values[case[name]] for name, values in parameters.items()})
    return cases


Pair = tuple[tuple[str, int], tuple[str, int]]


def _all_pairs(parameters: Mapping[str, Sequence[Any]]) -> Iterator[Pair]:
    for one, other in itertools.combinations(parameters, 2):
        for i, j in itertools.product(range(len(parameters[one])), range(len(parameters[other]))):
            yield _pair(one, i, other, j)


def _pair(one: str, i: int, other: str, j: int) -> Pair:
    first, second = sorted([(one, i), (other, j)])
    return first, second
