"""Choosing what to compare; every choice is in the page's address."""

from typing import Any

import streamlit as st

from bnlab.spec.comparison import comparison_specs
from bnlab.spec.parse import SpecError
from bnlab.spec.presets import PRESETS, Preset
from bnlab.spec.run_spec import RunSpec

FIELDS = ("epochs", "train_examples", "seed")


def choose_comparison() -> dict[str, RunSpec]:
    """Draw the choices and return each variant's spec by its label."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Comparison",
            list(PRESETS),
            format_func=lambda n: PRESETS[n].title,
            key="preset",
            bind="query-params",
            width=340,
        )
        preset = PRESETS[name]
        changes = {field: _number(field, preset) for field in FIELDS}
    st.caption(preset.description)
    try:
        specs = comparison_specs(preset.variants, {k: v for k, v in changes.items() if v is not None})
    except SpecError as error:
        st.error(str(error), icon=":material/rule:")
        st.stop()
    return {label: own[0] for label, own in specs.items()}


def _number(field: str, preset: Preset) -> int | None:
    """A number field drawn from RunSpec's own title, description and bounds; the preset's value by default."""
    schema: dict[str, Any] = RunSpec.model_json_schema()["properties"][field]
    bounds = next((option for option in schema.get("anyOf", [schema]) if option["type"] == "integer"), schema)
    number: int | None = st.number_input(
        schema["title"],
        min_value=bounds.get("minimum"),
        max_value=bounds.get("maximum", preset.variants[0].spec.data.train),
        value=getattr(preset.variants[0].spec, field),
        step=1,
        help=schema["description"],
        placeholder="all",
        key=field,
        bind="query-params",
        width=170,
    )
    return number
