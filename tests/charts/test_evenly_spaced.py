from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bnlab.charts.snapshots import evenly_spaced


@given(st.integers(1, 3000), st.integers(2, 300))
def test_the_first_and_the_last_and_an_even_spread_between(count: int, most: int) -> None:
    positions = evenly_spaced(count, most).tolist()
    assert positions[0] == 0
    assert positions[-1] == count - 1
    assert len(positions) == min(count, most)
    gaps = {b - a for a, b in pairwise(positions)}
    assert not gaps or (min(gaps) >= 1 and max(gaps) - min(gaps) <= 1)


def test_nothing_of_nothing() -> None:
    assert evenly_spaced(0, 10).size == 0
