"""Texts on the card of a claim."""

import pytest

from bnlab.claims.model import plan_experiment
from bnlab.claims.results import Coverage
from bnlab.claims.runner import ClaimProgress
from bnlab.ui.claims.card import coverage_text, progress_text
from tests.tiny_claim import CLAIM


@pytest.mark.parametrize(
    ("coverage", "text"),
    [
        (Coverage(20, 20, 20, 5), "all 20 runs are trained here; 5 of 20 measurements are made here, 15 to go"),
        (Coverage(0, 0, 40, 40), "all 40 measurements are made here"),
    ],
)
def test_coverage_as_text(coverage: Coverage, text: str) -> None:
    assert coverage_text(coverage) == text


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (ClaimProgress((), Coverage(4, 0, 3, 0), "", has_failed=False), "0 of 4 runs trained; then 3 measurements"),
        (ClaimProgress((), Coverage(0, 0, 3, 0), "", has_failed=False), "0 of 3 measurements made"),
        (ClaimProgress((), Coverage(0, 0, 3, 1), "", False, 8.2), "1 of 3 measurements made, about 8 s left"),
    ],
)
def test_progress_as_text(progress: ClaimProgress, text: str) -> None:
    assert progress_text(plan_experiment(CLAIM), progress) == f"On trial (quick, 2 seeds): {text}"
