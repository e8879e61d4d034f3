"""The views of the Layers page that show charts: which charts of which runs and layers, in panels.

To add a chart of recorded data, write a module with a `LayerChart` and add an entry to `LAYER_VIEWS`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bnlab.charts.distributions import PRE_ACTIVATIONS
from bnlab.charts.figures import LayerChart
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
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec

MAX_SIDE_BY_SIDE = 2
HEIGHT, HIDDEN_HEIGHT, DEPTH_HEIGHT = 260, 300, 320
"""Of the charts of a normalization layer, of a hidden layer, and by depth; in pixels."""


@dataclass(frozen=True)
class Panel:
    """Charts side by side, below a title and above notes.

    Attributes:
        id: identifies the panel in its view.
        title: empty for a chart that has its own.
        charts: by their ids, which begin with the panel's.
        notes: sentences on the charts.
        is_half: whether two panels have room in one row.
        height: of each chart, in pixels.
    """

    id: str
    title: str
    charts: Mapping[str, Chart]
    notes: Sequence[str] = ()
    is_half: bool = False
    height: int = HEIGHT


@dataclass(frozen=True)
class LayerView:
    """A view of charts.

    Attributes:
        title: names it.
        caption: explains its charts.
        layer_names: the layers of the runs, of which the reader chooses some.
        panels: what is drawn of the chosen layers, at the chosen epoch.
        at_evaluation: whether the reader chooses an epoch.
        shows_normalizations: whether its layers are the normalization layers, not the hidden ones.
        left_out: the labels of the runs for which it has no room.
    """

    title: str
    caption: str
    layer_names: Callable[[Runs], list[str]]
    panels: Callable[[Store, Runs, Sequence[str], float], list[Panel]]
    at_evaluation: bool = False
    shows_normalizations: bool = False
    left_out: Callable[[Runs], list[str]] = lambda _runs: []


# Which runs, layers and epochs


def normalization_layers(runs: Runs) -> list[str]:
    """The names of all their normalization layers, from the input to the output."""
    return sorted({name for run in runs for name in _normalization_names(run.spec)}, key=_depth)


def hidden_layers(runs: Runs) -> list[str]:
    """The names of the hidden layers of the deepest network."""
    return max((hidden_layer_names(run.spec) for run in runs), key=len, default=[])


def side_by_side(runs: Runs) -> Runs:
    """The first two runs, those with evaluations preferred, in their order."""
    first = sorted(runs, key=lambda run: run.measured < 0)[:MAX_SIDE_BY_SIDE]
    return tuple(run for run in runs if run in first)


def evaluation_steps(store: Store, runs: Runs) -> tuple[tuple[int, ...], int]:
    """The evaluated steps of the run with the most of them, and its steps per epoch."""
    steps = {run: recorded_steps(store, run) for run in runs}
    longest = max(runs, key=lambda run: len(steps[run]))
    return steps[longest], longest.spec.steps_per_epoch


def _left_out(runs: Runs) -> list[str]:
    shown = side_by_side(runs)
    return [run.label for run in runs if run not in shown]


def _with_layers(runs: Runs, layers: Sequence[str]) -> list[tuple[str, Runs]]:
    """Each of `layers` with the runs that have it."""
    having = [(name, tuple(run for run in runs if name in _normalization_names(run.spec))) for name in layers]
    return [(name, layer_runs) for name, layer_runs in having if layer_runs]


@lru_cache(maxsize=64)
def _normalization_names(spec: RunSpec) -> tuple[str, ...]:
    """The names of the normalization layers, from the input to the output."""
    return tuple(layer.name for layer in describe_network(spec).normalizations)


def _depth(name: str) -> int:
    """The number at the end of a layer's name; 0 for the input's."""
    number = name.rpartition("_")[2]
    return int(number) if number.isdigit() else 0


def _is_on_image(spec: RunSpec, layer: str) -> bool:
    """Whether the layer normalizes the pixels of a grayscale image, one unit per pixel."""
    first = describe_network(spec).input_normalization
    is_on_input = first is not None and first.name == layer
    return is_on_input and len(spec.data.image_shape) == 2 and spec.architecture == "dense"


# Panels


def _distributions(store: Store, runs: Runs, layers: Sequence[str], _epoch: float) -> list[Panel]:
    """Percentiles of each variable over training, one panel per layer."""
    return [
        _panel(
            f"distribution-{name}",
            name,
            distribution_charts(store, layer_runs, name),
            exploded_band_notes(store, layer_runs, name) + layer_notes(store, layer_runs, name),
        )
        for name, layer_runs in _with_layers(runs, layers)
    ]


def _heat_maps(store: Store, runs: Runs, layers: Sequence[str], _epoch: float) -> list[Panel]:
    """Every unit over training, one panel per layer and run."""
    return [
        _panel(
            f"heat-{index}-{name}",
            f"{name}, {run.label}",
            heat_map_charts(store, run, name),
            layer_notes(store, (run,), name),
        )
        for name, layer_runs in _with_layers(side_by_side(runs), layers)
        for index, run in enumerate(layer_runs)
    ]


def _histograms(store: Store, runs: Runs, layers: Sequence[str], epoch: float) -> list[Panel]:
    """Each variable over the units at one evaluation, one panel per layer; of the input also as pictures."""
    panels = []
    for name, layer_runs in _with_layers(runs, layers):
        notes = exploded_unit_notes(store, layer_runs, name) + layer_notes(store, layer_runs, name)
        panels.append(_panel(f"histogram-{name}", name, histogram_charts(store, layer_runs, name, epoch), notes))
        image_runs = tuple(run for run in layer_runs if _is_on_image(run.spec, name))
        for index, run in enumerate(side_by_side(image_runs)):
            title = f"{name} as a picture, {run.label}"
            panels.append(_panel(f"picture-{index}-{name}", title, image_charts(store, run, name, epoch)))
    return panels


def _pictures_left_out(runs: Runs) -> list[str]:
    on_images = [run for run in runs if any(_is_on_image(run.spec, name) for name in _normalization_names(run.spec))]
    return _left_out(tuple(on_images))


def _gradients(store: Store, runs: Runs, layers: Sequence[str], epoch: float) -> list[Panel]:
    """The gradient's norm by depth at one evaluation, and by layer over training."""
    by_depth = depth_chart(store, runs, epoch)
    depth = Panel("gradient-depth", "", {"gradient-depth": by_depth}, _notes(by_depth), height=DEPTH_HEIGHT)
    return [depth, *_hidden_layer_panels(GRADIENTS)(store, runs, layers, epoch)]


def _hidden_layer_panels(chart: LayerChart) -> Callable[[Store, Runs, Sequence[str], float], list[Panel]]:
    def panels(store: Store, runs: Runs, layers: Sequence[str], _epoch: float) -> list[Panel]:
        charts = {f"{chart.id}-{name}": hidden_layer_chart(store, runs, name, chart) for name in layers}
        return [
            Panel(key, "", {key: drawn}, _notes(drawn), is_half=True, height=HIDDEN_HEIGHT)
            for key, drawn in charts.items()
        ]

    return panels


def _panel(identifier: str, title: str, charts: Sequence[Chart], notes: Sequence[str] = ()) -> Panel:
    return Panel(identifier, title, {f"{identifier}-{chart.name}": chart for chart in charts}, notes)


def _notes(chart: Chart) -> tuple[str, ...]:
    return (chart.note,) if chart.note else ()


def hidden_layer_view(title: str, chart: LayerChart) -> LayerView:
    """The view with `chart` of each hidden layer."""
    return LayerView(title, chart.caption, hidden_layers, _hidden_layer_panels(chart))


LAYER_VIEWS: dict[str, LayerView] = {
    "distributions": LayerView(
        "Distributions",
        "Line: the median over a layer's units. Bands: where 70 % and 90 % of the units lie.",
        normalization_layers,
        _distributions,
        shows_normalizations=True,
    ),
    "heatmaps": LayerView(
        "Heat maps",
        "One row a unit, sorted by its last value. Orange: above the value it started from, blue: below, clear: "
        "unmoved. Moments are evenly spaced, not to scale. The moving variance is coloured by how many times more "
        "or less than 1 it is.",
        lambda runs: normalization_layers(side_by_side(runs)),
        _heat_maps,
        shows_normalizations=True,
        left_out=_left_out,
    ),
    "histograms": LayerView(
        "Histograms",
        "How a layer's units are spread at one moment. Dotted: the value they started from.",
        normalization_layers,
        _histograms,
        at_evaluation=True,
        shows_normalizations=True,
        left_out=_pictures_left_out,
    ),
    "pre-activations": hidden_layer_view("Inputs to the activations", PRE_ACTIVATIONS),
    "gradients": LayerView("Gradients", GRADIENTS.caption, hidden_layers, _gradients, at_evaluation=True),
}
"""By the id in the URL."""
