"""The charts of the Layers page, from the store to the figure.

Each is computed once for a state of the runs and cached for all updates and sessions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts import distributions, gradients, heatmaps, histograms, layer_answers
from bnlab.charts.distributions import missing_variable_figure, normalization_frame, unit_values, values_at
from bnlab.charts.figures import LayerChart
from bnlab.charts.moving_statistics import (
    QUANTITIES,
    moving_statistics_alt,
    moving_statistics_figure,
    moving_statistics_frame,
)
from bnlab.charts.snapshots import EXPLODED_TEXT, exploded_runs, step_text
from bnlab.charts.style import Style
from bnlab.charts.unchanged_values import remove_rounding_errors, unchanged_figure, unchanged_notes
from bnlab.runs.reader import evaluated_steps, layers_frame, snapshots_frame
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec


@dataclass(frozen=True)
class ShownRun:
    """A state of a run on the Layers page; its charts are the same as long as this is equal.

    Attributes:
        digest: the run's digest.
        measured: the step of its latest evaluation, -1 before the first.
        style: its look in the charts.
        spec: the run's spec.
    """

    digest: str
    measured: int
    style: Style
    spec: RunSpec = field(compare=False)

    @property
    def label(self) -> str:
        """The run's label."""
        return self.style.name

    def step_at(self, epoch: float) -> int:
        """The run's step at `epoch`."""
        return round(epoch * self.spec.steps_per_epoch)


Runs = tuple[ShownRun, ...]


class Chart(NamedTuple):
    """A figure, its name among those of its layer, its alternative text, and a remark on it."""

    name: str
    figure: go.Figure
    alt: str
    note: str = ""

    @property
    def message(self) -> str:
        """Why there is nothing to draw; empty if there is something."""
        if self.figure.data:
            return ""
        return f"{self.figure.layout.title.text}: {self.figure.layout.annotations[0].text}."


# Charts of normalization layers: one for each variable


@lru_cache(maxsize=256)
def distribution_charts(store: Store, runs: Runs, layer: str) -> tuple[Chart, ...]:
    """Percentiles over training, all runs together."""
    frames = {run.digest: _normalization_frame(store, run, layer) for run in runs}
    styles, charts = _styles(runs), []
    for variable in _variables(runs):
        figure = distributions.normalization_figure(frames, variable, styles)
        charts.append(Chart(variable, figure, distributions.normalization_alt(frames, variable, layer, styles)))
    return tuple(charts)


@lru_cache(maxsize=256)
def moving_statistics_charts(store: Store, runs: Runs, layer: str) -> tuple[Chart, ...]:
    """What the moving statistics leave of each layer's mean and deviation over training, all runs together."""
    frames = {run.digest: moving_statistics_frame(_snapshots(store, run, layer), run.spec) for run in runs}
    styles = _styles(runs)
    return tuple(
        Chart(
            quantity,
            moving_statistics_figure(frames, quantity, styles),
            moving_statistics_alt(frames, quantity, layer, styles),
        )
        for quantity in QUANTITIES
    )


@lru_cache(maxsize=256)
def heat_map_charts(store: Store, run: ShownRun, layer: str) -> tuple[Chart, ...]:
    """Every unit of one run over training."""
    snapshots, charts = _snapshots(store, run, layer), []
    for variable in _variables([run]):
        frame = heatmaps.heat_map_frame(snapshots, variable)
        figure = _message(run, snapshots, variable)
        figure = figure or heatmaps.heat_map_figure(frame, variable, run.spec.steps_per_epoch)
        charts.append(Chart(variable, figure, heatmaps.heat_map_alt(frame, variable, f"{layer}, {run.label}")))
    return tuple(charts)


@lru_cache(maxsize=512)
def image_charts(store: Store, run: ShownRun, layer: str, epoch: float) -> tuple[Chart, ...]:
    """The normalization of one run's input at one evaluation, as an image."""
    snapshots, charts = _snapshots(store, run, layer), []
    rows, columns = run.spec.data.image_shape[:2]
    for variable in _variables([run]):
        frame = heatmaps.image_frame(snapshots, variable, run.step_at(epoch), (rows, columns))
        limit = heatmaps.deviation_limit(variable, unit_values(snapshots, variable)[1])
        figure = _message(run, snapshots, variable) or heatmaps.image_figure(frame, variable, limit)
        charts.append(Chart(variable, figure, heatmaps.image_alt(frame, variable, f"{layer}, {run.label}")))
    return tuple(charts)


@lru_cache(maxsize=512)
def histogram_charts(store: Store, runs: Runs, layer: str, epoch: float) -> tuple[Chart, ...]:
    """Histograms over the units at one evaluation, all runs together."""
    snapshots = {run.digest: _snapshots(store, run, layer) for run in runs}
    steps, styles, charts = {run.digest: run.step_at(epoch) for run in runs}, _styles(runs), []
    for variable in _variables(runs):
        values = histograms.histogram_values(snapshots, variable, steps)
        x_range = histograms.histogram_range(list(snapshots.values()), variable)
        frame = histograms.histogram_frame(values, x_range)
        figure = missing_variable_figure(snapshots, variable)
        figure = figure or histograms.histogram_figure(frame, variable, styles, x_range)
        charts.append(Chart(variable, figure, histograms.histogram_alt(values, variable, layer, styles)))
    return tuple(charts)


# Charts of hidden layers


@lru_cache(maxsize=512)
def hidden_layer_chart(store: Store, runs: Runs, layer: str, chart: LayerChart) -> Chart:
    """One hidden layer over training, all runs together."""
    frames = {run.digest: chart.frame(_layers(store, run), layer, run.spec.steps_per_epoch) for run in runs}
    styles = _styles(runs)
    figure, alt = chart.figure(frames, layer, styles), chart.alt(frames, layer, styles)
    return Chart(layer, figure, alt, chart.note(frames, styles))


@lru_cache(maxsize=256)
def depth_chart(store: Store, runs: Runs, epoch: float) -> Chart:
    """The gradient norm by depth at one evaluation, all runs together."""
    frames = {
        run.digest: gradients.depth_frame(_layers(store, run), hidden_layer_names(run.spec), run.step_at(epoch))
        for run in runs
    }
    styles = _styles(runs)
    figure, alt = gradients.depth_figure(frames, styles), gradients.depth_alt(frames, styles)
    return Chart("depth", figure, alt, gradients.gap_text(frames, styles))


@lru_cache(maxsize=64)
def hidden_layer_names(spec: RunSpec) -> list[str]:
    """The hidden layers' names in the layer records, from the input on."""
    return [block.dense for block in describe_network(spec).blocks]


# Answers


def gradient_answer(store: Store, runs: Runs, epoch: float) -> str:
    """How the gradient changes from the last hidden layer to the first."""

    def finding(run: ShownRun, step: int) -> str:
        return layer_answers.gradient_finding(
            gradients.depth_frame(_layers(store, run), hidden_layer_names(run.spec), step)
        )

    return _answer(store, runs, epoch, finding)


def activation_answer(store: Store, runs: Runs, epoch: float) -> str:
    """Where most of the pre-activations of the first and the last hidden layer are."""

    def finding(run: ShownRun, step: int) -> str:
        records = _layers(store, run)
        bands = records[records["step"] == step].set_index("layer")
        return layer_answers.activation_finding(
            bands.loc[[name for name in hidden_layer_names(run.spec) if name in bands.index]]
        )

    return _answer(store, runs, epoch, finding)


def learned_answer(store: Store, runs: Runs, epoch: float) -> str:
    """What gamma and beta have become, over the units of the hidden layers' normalizations or else of the input's."""
    without = []

    def finding(run: ShownRun, step: int) -> str:
        network = describe_network(run.spec)
        names = [layer.name for layer in network.normalizations]
        on_input = network.input_normalization
        hidden = [name for name in names if on_input is None or name != on_input.name] or names
        snapshots = [_snapshots(store, run, name) for name in hidden]
        values = {
            variable: np.concatenate([values_at(frame, variable, step) for frame in snapshots])
            for variable in _variables([run])
        }
        recorded = {variable: units for variable, units in values.items() if units.size}
        if not recorded:
            without.append(run)
        return layer_answers.learned_finding(recorded)

    answer = _answer(store, runs, epoch, finding)
    if not without:
        return answer
    labels = ", ".join(f"{run.label} with seed {run.spec.seed}" for run in without)
    return f"{answer} Gamma and beta were not recorded in {labels}.".strip()


def _answer(store: Store, runs: Runs, epoch: float, finding: Callable[[ShownRun, int], str]) -> str:
    """The findings at each run's latest evaluation up to `epoch`, in one sentence; empty before the first."""
    readings = []
    for run in runs[: layer_answers.MAX_READINGS]:
        steps = [step for step in recorded_steps(store, run) if step <= run.step_at(epoch)]
        if steps and (found := finding(run, steps[-1])):
            when = "at the start" if not steps[-1] else f"at {step_text(steps[-1], run.spec.steps_per_epoch)}"
            readings.append(layer_answers.RunFinding(run.label, run.spec.seed, when, found))
    is_cut = len(runs) > layer_answers.MAX_READINGS
    return layer_answers.sentence(readings, len(runs) if is_cut else 0)


# Notes on a layer's charts


@lru_cache(maxsize=256)
def layer_notes(store: Store, runs: Runs, layer: str) -> tuple[str, ...]:
    """Sentences on variables that the layer's charts do not show, and on values that stay unchanged."""
    return (*distributions.statistics_notes(run.spec for run in runs), *_unchanged_notes(store, runs, layer))


@lru_cache(maxsize=256)
def exploded_band_notes(store: Store, runs: Runs, layer: str) -> tuple[str, ...]:
    """A sentence on the runs whose bands are outside the axes of the layer's distributions."""
    frames = {run: _normalization_frame(store, run, layer) for run in runs}
    return _exploded_notes(
        runs,
        [
            {run: distributions.band_ends(frame[frame["variable"] == variable]) for run, frame in frames.items()}
            for variable in _variables(runs)
        ],
    )


@lru_cache(maxsize=256)
def exploded_unit_notes(store: Store, runs: Runs, layer: str) -> tuple[str, ...]:
    """A sentence on the runs with units outside the axes of the layer's histograms."""
    snapshots = {run: _snapshots(store, run, layer) for run in runs}
    return _exploded_notes(
        runs,
        [
            {run: unit_values(frame, variable)[1].ravel() for run, frame in snapshots.items()}
            for variable in _variables(runs)
        ],
    )


def _exploded_notes(runs: Runs, values_by_variable: Sequence[Mapping[ShownRun, NDArray[Any]]]) -> tuple[str, ...]:
    exploded = set().union(*map(exploded_runs, values_by_variable))
    labels = [run.label for run in runs if run in exploded]
    return (f"{', '.join(labels)}: {EXPLODED_TEXT}",) if labels else ()


def _unchanged_notes(store: Store, runs: Runs, layer: str) -> tuple[str, ...]:
    """Sentences on values that stay unchanged, each with the runs that it applies to."""
    labels_by_note: dict[str, list[str]] = {}
    for run in runs:
        for note in unchanged_notes(_snapshots(store, run, layer), run.spec, layer):
            labels_by_note.setdefault(note, []).append(run.label)
    if len(runs) == 1:
        return tuple(note[0].upper() + note[1:] for note in labels_by_note)
    return tuple(f"{', '.join(labels)}: {note}" for note, labels in labels_by_note.items())


# Recorded data


@lru_cache(maxsize=64)
def recorded_steps(store: Store, run: ShownRun) -> tuple[int, ...]:
    """The steps of the run's evaluations, in order."""
    return tuple(evaluated_steps(store, run.digest))


@lru_cache(maxsize=16)  # those of a long run can take megabytes
def _snapshots(store: Store, run: ShownRun, layer: str) -> pd.DataFrame:
    return remove_rounding_errors(snapshots_frame(store, run.digest, layer))


@lru_cache(maxsize=32)
def _layers(store: Store, run: ShownRun) -> pd.DataFrame:
    return layers_frame(store, run.digest)


def _normalization_frame(store: Store, run: ShownRun, layer: str) -> pd.DataFrame:
    return normalization_frame(_snapshots(store, run, layer), run.spec.steps_per_epoch)


def _variables(runs: Sequence[ShownRun]) -> tuple[str, ...]:
    return distributions.shown_variables(run.spec for run in runs)


def _styles(runs: Sequence[ShownRun]) -> dict[str, Style]:
    return {run.digest: run.style for run in runs}


def _message(run: ShownRun, snapshots: pd.DataFrame, variable: str) -> go.Figure | None:
    """The figure in place of an empty picture of one run's variable; None if there is something to draw."""
    missing = missing_variable_figure({run.digest: snapshots}, variable)
    return missing or unchanged_figure(variable, unit_values(snapshots, variable)[1])
