"""The views of the Layers page: charts of the chosen runs and layers, which the event stream brings, and tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.column_types import ColumnConfig

from bnlab.charts.formatting import escape_markdown
from bnlab.charts.layer_charts import Runs
from bnlab.charts.layer_views import LAYER_VIEWS, LayerView, Panel, evaluation_steps, question_of
from bnlab.charts.tables import parameter_text, summary_frame, variables_frame
from bnlab.live.layers import LAYERS
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network
from bnlab.specs.presets import PRESETS
from bnlab.ui.compare.toolbar import show_preset
from bnlab.ui.layers.choices import choose_epoch, choose_layers, render_answer, render_glossary
from bnlab.ui.live import live_text
from bnlab.ui.live_chart import streamed_chart

MAX_ROWS_OPEN = 24
"""Longer tables scroll."""


@dataclass(frozen=True)
class Drawn:
    """What was drawn of a view: the chosen layers, the chosen epoch, None for the last one, and the charts' keys."""

    layers: tuple[str, ...] = ()
    epoch: float | None = None
    charts: tuple[str, ...] = ()


def render_charts(
    store: Store, view_id: str, runs: Runs, answer: DeltaGenerator, *, without_answer: bool = False
) -> Drawn:
    """Draw a view with its controls, and in the container `answer` its answer and the glossary."""
    view, question = LAYER_VIEWS[view_id], question_of(view_id)
    layers = tuple(choose_layers(view.layer_names(runs), LAYERS[view.shows_normalizations]))
    steps, steps_per_epoch = evaluation_steps(store, runs)
    chosen = choose_epoch(steps, steps_per_epoch) if view.at_evaluation and steps else None
    epoch = chosen if chosen is not None else max(steps, default=0) / steps_per_epoch
    with answer:
        if not without_answer:
            render_answer(question.answer(store, runs, epoch) if steps else "Nothing measured yet.")
        render_glossary(question)
    st.caption(view.caption)
    if not steps:
        return Drawn(layers)
    _render_unmeasured(view, runs)
    panels = view.panels(store, runs, layers, epoch)
    for panel in panels:
        if not panel.is_half:
            _render_panel(panel)
    halves = [panel for panel in panels if panel.is_half]
    for start in range(0, len(halves), 2):
        for column, panel in zip(st.columns(2), halves[start : start + 2], strict=False):
            with column:
                _render_panel(panel)
    if left_out := view.left_out(runs):
        st.caption(f"Two networks at a time: {escape_markdown(', '.join(left_out))} omitted.")
    return Drawn(layers, chosen, tuple(key for panel in panels for key in panel.charts))


def _render_unmeasured(view: LayerView, runs: Runs) -> None:
    """If none of the runs has what the view shows, say so, and offer recorded runs that have it."""
    if sentence := view.unmeasured(runs):
        st.markdown(escape_markdown(sentence))
        name = view.example
        label = f"Show recorded networks that have it: “{PRESETS[name].question}”"
        st.button(label, on_click=show_preset, args=(name,), key="layers-example")


def _render_panel(panel: Panel) -> None:
    notes = "\n".join(panel.notes)
    if not panel.charts:
        if notes:
            live_text(f"notes/{panel.id}", notes, key=f"layers-notes-{panel.id}")
        return
    with st.container(border=True):
        if panel.title:
            st.markdown(f"**{escape_markdown(panel.title)}**")
        columns = st.columns(len(panel.charts)) if len(panel.charts) > 1 else [st.container()]
        for column, key in zip(columns, panel.charts, strict=True):
            with column:
                streamed_chart(f"charts/{key}", key=f"layers-{key}", height=panel.height, panel=panel.title)
        live_text(f"notes/{panel.id}", notes, key=f"layers-notes-{panel.id}")


def render_tables(runs: Runs) -> None:
    """The layers and variables of each network, with their parameters."""
    for run in runs:
        network = describe_network(run.spec)
        with st.container(border=True):
            st.markdown(
                f"**{escape_markdown(run.label)}**: {network.params:,} parameters, {network.trainable:,} trainable"
            )
            _render_table(summary_frame(network), _SUMMARY_COLUMNS)
            if network.normalizations:
                lines = [f"- `{layer.name}`: {parameter_text(layer)}" for layer in network.normalizations]
                st.markdown("\n".join(lines))
                st.markdown("`bn.variables`")
                _render_table(variables_frame(network), _VARIABLE_COLUMNS)


def _render_table(frame: pd.DataFrame, columns: Mapping[str, ColumnConfig | str | None]) -> None:
    height: Literal["content", "auto"] = "content" if len(frame) <= MAX_ROWS_OPEN else "auto"
    st.dataframe(frame, hide_index=True, height=height, column_config=columns)


def _number(title: str) -> ColumnConfig:
    return st.column_config.NumberColumn(title, format="localized")


_SUMMARY_COLUMNS: dict[str, ColumnConfig | str | None] = {
    "layer": "Layer",
    "class": "Class",
    "output_shape": "Output shape",
    "params": _number("Parameters"),
    "trainable": _number("Trainable"),
    "non_trainable": _number("Non-trainable"),
}
_VARIABLE_COLUMNS: dict[str, ColumnConfig | str | None] = {
    "name": "Name",
    "shape": "Shape",
    "trainable": "Trainable",
    "params": _number("Parameters"),
}
