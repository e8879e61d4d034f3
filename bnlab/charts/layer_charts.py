"""The charts of the Layers page, made once a moment and shared by all ticks and sessions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.distributions import (
    missing_variable_figure,
    band_ends,
    normalization_alt,
    normalization_figure,
    normalization_frame,
    shown_variables,
    statistics_notes,
    unit_values,
)
from bnlab.charts.figures import LayerChart
from bnlab.charts.gradients import depth_alt, depth_figure, depth_frame, gap_text
from bnlab.charts.heatmaps import (
    deviation_limit,
    heat_map_alt,
    heat_map_figure,
    heat_map_frame,
    image_alt,
    image_figure,
    image_frame,
)
from bnlab.charts.histograms import histogram_alt, histogram_figure, histogram_frame, histogram_range, histogram_values
from bnlab.charts.snapshots import EXPLODED_TEXT, exploded_runs
from bnlab.charts.style import Style
from bnlab.charts.unchanged_values import unchanged_figure, unchanged_notes, remove_rounding_errors
from bnlab.runs.reader import evaluations_frame, layers_frame, snapshots_frame
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec


@dataclass(frozen=True)
class ShownRun:
    """A run as it stands: everything drawn of it is the same as long as this is equal.

    `measured` is the step of its latest moment, -1 before the first.
    """

    digest: str
    measured: int
    style: Style
    spec: RunSpec = field(compare=False)

    @property
    def label(self) -> str:
        """What the run is called."""
        return self.style.name

    def step_at(self, epoch: float) -> int:
        """The step that an epoch is, in this run."""
        return round(epoch * self.spec.steps_per_epoch)


Runs = tuple[ShownRun, ...]


class Chart(NamedTuple):
    """A figure, what names it among those of its layer, what it shows in a sentence, and what is to be said of it."""

    name: str
    figure: go.Figure
    alt: str
    note: str = ""


@lru_cache(maxsize=64)
def recorded_steps(store: Store, run: ShownRun) -> tuple[int, ...]:
    """The steps of the run's moments, in order."""
    return tuple(evaluations_frame(store, [store.run(run.digest)])["step"].tolist())


@lru_cache(maxsize=16)  # a long run's can take megabytes
def _snapshots(store: Store, run: ShownRun, layer: str) -> pd.DataFrame:
    return remove_rounding_errors(snapshots_frame(store, run.digest, layer))


@lru_cache(maxsize=32)
def _layers(store: Store, run: ShownRun) -> pd.DataFrame:
    return layers_frame(store, run.digest)


def _styles(runs: Sequence[ShownRun]) -> dict[str, Style]:
    return {run.digest: run.style for run in runs}


@lru_cache(maxsize=256)
def distribution_charts(store: Store, runs: Runs, layer: str) -> tuple[Chart, ...]:
    """Each variable's percentiles over training, all runs together."""
    frames = {run.digest: normalization_frame(_snapshots(store, run, layer), run.spec.steps_per_epoch) for run in runs}
    styles = _styles(runs)
    return tuple(
        Chart(v, normalization_figure(frames, v, styles), normalization_alt(frames, v, layer, styles))
        for v in _variables(runs)
    )


@lru_cache(maxsize=256)
def heat_map_charts(store: Store, run: ShownRun, layer: str) -> tuple[Chart, ...]:
    """Each variable of every unit over training, of one run."""
    snapshots, charts = _snapshots(store, run, layer), []
    for variable in _variables([run]):
        frame, values = heat_map_frame(snapshots, variable), unit_values(snapshots, variable)[1]
        said = missing_variable_figure({run.digest: snapshots}, variable) or unchanged_figure(variable, values)
        drawn = said or heat_map_figure(frame, variable, run.spec.steps_per_epoch)
        charts.append(Chart(variable, drawn, heat_map_alt(frame, variable, f"{layer}, {run.label}")))
    return tuple(charts)


@lru_cache(maxsize=512)
def histogram_charts(store: Store, runs: Runs, layer: str, epoch: float) -> tuple[Chart, ...]:
    """Each variable over the units at one moment, all runs together."""
    snapshots = {run.digest: _snapshots(store, run, layer) for run in runs}
    steps, styles, charts = {run.digest: run.step_at(epoch) for run in runs}, _styles(runs), []
    for variable in _variables(runs):
        values = histogram_values(snapshots, variable, steps)
        span = histogram_range(list(snapshots.values()), variable)
        drawn = missing_variable_figure(snapshots, variable) or histogram_figure(
            histogram_frame(values, span), variable, styles, span
        )
        charts.append(Chart(variable, drawn, histogram_alt(values, variable, layer, styles)))
    return tuple(charts)


@lru_cache(maxsize=512)
def image_charts(store: Store, run: ShownRun, layer: str, epoch: float) -> tuple[Chart, ...]:
    """Each variable of the input's normalization at one moment, as an image."""
    snapshots, charts = _snapshots(store, run, layer), []
    rows, columns = run.spec.data.image_shape
    for variable in _variables([run]):
        frame = image_frame(snapshots, variable, run.step_at(epoch), (rows, columns))
        values = unit_values(snapshots, variable)[1]
        said = missing_variable_figure({run.digest: snapshots}, variable) or unchanged_figure(variable, values)
        drawn = said or image_figure(frame, variable, deviation_limit(variable, values))
        charts.append(Chart(variable, drawn, image_alt(frame, variable, f"{layer}, {run.label}")))
    return tuple(charts)


def _variables(runs: Sequence[ShownRun]) -> tuple[str, ...]:
    return shown_variables(run.spec for run in runs)


@lru_cache(maxsize=256)
def layer_notes(store: Store, runs: Runs, layer: str) -> tuple[str, ...]:
    """What charts of one layer's variables do not show, and why some of its values have not moved."""
    return (*statistics_notes(run.spec for run in runs), *_unmoved_notes(store, runs, layer))


def _unmoved_notes(store: Store, runs: Runs, layer: str) -> tuple[str, ...]:
    """Why some of one layer's values have not moved, a sentence each, with the runs of which it is true."""
    told: dict[str, list[str]] = {}
    for run in runs:
        for words in unchanged_notes(_snapshots(store, run, layer), describe_network(run.spec), layer):
            told.setdefault(words, []).append(run.label)
    if len(runs) == 1:
        return tuple(words[0].upper() + words[1:] for words in told)
    return tuple(f"{', '.join(labels)}: {words}" for words, labels in told.items())


@lru_cache(maxsize=256)
def exploded_band_notes(store: Store, runs: Runs, layer: str) -> tuple[str, ...]:
    """Which of the runs' bands leave the axes that one layer's distributions have in common."""
    frames = {run: normalization_frame(_snapshots(store, run, layer), run.spec.steps_per_epoch) for run in runs}
    of_all = [
        {run: band_ends(frame[frame["variable"] == v]) for run, frame in frames.items()} for v in _variables(runs)
    ]
    return _exploded(runs, set().union(*map(exploded_runs, of_all)))


@lru_cache(maxsize=256)
def exploded_unit_notes(store: Store, runs: Runs, layer: str) -> tuple[str, ...]:
    """Which of the runs' units leave the axes that one layer's histograms have in common."""
    snapshots = {run: _snapshots(store, run, layer) for run in runs}
    of_all = [{run: unit_values(frame, v)[1].ravel() for run, frame in snapshots.items()} for v in _variables(runs)]
    return _exploded(runs, set().union(*map(exploded_runs, of_all)))


def _exploded(runs: Runs, exploded: set[ShownRun]) -> tuple[str, ...]:
    names = [run.label for run in runs if run in exploded]
    return (f"{', '.join(names)}: {EXPLODED_TEXT}",) if names else ()


@lru_cache(maxsize=512)
def hidden_layer_chart(store: Store, runs: Runs, layer: str, chart: LayerChart) -> Chart:
    """One hidden layer over training, all runs together."""
    frames = {run.digest: chart.frame(_layers(store, run), layer, run.spec.steps_per_epoch) for run in runs}
    styles = _styles(runs)
    return Chart(
        layer, chart.figure(frames, layer, styles), chart.alt(frames, layer, styles), chart.note(frames, styles)
    )


@lru_cache(maxsize=256)
def depth_chart(store: Store, runs: Runs, epoch: float) -> Chart:
    """The gradient norm by depth at one moment, all runs together."""
    frames = {
        run.digest: depth_frame(_layers(store, run), hidden_layer_names(run.spec), run.step_at(epoch)) for run in runs
    }
    styles = _styles(runs)
    return Chart("depth", depth_figure(frames, styles), depth_alt(frames, styles), gap_text(frames, styles))


@lru_cache(maxsize=64)
def hidden_layer_names(spec: RunSpec) -> list[str]:
    """The hidden layers' names, from the input on, as the layer records call them."""
    return [block.dense for block in describe_network(spec).blocks]
