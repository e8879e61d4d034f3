"""From a claim to Compare: the networks of one of its conditions as variants."""

import streamlit as st

from bnlab.claims.case import Case, open_case
from bnlab.claims.claim import Arm, Claim, Condition
from bnlab.claims.evidence import sized, trained_specs
from bnlab.claims.trial import Trial
from bnlab.spec.comparison import LONGEST_LABEL, MOST_SEEDS, MOST_VARIANTS, Comparison, Variant
from bnlab.ui.session import Desk, write_address


def render_open_in_compare(claim: Claim, trial: Trial | None, desk: Desk) -> None:
    """Draw the choice of a condition and the button that opens its networks in Compare."""
    case = trial.case if trial else open_case(claim)
    conditions = {condition.name: condition for condition in (*claim.conditions, *claim.beside)}
    what = "runs" if trained_specs(case) else "networks"
    with st.popover(f"Open its {what} in Compare", icon=":material/stacked_line_chart:", key=f"open-{claim.id}"):
        chosen = st.selectbox("Condition", list(conditions), key=f"condition-{claim.id}")
        if st.button("Open", type="primary", key=f"open-it-{claim.id}") and chosen:
            desk.change(condition_comparison(case, conditions[chosen]))
            write_address(desk)
            st.switch_page("pages/compare.py")


def condition_comparison(case: Case, condition: Condition) -> Comparison:
    """The networks of a condition in the case's size, with its seeds, as far as Compare takes them.

    Of arms with many networks, as many of each are shown.
    """
    room = MOST_VARIANTS // 2
    first, *others = [variant for arm in condition.arms for variant in _variants(case, arm)[:room]]
    comparison = Comparison((first,), min(len(case.seeds), MOST_SEEDS))
    for variant in others:
        comparison = comparison.added(variant)
    return comparison


def _variants(case: Case, arm: Arm) -> list[Variant]:
    specs = sized(arm, case, case.seeds.start)
    several = len(specs) > 1
    return [
        Variant((arm.name[: LONGEST_LABEL - 3] + f" {place}") if several else arm.name[:LONGEST_LABEL], spec)
        for place, spec in enumerate(specs, start=1)
    ]
