"""Cases: how they are named, and read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.claims.case import SIZES, Case, open_case, read_case
from bnlab.claims.registry import CLAIMS

seeds = st.builds(lambda start, many: range(start, start + many), st.integers(0, 2**31), st.integers(1, 100))


@given(st.sampled_from(list(CLAIMS)), st.sampled_from(SIZES), seeds)
def test_a_case_is_read_by_its_name(claim: str, size: str, own: range) -> None:
    case = Case(CLAIMS[claim], size, own)
    assert read_case(case.name, CLAIMS) == case


@given(st.text(max_size=20))
def test_whatever_else_is_no_case(name: str) -> None:
    assert read_case(name, {}) is None


def test_a_case_has_its_sizes_own_seeds_and_can_have_more() -> None:
    case = open_case(CLAIMS["A2"])
    assert (case.name, case.size) == ("A2 quick 0:5", CLAIMS["A2"].quick)
    assert case.with_seeds(5).name == "A2 quick 0:10"
    assert open_case(CLAIMS["A2"], "full").size is CLAIMS["A2"].full
    with pytest.raises(ValueError, match="quick or full, not 'huge'"):
        open_case(CLAIMS["A2"], "huge")
