"""Which values of a parametrized test `make test` leaves to `make test-slow`."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def all_but_one_slow(values: Iterable[Any], fast: Any = None) -> list[Any]:
    """The values, all marked `slow` but `fast`, which stands for its kind: the first one unless it is given."""
    rows = list(values)
    return all_slow_but([rows[0] if fast is None else fast], rows)


def all_slow_but(fast: Collection[Any], values: Iterable[Any]) -> list[Any]:
    """The values, all marked `slow` but those in `fast`.

    As in `pytest.mark.parametrize`, a tuple has a value for each of several arguments.
    """
    rows = list(values)
    assert all(row in rows for row in fast), f"not all of {fast} are values"
    return [row if row in fast else _slow(row) for row in rows]


def _slow(row: Any) -> Any:
    return pytest.param(*(row if isinstance(row, tuple) else (row,)), marks=pytest.mark.slow)
