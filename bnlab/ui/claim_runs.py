"""From a claim to Compare: the networks of one of its conditions as variants."""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from bnlab.claims.case import Case, open_case
from bnlab.claims.claim import Arm, Claim, Condition
from bnlab.claims.evidence import sized, trained_specs
from bnlab.claims.labels import labelled_specs
from bnlab.claims.trial import Trial
from bnlab.spec.comparison import LONGEST_LABEL, MOST_SEEDS, MOST_VARIANTS, Comparison, Variant
from bnlab.spec.run_spec import RunSpec
from bnlab.ui.crossing import render_compare_link
from bnlab.ui.session import PageState

ROOM = MOST_VARIANTS // 2
"""For the networks of one arm."""


def render_open_in_compare(claim: Claim, trial: Trial | None, desk: PageState) -> None:
    """Draw the choice of a condition and the link that opens its networks in Compare."""
    case = trial.case if trial else open_case(claim)
    conditions = {condition.name: condition for condition in (*claim.conditions, *claim.beside)}
    trained_here = trial is not None and not trial.origin and trained_specs(case)
    what = "runs" if trained_here else "networks"
    with st.popover(f"Open its {what} in Compare", icon=":material/stacked_line_chart:", key=f"open-{claim.id}"):
        chosen = st.selectbox("Condition", list(conditions), key=f"condition-{claim.id}")
        if words := _left_out(conditions[chosen]):
            st.caption(words)
        render_compare_link("Open", desk, condition_comparison(case, conditions[chosen]), key=claim.id)


def _left_out(condition: Condition) -> str:
    """What Compare has no room for, if anything."""
    parts = [f"{ROOM} of the {len(a.specs)} networks of “{a.name}”" for a in condition.arms if len(a.specs) > ROOM]
    return f"Compare takes {MOST_VARIANTS} networks: it shows the first {' and '.join(parts)}." if parts else ""


def condition_comparison(case: Case, condition: Condition) -> Comparison:
    """The networks of a condition in the case's size, with its seeds, as far as Compare takes them.

    Of arms with many networks, as many of each are shown.
    """
    first_seed = replace(case, seeds=case.seeds[:1])
    several = any(len(arm.specs) > 1 for arm in condition.arms)
    labels = dict(labelled_specs(first_seed)) if several else {}
    first, *others = [variant for arm in condition.arms for variant in _variants(first_seed, arm, labels)[:ROOM]]
    comparison = Comparison((first,), min(len(case.seeds), MOST_SEEDS))
    for variant in others:
        comparison = comparison.added(variant)
    return comparison


def _variants(case: Case, arm: Arm, labels: Mapping[RunSpec, str]) -> list[Variant]:
    """Named by the arm or, where it has several, as their runs are."""
    specs = sized(arm, case, case.seeds.start)
    if len(specs) == 1:
        return [Variant(arm.name[:LONGEST_LABEL], specs[0])]
    return [Variant(labels[spec].partition(": ")[2], spec) for spec in specs]
