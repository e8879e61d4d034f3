"""The Layers page's views: what is drawn of the chosen runs and layers."""

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
from bnlab.ui.layers.evaluation_slider import at_moment
from bnlab.ui.live_chart import live_chart

MAX_SIDE_BY_SIDE = 2
HEIGHT = 260
MAX_ROWS_OPEN = 24


@lru_cache(maxsize=64)
def _normalization_names(spec: RunSpec) -> tuple[str, ...]:
    """The normalization layers' names, from the input on."""
    return tuple(layer.name for layer in describe_network(spec).normalizations)


def render_distributions(store: Store, runs: Runs) -> None:
    """Percentiles of each variable over training, a row a layer."""
    st.caption("Line: the median over a layer's units. Bands: where 70 % and 90 % of the units lie.")
    for name, own in _normalized(runs):
        notes = exploded_band_notes(store, own, name) + layer_notes(store, own, name)
        _render_layer(name, distribution_charts(store, own, name), "distribution", notes=notes)


def render_heat_maps(store: Store, runs: Runs) -> None:
    """Every unit over training, a row a layer and run."""
    st.caption(
        "One row a unit, sorted by its last value. Orange: above the value it started from, blue: below, clear: "
        "unmoved. Moments are evenly spaced, not to scale. The moving variance is coloured by how many times more "
        "or less than 1 it is."
    )
    shown = _side_by_side(runs)
    for name, own in _normalized(shown):
        for place, run in enumerate(own):
            charts, notes = heat_map_charts(store, run, name), layer_notes(store, (run,), name)
            _render_layer(f"{name}, {run.label}", charts, f"heat-{place}", name, notes)
    _say_how_many(runs, shown)


def render_histograms(store: Store, runs: Runs) -> None:
    """Each variable over the units at a moment, a row a layer; the input's also as pictures."""
    st.caption("How a layer's units are spread at one moment. Dotted: the value they started from.")
    layers = _normalized(runs)

    def draw(epoch: float) -> None:
        for name, own in layers:
            notes = exploded_unit_notes(store, own, name) + layer_notes(store, own, name)
            _render_layer(name, histogram_charts(store, own, name, epoch), "histogram", notes=notes)
            images = tuple(run for run in own if _is_on_image(run.spec, name))
            if images:
                _render_pictures(store, images, name, epoch)

    _at_moment(store, runs, draw)


def _is_on_image(spec: RunSpec, layer: str) -> bool:
    """Whether a normalization layer has one unit for each pixel of an image without colours."""
    first = describe_network(spec).input_normalization
    on_input = first is not None and first.name == layer
    return on_input and len(spec.data.image_shape) == 2 and spec.architecture == "dense"


def _render_pictures(store: Store, images: Runs, layer: str, epoch: float) -> None:
    """The input's normalization as images."""
    shown = _side_by_side(images)
    for place, run in enumerate(shown):
        title = f"{layer} as a picture, {run.label}"
        _render_layer(title, image_charts(store, run, layer, epoch), f"picture-{place}", layer)
    _say_how_many(images, shown)


def render_gradients(store: Store, runs: Runs) -> None:
    """The gradient's norm by depth at a moment, and by layer over training."""
    st.caption(GRADIENTS.caption)

    def draw(epoch: float) -> None:
        with st.container(border=True):
            _draw(depth_chart(store, runs, epoch), GRADIENTS.id, 320)

    _at_moment(store, runs, draw)
    _render_hidden_layers(store, runs, GRADIENTS)


def hidden_layers(chart: LayerChart) -> Callable[[Store, Runs], None]:
    """A view with that chart of each hidden layer."""

    def render(store: Store, runs: Runs) -> None:
        st.caption(chart.caption)
        _render_hidden_layers(store, runs, chart)

    return render


def _render_hidden_layers(store: Store, runs: Runs, chart: LayerChart) -> None:
    names = choose_layers(max((hidden_layer_names(run.spec) for run in runs), key=len), "layers-hidden")
    charts = [hidden_layer_chart(store, runs, name, chart) for name in names]
    for start in range(0, len(charts), 2):
        for place, drawn in zip(st.columns(2), charts[start : start + 2], strict=False):
            with place, st.container(border=True):
                _draw(drawn, chart.id, 300)


def render_tables(_store: Store, runs: Runs) -> None:
    """The layers and variables of each network, counted."""
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


def _normalized(runs: Runs) -> list[tuple[str, Runs]]:
    """The chosen normalization layers, each with the runs that have it."""
    named = {run: _normalization_names(run.spec) for run in runs}
    names = sorted({name for layers in named.values() for name in layers}, key=_depth)
    chosen = choose_layers(names, "layers-normalizations")
    return [(name, tuple(run for run in runs if name in named[run])) for name in chosen]


def _depth(name: str) -> int:
    number = name.rpartition("_")[2]
    return int(number) if number.isdigit() else 0


def _at_moment(store: Store, runs: Runs, draw: Callable[[float], None]) -> None:
    """Over the moments of the run that has most of them."""
    steps = {run: recorded_steps(store, run) for run in runs}
    clock = max(runs, key=lambda run: len(steps[run]))
    if steps[clock]:
        at_moment(steps[clock], clock.spec.steps_per_epoch, draw)
    else:
        st.info("Nothing measured yet.")


def _render_layer(title: str, charts: Sequence[Chart], kind: str, layer: str = "", notes: Sequence[str] = ()) -> None:
    with st.container(border=True):
        st.markdown(f"**{escape_markdown(title)}**")
        for place, chart in zip(st.columns(len(charts)) if charts else (), charts, strict=True):
            with place:
                _draw(chart, f"{kind}-{layer or title}", HEIGHT)
        for note in notes:
            st.caption(escape_markdown(note))


def _draw(chart: Chart, kind: str, height: int) -> None:
    live_chart(chart.figure, key=f"layers-{kind}-{chart.name}", height=height, alt=chart.alt)
    if chart.note:
        st.caption(escape_markdown(chart.note))


def _side_by_side(runs: Runs) -> Runs:
    """The first two with something to show; they stay in their order."""
    first = sorted(runs, key=lambda run: run.measured < 0)[:MAX_SIDE_BY_SIDE]
    return tuple(run for run in runs if run in first)


def _say_how_many(runs: Runs, shown: Runs) -> None:
    left_out = [run.label for run in runs if run not in shown]
    if left_out:
        st.caption(f"Two networks at a time: {escape_markdown(', '.join(left_out))} left out.")


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


class LayerView(NamedTuple):
    """How a view is called and drawn, whether only of networks with normalization, whether also of untrained ones."""

    title: str
    render: Callable[[Store, Runs], None]
    is_of_normalization: bool = False
    is_of_untrained: bool = False


VIEWS: dict[str, LayerView] = {
    "distributions": LayerView("Distributions", render_distributions, is_of_normalization=True),
    "heatmaps": LayerView("Heat maps", render_heat_maps, is_of_normalization=True),
    "histograms": LayerView("Histograms", render_histograms, is_of_normalization=True),
    "pre-activations": LayerView("Inputs to the activations", hidden_layers(PRE_ACTIVATIONS)),
    "gradients": LayerView("Gradients", render_gradients),
    "xray": LayerView("X-ray", render_xray, is_of_untrained=True),
    "tables": LayerView("Tables", render_tables),
}
"""By the id that the address has. Another chart of recorded data is a module with a `LayerChart`, and a line here."""
VIEWS_BY_TITLE = {view.title: name for name, view in VIEWS.items()}
"""Addresses of version 0.1 have titles."""
