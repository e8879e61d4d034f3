"""The link that opens the networks of one of a claim's conditions as variants in Compare."""

from collections.abc import Mapping

import streamlit as st

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.labels import spec_labels
from bnlab.claims.model import Arm, Claim, Condition, Experiment, parse_experiment, plan_experiment
from bnlab.claims.results import ExperimentResult, trained_specs
from bnlab.specs.comparison import MAX_LABEL_LENGTH, MAX_SEEDS, MAX_VARIANTS, Comparison, Variant
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.components import render_compare_link, screen_reader_text
from bnlab.ui.state import PageState

MAX_PER_ARM = MAX_VARIANTS // 2


def render_open_in_compare(claim: Claim, result: ExperimentResult | None, state: PageState) -> None:
    """Draw the choice of a condition and the link that opens its networks in Compare."""
    experiment = result.experiment if result else plan_experiment(claim)
    conditions = {condition.id: condition for condition in claim.all_conditions}
    is_trained_here = result is not None and not result.origin and trained_specs(experiment)
    noun = "runs" if is_trained_here else "networks"
    label = f"Open its {noun} in Compare {screen_reader_text(claim.id)}"
    with st.popover(label, icon=":material/stacked_line_chart:", key=f"open-{claim.id}"):
        chosen = st.selectbox(
            "Condition",
            list(conditions),
            format_func=lambda identifier: conditions[identifier].title,
            key=_condition_key(claim.id),
            on_change=_note_condition,
            args=(claim.id,),
        )
        _note_condition(claim.id)
        if omitted := _omitted_text(conditions[chosen]):
            st.caption(omitted)
        render_compare_link("Open", state, claim.id, _chosen_comparison, claim.id, experiment.name)


def _condition_key(claim: str) -> str:
    """The session key of the id of the chosen condition."""
    return f"condition-{claim}"


def _chosen_key(claim: str) -> str:
    """The session key of the same id, which is still there when the page has been left."""
    return f"chosen-condition-{claim}"


def _note_condition(claim: str) -> None:
    if _condition_key(claim) in st.session_state:
        st.session_state[_chosen_key(claim)] = st.session_state[_condition_key(claim)]


def _chosen_comparison(claim: str, experiment: str) -> Comparison | None:
    conditions = {condition.id: condition for condition in CLAIMS[claim].all_conditions}
    chosen = conditions.get(st.session_state.get(_chosen_key(claim), ""))
    planned = parse_experiment(experiment, CLAIMS)
    return condition_comparison(planned, chosen) if chosen and planned else None


def _omitted_text(condition: Condition) -> str:
    """A sentence about the networks that exceed the limit of Compare; empty if there are none."""
    parts = [
        f"{MAX_PER_ARM} of the {len(arm.specs)} networks of “{arm.title}”"
        for arm in condition.arms
        if len(arm.specs) > MAX_PER_ARM
    ]
    return f"Compare takes {MAX_VARIANTS} networks: it shows the first {' and '.join(parts)}." if parts else ""


def condition_comparison(experiment: Experiment, condition: Condition) -> Comparison:
    """The networks of a condition as variants, in the experiment's size and with its seeds.

    Each arm is limited to its first MAX_PER_ARM networks, and the seeds to MAX_SEEDS.
    """
    has_several = any(len(arm.specs) > 1 for arm in condition.arms)
    labels = spec_labels(experiment) if has_several else {}
    variants = [variant for arm in condition.arms for variant in _variants(experiment, arm, labels)[:MAX_PER_ARM]]
    comparison = Comparison((variants[0],), min(len(experiment.seeds), MAX_SEEDS))
    for variant in variants[1:]:
        comparison = comparison.with_variant(variant)
    return comparison


def _variants(experiment: Experiment, arm: Arm, labels: Mapping[RunSpec, str]) -> list[Variant]:
    """The arm's specs, labelled by its title or, if there are several, like their runs."""
    specs = experiment.specs(arm, experiment.seeds.start)
    if len(specs) == 1:
        return [Variant(arm.title[:MAX_LABEL_LENGTH], specs[0])]
    return [Variant(labels[spec], spec) for spec in specs]
