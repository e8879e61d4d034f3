"""Texts on the card of a claim."""

import pytest

from bnlab.claims.results import Coverage
from bnlab.ui.claims.card import coverage_text


@pytest.mark.parametrize(
    ("coverage", "text"),
    [
        (Coverage(20, 20, 20, 5), "all 20 runs are trained here; 5 of 20 measurements are taken here, 15 to go"),
        (Coverage(0, 0, 40, 40), "all 40 measurements are taken here"),
    ],
)
def test_coverage_as_text(coverage: Coverage, text: str) -> None:
    assert coverage_text(coverage) == text
