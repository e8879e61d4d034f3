"""The results of a claim: its dumbbells, the training they took and the numbers. All of it is cached by the result."""

from collections.abc import Sequence
from functools import lru_cache

import pandas as pd
import streamlit as st

from bnlab.charts.effects import (
    Row,
    arm_names_html,
    difference_text,
    dumbbell_html,
    effects_html,
    scale_of,
    values_html,
)
from bnlab.charts.formatting import keep_percents
from bnlab.claims.formatting import cost_text, format_value
from bnlab.claims.model import FULL, QUICK, Condition, plan_experiment
from bnlab.claims.recorded import recorded_results
from bnlab.claims.results import CachedResults, ExperimentResult, conditions_frame
from bnlab.specs.diff import differing_fields
from bnlab.specs.network import describe_network
from bnlab.ui.components import screen_reader_text

MAX_CACHED = 64
_INTERVALS = (
    "Bars are 95 % intervals of the means; intervals of differences hold together for all conditions with 95 % (Holm), "
    "also if seeds are added."
)
EMPTY = CachedResults(frozenset(), frozenset())


def preload() -> None:
    """Judge the recorded experiments and draw their results, which takes seconds, before a visitor asks for them."""
    for result in recorded_results().values():
        small_figure(result)
        _tables(result)
        _numbers(result)
        for size in (QUICK, FULL):
            EMPTY.coverage(plan_experiment(result.experiment.claim, size))


@lru_cache(MAX_CACHED)
def small_figure(result: ExperimentResult) -> str:
    """The dumbbell of one condition with its values, as HTML; with its arms' names if they are not "no BN" and "BN"."""
    shown = result.experiment.claim.shown_condition
    row = next(row for row in _frame(result).to_dict("records") if row["id"] == shown.id)
    values = [row[f"{arm}{end}"] for arm in ("control", "treatment") for end in ("", "_low", "_high")]
    scale = scale_of(values, shown.prediction.smallest_effect, shown.measure.better)
    names = "" if _is_about_bn(shown) else arm_names_html(row)
    return f'{dumbbell_html(row, scale)}<span class="values">{values_html(row)}</span>{names}'


def _is_about_bn(condition: Condition) -> bool:
    """Whether only the treatment's networks have normalization, as the page's legend says."""
    control, treatment = (
        [bool(describe_network(spec).normalizations) for spec in arm.specs]
        for arm in (condition.control, condition.treatment)
    )
    return not any(control) and all(treatment)


def render_results(result: ExperimentResult) -> None:
    """Draw the deciding conditions and what they are based on."""
    st.html(_tables(result)[0])
    st.caption(keep_percents(" ".join(filter(None, (cost_text(result), _differing_text(result), _INTERVALS)))))


def render_details(result: ExperimentResult) -> None:
    """Draw, in expanders, the supplementary conditions and all numbers."""
    claim = screen_reader_text(result.experiment.claim.id)
    if result.supplementary:
        with st.expander(f"Also measured (not part of the verdict) {claim}", icon=":material/add_chart:"):
            st.html(_tables(result)[1])
    with st.expander(f"All numbers {claim}", icon=":material/table:"):
        st.dataframe(_numbers(result), hide_index=True, key=f"numbers-{result.experiment.claim.id}")


@lru_cache(MAX_CACHED)
def _frame(result: ExperimentResult) -> pd.DataFrame:
    """The conditions; not to be changed. Their intervals are resampled, which takes most of the time."""
    return conditions_frame(result)


@lru_cache(MAX_CACHED)
def _tables(result: ExperimentResult) -> tuple[str, str]:
    """The tables of the deciding and of the supplementary conditions, as HTML."""
    frame = _frame(result)
    return effects_html(frame[frame["decides"]]), effects_html(frame[~frame["decides"]])


def _differing_text(result: ExperimentResult) -> str:
    """In which settings the arms differ, if it is the same in all conditions with one network per arm."""
    settings = {_differing_settings(condition_result.condition) for condition_result in result.conditions}
    settings.discard(())
    return f"The networks compared differ in: {', '.join(settings.pop())}." if len(settings) == 1 else ""


def _differing_settings(condition: Condition) -> tuple[str, ...]:
    if any(len(arm.specs) > 1 for arm in condition.arms):
        return ()
    return tuple(differing_fields({"control": condition.control.specs[0], "treatment": condition.treatment.specs[0]}))


@lru_cache(MAX_CACHED)
def _numbers(result: ExperimentResult) -> pd.DataFrame:
    frame = _frame(result)
    rows: Sequence[Row] = frame.to_dict("records")
    return pd.DataFrame(
        {
            "Condition": frame["condition"],
            "Control": [_arm_text(row["control_name"], row["control"], row["arm_unit"]) for row in rows],
            "Treatment": [_arm_text(row["treatment_name"], row["treatment"], row["arm_unit"]) for row in rows],
            "Difference (95 % interval)": [difference_text(row) for row in rows],
            "Smallest effect of interest": frame["smallest_effect"],
            "Verdict": frame["words"].where(frame["decides"], frame["words"] + " (not part of the verdict)"),
        }
    )


def _arm_text(name: str, value: float, unit: str) -> str:
    return f"{name}: {format_value(value)} {unit}".rstrip()
