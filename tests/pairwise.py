"""Pairwise sampling: a small set of combinations in which every pair of values of two parameters occurs."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Combination = dict[str, Any]
Pair = tuple[tuple[str, int], tuple[str, int]]


def pairwise_combinations(parameters: Mapping[str, Sequence[Any]]) -> list[Combination]:
    """Combinations that cover each pair of values of different parameters; the same ones in every call.

    Greedy: each combination starts from the first pair that is not covered yet, and every further parameter takes the
    value that covers most new pairs.
    """
    uncovered = dict.fromkeys(_all_pairs(parameters))
    combinations = []
    while uncovered:
        indices = dict(next(iter(uncovered)))
        for name in (name for name in parameters if name not in indices):
            new_pairs = [
                sum(_pair(name, index, *other) in uncovered for other in indices.items())
                for index in range(len(parameters[name]))
            ]
            indices[name] = new_pairs.index(max(new_pairs))
        for (first, i), (second, j) in itertools.combinations(indices.items(), 2):
            uncovered.pop(_pair(first, i, second, j), None)
        combinations.append({name: values[indices[name]] for name, values in parameters.items()})
    return combinations


def _all_pairs(parameters: Mapping[str, Sequence[Any]]) -> Iterator[Pair]:
    for first, second in itertools.combinations(parameters, 2):
        for i, j in itertools.product(range(len(parameters[first])), range(len(parameters[second]))):
            yield _pair(first, i, second, j)


def _pair(first: str, i: int, second: str, j: int) -> Pair:
    lower, upper = sorted([(first, i), (second, j)])
    return lower, upper
