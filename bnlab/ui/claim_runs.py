"""From a claim to Compare: the networks of one of its conditions as variants."""

import streamlit as st

from bnlab.claims.case import Case, open_case
from bnlab.claims.claim import Arm, Claim, Condition
from bnlab.claims.evidence import sized, trained_specs
from bnlab.claims.labels import labelled_specs
from bnlab.claims.trial import Trial
from bnlab.spec.comparison import LONGEST_LABEL, MOST_SEEDS, MOST_VARIANTS, Comparison, Variant
from bnlab.ui.session import Desk, write_address

ROOM = MOST_VARIANTS // 2
"""For the networks of one arm."""


def render_open_in_compare(claim: Claim, trial: Trial | None, desk: Desk) -> None:
    """Draw the choice of a condition and the button that opens its networks in Compare."""
    case = trial.case if trial else open_case(claim)
    conditions = {condition.name: condition for condition in (*claim.conditions, *claim.beside)}
    trained_here = trial is not None and not trial.origin and trained_specs(case)
    what = "runs" if trained_here else "networks"
    with st.popover(f"Open its {what} in Compare", icon=":material/stacked_line_chart:", key=f"open-{claim.id}"):
        chosen = st.selectbox("Condition", list(conditions), key=f"condition-{claim.id}")
        if words := _left_out(conditions[chosen]):
            st.caption(words)
        if st.button("Open", type="primary", key=f"open-it-{claim.id}") and chosen:
            desk.change(condition_comparison(case, conditions[chosen]))
            write_address(desk)
            st.switch_page("pages/compare.py")


def _left_out(condition: Condition) -> str:
    """What Compare has no room for, if anything."""
    parts = [f"{ROOM} of the {len(a.specs)} networks of “{a.name}”" for a in condition.arms if len(a.specs) > ROOM]
    return f"Compare takes {MOST_VARIANTS} networks: it shows the first {' and '.join(parts)}." if parts else ""


def condition_comparison(case: Case, condition: Condition) -> Comparison:
    """The networks of a condition in the case's size, with its seeds, as far as Compare takes them.

    Of arms with many networks, as many of each are shown.
    """
    first, *others = [variant for arm in condition.arms for variant in _variants(case, arm)[:ROOM]]
    comparison = Comparison((first,), min(len(case.seeds), MOST_SEEDS))
    for variant in others:
        comparison = comparison.added(variant)
    return comparison


def _variants(case: Case, arm: Arm) -> list[Variant]:
    """Named by the arm or, where it has several, as their runs are."""
    specs = sized(arm, case, case.seeds.start)
    if len(specs) == 1:
        return [Variant(arm.name[:LONGEST_LABEL], specs[0])]
    labels = dict(labelled_specs(case))
    return [Variant(labels[spec].partition(": ")[2], spec) for spec in specs]
