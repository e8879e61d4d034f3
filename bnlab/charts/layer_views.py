"""The views of the Layers page that show charts: which charts of which runs and layers, in panels.

To add a chart of recorded data, write a module with a `LayerChart` and add an entry to `LAYER_VIEWS`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bnlab.charts.distributions import PRE_ACTIVATIONS
from bnlab.charts.figures import LayerChart
from bnlab.charts.gradients import GRADIENTS
from bnlab.charts.layer_charts import (
    Chart,
    Runs,
    activation_answer,
    depth_chart,
    distribution_charts,
    exploded_band_notes,
    exploded_unit_notes,
    gradient_answer,
    heat_map_charts,
    hidden_layer_chart,
    hidden_layer_names,
    histogram_charts,
    image_charts,
    layer_notes,
    learned_answer,
    moving_statistics_charts,
    recorded_steps,
)
from bnlab.charts.shared_axes import Axis, share_axis
from bnlab.runs.store import Store
from bnlab.specs.choices import EVALUATION_METHODS
from bnlab.specs.network import describe_network
from bnlab.specs.normalizers import NORMALIZERS
from bnlab.specs.run_spec import RunSpec

MAX_SIDE_BY_SIDE = 2
HEIGHT, HIDDEN_HEIGHT, DEPTH_HEIGHT = 260, 300, 320
"""Of the charts of a normalization layer, of a hidden layer, and by depth; in pixels."""


@dataclass(frozen=True)
class Panel:
    """Charts side by side, below a title and above notes; without charts it is no more than its notes.

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
        unmeasured: one sentence if none of the runs has what it shows.
        example: the id of a preset whose recorded runs have what not all runs have.
    """

    title: str
    caption: str
    layer_names: Callable[[Runs], list[str]]
    panels: Callable[[Store, Runs, Sequence[str], float], list[Panel]]
    at_evaluation: bool = False
    shows_normalizations: bool = False
    left_out: Callable[[Runs], list[str]] = lambda _runs: []
    unmeasured: Callable[[Runs], str] = lambda _runs: ""
    example: str = ""


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
    return is_on_input and spec.data.image_shape[2:] in ((), (1,)) and spec.architecture == "dense"


# Panels


def _distributions(store: Store, runs: Runs, layers: Sequence[str], _epoch: float) -> list[Panel]:
    """Percentiles of each variable over training, one panel per layer."""
    shown = _with_layers(runs, layers)
    charts = {name: distribution_charts(store, layer_runs, name) for name, layer_runs in shown}
    charts |= _on_equal_axes({name: charts[name] for name in _hidden_normalizations(runs, charts)}, "y")
    return [
        _panel(
            f"distribution-{name}",
            name,
            charts[name],
            exploded_band_notes(store, layer_runs, name) + layer_notes(store, layer_runs, name),
        )
        for name, layer_runs in shown
    ]


def _moving_statistics(store: Store, runs: Runs, layers: Sequence[str], _epoch: float) -> list[Panel]:
    """The moving statistics against those of the batches, one panel per layer."""
    measured = tuple(run for run in runs if _compares_statistics(run.spec))
    charts = {
        name: moving_statistics_charts(store, layer_runs, name) for name, layer_runs in _with_layers(measured, layers)
    }
    charts |= _on_equal_axes({name: charts[name] for name in _hidden_normalizations(runs, charts)}, "y")
    return [_panel(f"statistics-{name}", name, layer_charts) for name, layer_charts in charts.items()]


def _compares_statistics(spec: RunSpec) -> bool:
    return EVALUATION_METHODS[spec.evaluate_with].compares_statistics


def _not_compared(runs: Runs) -> str:
    """For runs that were evaluated with their moving statistics alone, or have none."""
    if any(_compares_statistics(run.spec) for run in runs):
        return ""
    if not any(NORMALIZERS[run.spec.normalizer].keeps_moving_statistics for run in runs):
        return "None of these networks keeps moving statistics."
    return (
        f"These runs were evaluated with {EVALUATION_METHODS['moving'].title.lower()} only. To measure more, choose "
        f"“{EVALUATION_METHODS['all'].title}” in Compare's settings, Evaluate with, and train again."
    )


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
    panels, shown = [], _with_layers(runs, layers)
    charts = {name: histogram_charts(store, layer_runs, name, epoch) for name, layer_runs in shown}
    charts |= _on_equal_axes({name: charts[name] for name in _hidden_normalizations(runs, charts)}, "x")
    for name, layer_runs in shown:
        notes = exploded_unit_notes(store, layer_runs, name) + layer_notes(store, layer_runs, name)
        panels.append(_panel(f"histogram-{name}", name, charts[name], notes))
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
    depth = _chart_panel("gradient-depth", by_depth, DEPTH_HEIGHT)
    return [depth, *_hidden_layer_panels(GRADIENTS)(store, runs, layers, epoch)]


def _hidden_layer_panels(chart: LayerChart) -> Callable[[Store, Runs, Sequence[str], float], list[Panel]]:
    def panels(store: Store, runs: Runs, layers: Sequence[str], _epoch: float) -> list[Panel]:
        charts = _on_equal_axes({name: (hidden_layer_chart(store, runs, name, chart),) for name in layers}, "y")
        return [
            _chart_panel(f"{chart.id}-{name}", drawn, HIDDEN_HEIGHT, is_half=True) for name, (drawn,) in charts.items()
        ]

    return panels


def _on_equal_axes(charts: Mapping[str, Sequence[Chart]], axis: Axis) -> dict[str, tuple[Chart, ...]]:
    """The charts of several layers, those in the same position with the same axis."""
    columns = [
        [chart._replace(figure=figure) for chart, figure in zip(column, shared, strict=True)]
        for column in zip(*charts.values(), strict=True)
        for shared in [share_axis([chart.figure for chart in column], axis)]
    ]
    return dict(zip(charts, zip(*columns, strict=True), strict=True)) if columns else {}


def _hidden_normalizations(runs: Runs, names: Iterable[str]) -> list[str]:
    """Those of the layers that normalize no run's input, whose units are pixels on a scale of their own."""
    firsts = [describe_network(run.spec).input_normalization for run in runs]
    on_input = {first.name for first in firsts if first is not None}
    return [name for name in names if name not in on_input]


def _panel(identifier: str, title: str, charts: Sequence[Chart], notes: Sequence[str] = ()) -> Panel:
    """A panel of the charts that have something to draw; why the others have not is in its notes."""
    drawn = {f"{identifier}-{chart.name}": chart for chart in charts if not chart.message}
    return Panel(identifier, title, drawn, (*(chart.message for chart in charts if chart.message), *notes))


def _chart_panel(identifier: str, chart: Chart, height: int, *, is_half: bool = False) -> Panel:
    """A panel of one chart, which has its own title; a line if there is nothing to draw."""
    notes = (chart.note,) if chart.note else ()
    if chart.message:
        return Panel(identifier, "", {}, (chart.message, *notes))
    return Panel(identifier, "", {identifier: chart}, notes, is_half=is_half, height=height)


def hidden_layer_view(title: str, chart: LayerChart) -> LayerView:
    """The view with `chart` of each hidden layer."""
    return LayerView(title, chart.caption, hidden_layers, _hidden_layer_panels(chart))


LAYER_VIEWS: dict[str, LayerView] = {
    "distributions": LayerView(
        "Over training",
        "Line: the median over a layer's units. Bands: where 70 % and 90 % of the units are.",
        normalization_layers,
        _distributions,
        shows_normalizations=True,
    ),
    "heatmaps": LayerView(
        "Every unit",
        "Each row is one unit, sorted by its last value. Orange: above its initial value; blue: below; clear: equal to "
        "it. Evaluations are evenly spaced, not to scale. The moving variance is colored by how many times more "
        "or less than 1 it is.",
        lambda runs: normalization_layers(side_by_side(runs)),
        _heat_maps,
        shows_normalizations=True,
        left_out=_left_out,
    ),
    "histograms": LayerView(
        "At one evaluation",
        "How a layer's units are spread at one evaluation. Dotted: their initial value.",
        normalization_layers,
        _histograms,
        at_evaluation=True,
        shows_normalizations=True,
        left_out=_pictures_left_out,
    ),
    "statistics": LayerView(
        "Moving against batch",
        "Mean and deviation of each unit's values after they are normalized with the moving statistics, measured on up "
        "to 10,000 training images; with the batch's own statistics they are 0 and 1. Line: the median over a layer's "
        "units. Bands: where 70 % and 90 % of the units are.",
        normalization_layers,
        _moving_statistics,
        shows_normalizations=True,
        unmeasured=_not_compared,
        example="early_validation",
    ),
    "pre-activations": hidden_layer_view("Pre-activations", PRE_ACTIVATIONS),
    "gradients": LayerView("Gradients", GRADIENTS.caption, hidden_layers, _gradients, at_evaluation=True),
}
"""By the id in the URL."""


# Questions


@dataclass(frozen=True)
class Question:
    """A question that the page answers.

    Attributes:
        title: the question.
        views: the ids of the views that show the answer, the default first.
        answer: the answer in a sentence, from the runs at an epoch; empty if nothing was measured.
        glossary: the words in it, each with its explanation.
        prefers_normalized: whether runs without normalization have nothing to say on it.
    """

    title: str
    views: Sequence[str]
    answer: Callable[[Store, Runs, float], str]
    glossary: Mapping[str, str]
    prefers_normalized: bool = False


TABLES = "tables"
"""The id of the view of variables and parameters, which needs no records."""
_UNIT = "One number of a layer's output; each has its own gamma and beta. On the input a unit is a pixel."

QUESTIONS: dict[str, Question] = {
    "learned": Question(
        "What did BN learn?",
        ("distributions", "heatmaps", "histograms", "statistics", TABLES),
        learned_answer,
        {
            "gamma, beta": "The learned scale and shift of each unit: y = gamma · x̂ + beta. They start at 1 and 0.",
            "moving mean, moving variance": "Averages of the batches' statistics, used in inference. Not learned.",
            "unit": _UNIT,
        },
        prefers_normalized=True,
    ),
    "gradients": Question(
        "Do gradients reach the first layer?",
        ("gradients",),
        gradient_answer,
        {
            "gradient norm": "The norm of the loss's gradient with respect to a layer's kernel, measured on 128 "
            "training images.",
            "vanishing, exploding": "The norm falls, or grows, from layer to layer on its way back to the input.",
        },
    ),
    "activations": Question(
        "What enters the activations?",
        ("pre-activations",),
        activation_answer,
        {
            "pre-activation": "The input of an activation function: the output of BN where BN comes before the "
            "activation, and otherwise that of the Dense layer.",
            "saturated": "A sigmoid or tanh far from 0, where it is flat and lets hardly any gradient through. A ReLU "
            "lets none through below 0.",
        },
    ),
}
"""By their ids, in the order of the page."""


def question_of(view: str) -> Question:
    """The question that a view shows the answer of."""
    return next(question for question in QUESTIONS.values() if view in question.views)
