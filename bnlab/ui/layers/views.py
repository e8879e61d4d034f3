"""The views of the Layers page: charts and tables of the chosen runs and layers."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from bnlab.charts.distributions import PRE_ACTIVATIONS
from bnlab.charts.figures import LayerChart
from bnlab.charts.formatting import escape_markdown
from bnlab.charts.gradients import GRADIENTS
from bnlab.charts.layer_charts import (
    Chart,
    Runs,
    depth_chart,
    distribution_charts,
    exploded_band_notes,
    exploded_unit_notes,
    heat_map_charts,
    hidden_layer_chart,
    hidden_layer_names,
    histogram_charts,
    image_charts,
    layer_notes,
    recorded_steps,
)
from bnlab.charts.tables import parameter_text, summary_frame, variables_frame
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.layers.choices import choose_layers
from bnlab.ui.layers.depth_profile import render_xray
from bnlab.ui.layers.evaluation_slider import render_with_slider
from bnlab.ui.live_chart import live_chart

MAX_SIDE_BY_SIDE = 2
HEIGHT = 260
MAX_ROWS_OPEN = 24
"""Longer tables scroll."""


class LayerView(NamedTuple):
    """A view: its title, and what draws it.

    `needs_normalization`: only of networks with normalization. `shows_untrained`: also of networks without a run.
    """

    title: str
    render: Callable[[Store, Runs], None]
    needs_normalization: bool = False
    shows_untrained: bool = False


def render_distributions(store: Store, runs: Runs) -> None:
    """Percentiles of each variable over training, one row per layer."""
    st.caption("Line: the median over a layer's units. Bands: where 70 % and 90 % of the units lie.")
    for name, layer_runs in _choose_normalizations(runs):
        notes = exploded_band_notes(store, layer_runs, name) + layer_notes(store, layer_runs, name)
        _render_layer(name, distribution_charts(store, layer_runs, name), "distribution", notes=notes)


def render_heat_maps(store: Store, runs: Runs) -> None:
    """Every unit over training, one row per layer and run."""
    st.caption(
        "One row a unit, sorted by its last value. Orange: above the value it started from, blue: below, clear: "
        "unmoved. Moments are evenly spaced, not to scale. The moving variance is coloured by how many times more "
        "or less than 1 it is."
    )
    shown = _side_by_side(runs)
    for name, layer_runs in _choose_normalizations(shown):
        for index, run in enumerate(layer_runs):
            charts, notes = heat_map_charts(store, run, name), layer_notes(store, (run,), name)
            _render_layer(f"{name}, {run.label}", charts, f"heat-{index}", name, notes)
    _render_left_out(runs, shown)


def render_histograms(store: Store, runs: Runs) -> None:
    """Each variable over the units at one evaluation, one row per layer; for the input also as pictures."""
    st.caption("How a layer's units are spread at one moment. Dotted: the value they started from.")
    layers = _choose_normalizations(runs)

    def render(epoch: float) -> None:
        for name, layer_runs in layers:
            notes = exploded_unit_notes(store, layer_runs, name) + layer_notes(store, layer_runs, name)
            _render_layer(name, histogram_charts(store, layer_runs, name, epoch), "histogram", notes=notes)
            image_runs = tuple(run for run in layer_runs if _is_on_image(run.spec, name))
            if image_runs:
                _render_pictures(store, image_runs, name, epoch)

    _render_at_evaluation(store, runs, render)


def render_gradients(store: Store, runs: Runs) -> None:
    """The gradient's norm by depth at one evaluation, and by layer over training."""
    st.caption(GRADIENTS.caption)

    def render(epoch: float) -> None:
        with st.container(border=True):
            _render_chart(depth_chart(store, runs, epoch), GRADIENTS.id, 320)

    _render_at_evaluation(store, runs, render)
    _render_hidden_layers(store, runs, GRADIENTS)


def hidden_layers(chart: LayerChart) -> Callable[[Store, Runs], None]:
    """A function that draws the view with `chart` of each hidden layer."""

    def render(store: Store, runs: Runs) -> None:
        st.caption(chart.caption)
        _render_hidden_layers(store, runs, chart)

    return render


def render_tables(_store: Store, runs: Runs) -> None:
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


VIEWS: dict[str, LayerView] = {
    "distributions": LayerView("Distributions", render_distributions, needs_normalization=True),
    "heatmaps": LayerView("Heat maps", render_heat_maps, needs_normalization=True),
    "histograms": LayerView("Histograms", render_histograms, needs_normalization=True),
    "pre-activations": LayerView("Inputs to the activations", hidden_layers(PRE_ACTIVATIONS)),
    "gradients": LayerView("Gradients", render_gradients),
    "xray": LayerView("X-ray", render_xray, shows_untrained=True),
    "tables": LayerView("Tables", render_tables),
}
"""By the id in the URL. To add a chart of recorded data, write a module with a `LayerChart` and add an entry here."""
VIEWS_BY_TITLE = {view.title: view_id for view_id, view in VIEWS.items()}
"""URLs made by version 0.1 contain titles."""


def _choose_normalizations(runs: Runs) -> list[tuple[str, Runs]]:
    """The chosen normalization layers, each with the runs that have it."""
    layers = {run: _normalization_names(run.spec) for run in runs}
    names = sorted({name for run_layers in layers.values() for name in run_layers}, key=_depth)
    chosen = choose_layers(names, "layers-normalizations")
    return [(name, tuple(run for run in runs if name in layers[run])) for name in chosen]


@lru_cache(maxsize=64)
def _normalization_names(spec: RunSpec) -> tuple[str, ...]:
    """The names of the normalization layers, from the input to the output."""
    return tuple(layer.name for layer in describe_network(spec).normalizations)


def _depth(name: str) -> int:
    """The number at the end of a layer's name; 0 for the input's."""
    number = name.rpartition("_")[2]
    return int(number) if number.isdigit() else 0


def _side_by_side(runs: Runs) -> Runs:
    """The first two runs, those with evaluations preferred, in their order."""
    first = sorted(runs, key=lambda run: run.measured < 0)[:MAX_SIDE_BY_SIDE]
    return tuple(run for run in runs if run in first)


def _render_left_out(runs: Runs, shown: Runs) -> None:
    left_out = [run.label for run in runs if run not in shown]
    if left_out:
        st.caption(f"Two networks at a time: {escape_markdown(', '.join(left_out))} left out.")


def _render_at_evaluation(store: Store, runs: Runs, render: Callable[[float], None]) -> None:
    """Draw the slider over the evaluations of the run with the most of them, and what `render` draws of the chosen."""
    steps = {run: recorded_steps(store, run) for run in runs}
    longest = max(runs, key=lambda run: len(steps[run]))
    if steps[longest]:
        render_with_slider(steps[longest], longest.spec.steps_per_epoch, render)
    else:
        st.info("Nothing measured yet.")


def _is_on_image(spec: RunSpec, layer: str) -> bool:
    """Whether the layer normalizes the pixels of a grayscale image, one unit per pixel."""
    first = describe_network(spec).input_normalization
    is_on_input = first is not None and first.name == layer
    return is_on_input and len(spec.data.image_shape) == 2 and spec.architecture == "dense"


def _render_pictures(store: Store, runs: Runs, layer: str, epoch: float) -> None:
    """The input's normalization as images, one run per row."""
    shown = _side_by_side(runs)
    for index, run in enumerate(shown):
        title = f"{layer} as a picture, {run.label}"
        _render_layer(title, image_charts(store, run, layer, epoch), f"picture-{index}", layer)
    _render_left_out(runs, shown)


def _render_hidden_layers(store: Store, runs: Runs, chart: LayerChart) -> None:
    names = choose_layers(max((hidden_layer_names(run.spec) for run in runs), key=len), "layers-hidden")
    charts = [hidden_layer_chart(store, runs, name, chart) for name in names]
    for start in range(0, len(charts), 2):
        for column, layer_chart in zip(st.columns(2), charts[start : start + 2], strict=False):
            with column, st.container(border=True):
                _render_chart(layer_chart, chart.id, 300)


def _render_layer(title: str, charts: Sequence[Chart], kind: str, layer: str = "", notes: Sequence[str] = ()) -> None:
    with st.container(border=True):
        st.markdown(f"**{escape_markdown(title)}**")
        for column, chart in zip(st.columns(len(charts)) if charts else (), charts, strict=True):
            with column:
                _render_chart(chart, f"{kind}-{layer or title}", HEIGHT)
        for note in notes:
            st.caption(escape_markdown(note))


def _render_chart(chart: Chart, kind: str, height: int) -> None:
    live_chart(chart.figure, key=f"layers-{kind}-{chart.name}", height=height, alt=chart.alt)
    if chart.note:
        st.caption(escape_markdown(chart.note))


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
    "non_trainable": _number("Not trainable"),
}
_VARIABLE_COLUMNS: dict[str, ColumnConfig | str | None] = {
    "name": "Name",
    "shape": "Shape",
    "trainable": "Trainable",
    "params": _number("Parameters"),
}
