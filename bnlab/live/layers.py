"""The view of a comparison's layers: the charts of the chosen networks, layers and epoch, and the networks' states."""

import base64
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from bnlab.charts.layer_charts import Chart, Runs, ShownRun
from bnlab.charts.layer_views import LAYER_VIEWS, evaluation_steps, question_of
from bnlab.charts.style import Style, style_of
from bnlab.live.events import Document
from bnlab.live.reading import DEFAULT_VERSION, PageVersions, Reading, version_of
from bnlab.runs.folding import has_normalization
from bnlab.runs.reader import last_evaluated_steps
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.specs.comparison import Comparison
from bnlab.specs.lesson import HIDE, lesson_from_url
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.url import comparison_from_url, comparison_to_url
from bnlab.specs.validation import parse_number

VIEW, SEED, NETWORKS, EVALUATION = "layers-view", "layers-seed", "layers-networks", "layers-moment"
"""Parameters: the view's id, the seed's index, the labels of networks, and the epoch, without which it is the last."""
LAYERS = {True: "layers-normalizations", False: "layers-hidden"}
"""The parameter with the names of layers, by whether they are normalization layers."""
STATE_TEXTS = {
    RunState.QUEUED: "Waiting for a worker",
    RunState.RUNNING: "Training",
    RunState.STOPPED: "Stopped",
    RunState.FAILED: "Failed",
    RunState.DIVERGED: "Diverged, the loss was not finite",
}
"""The remarks on runs that are not complete."""
MAX_CACHED = 128
ALT_PARTS = re.compile(r"(?<=[:;] )")
"""Where an alternative text is split: after the colon of its title, and after each run."""


@dataclass(frozen=True)
class LayersView:
    """What is shown of the layers of `comparison`, with the seed of index `seed`.

    `view` is an id of the page; only those of LAYER_VIEWS have charts. Without an `epoch` it is the last one. With
    `without_results`, as lessons may have it, there are charts and no answer.
    """

    comparison: Comparison
    seed: int = 0
    view: str = ""
    networks: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    epoch: float | None = None
    without_results: bool = False

    @classmethod
    def from_url(cls, parameters: Mapping[str, Sequence[str]]) -> "LayersView":
        """The view of a stream's address, in which the page has resolved what the reader has not chosen."""
        comparison, _ = comparison_from_url(parameters)
        seed = parse_number(parameters.get(SEED, ["0"])[-1])
        epoch = parse_number(parameters.get(EVALUATION, [""])[-1])
        return cls(
            comparison,
            int(seed) if seed in range(comparison.seeds) else 0,
            parameters.get(VIEW, [""])[-1],
            tuple(label for label in comparison.labels if label in parameters.get(NETWORKS, ())),
            tuple(name for parameter in LAYERS.values() for name in parameters.get(parameter, ())),
            epoch if math.isfinite(epoch) else None,
            lesson_from_url({HIDE: parameters.get(HIDE, ())})[0].hides("results"),
        )

    def to_url(self) -> dict[str, list[str]]:
        """The parameters that `from_url` turns into this view."""
        is_normalization = self.view in LAYER_VIEWS and LAYER_VIEWS[self.view].shows_normalizations
        return comparison_to_url(self.comparison) | {
            SEED: [str(self.seed)],
            VIEW: [self.view],
            NETWORKS: list(self.networks),
            LAYERS[is_normalization]: list(self.layers),
            **({} if self.epoch is None else {EVALUATION: [f"{self.epoch:.6g}"]}),
            **({HIDE: ["results"]} if self.without_results else {}),
        }

    @cached_property
    def specs(self) -> dict[str, RunSpec]:
        """The spec of each label."""
        return {label: specs[self.seed] for label, specs in self.comparison.specs().items()}

    @cached_property
    def styles(self) -> dict[str, Style]:
        """The look of each label."""
        return {variant.label: style_of(variant.label, variant.colour) for variant in self.comparison.variants}

    @cached_property
    def digests(self) -> frozenset[str]:
        """The runs of all networks, of which the page offers those that exist."""
        return frozenset(spec.digest for spec in self.specs.values())

    @property
    def drawn_digests(self) -> Sequence[str]:
        """No learning curves."""
        return ()

    def inputs(self, reading: Reading) -> object:
        """The document depends on its runs alone."""
        return reading.inputs(self.digests)

    def document(self, reading: Reading) -> Document:
        """What the page shows of this reading."""
        shown = self.shown_runs(reading.store, reading.runs)
        charts = self._charts(reading.store, shown)
        if self.without_results:
            charts = {name: part for name, part in charts.items() if name != "answer"}
        page = layers_versions(reading.runs, self.digests, shown, list(charts.get("charts", {})), reading.problem)
        return {"page": page, "remarks": self.remarks(reading.runs, shown), **charts}

    def shown_runs(self, store: Store, runs: Mapping[str, Run]) -> Runs:
        """The chosen networks among `runs`, by digest, at their last evaluations."""
        needs = self.view in LAYER_VIEWS and LAYER_VIEWS[self.view].shows_normalizations
        labels = [
            label
            for label in self.networks
            if self.specs[label].digest in runs and (has_normalization(self.specs[label]) or not needs)
        ]
        last_steps = last_evaluated_steps(store, [self.specs[label].digest for label in labels])
        return tuple(
            ShownRun(spec.digest, last_steps[spec.digest], self.styles[label], spec)
            for label, spec in ((label, self.specs[label]) for label in labels)
        )

    def remarks(self, runs: Mapping[str, Run], shown: Runs) -> str:
        """What there is to say of the chosen networks' runs, in one line."""
        without = [label for label in self.networks if label not in {run.label for run in shown}]
        remarks = {"Without normalization": without} | legend_remarks([runs[run.digest] for run in shown], shown)
        return " · ".join(f"{remark}: {', '.join(labels)}" for remark, labels in remarks.items() if labels)

    def _charts(self, store: Store, runs: Runs) -> Document:
        if self.view not in LAYER_VIEWS or not runs:
            return {}
        steps, steps_per_epoch = evaluation_steps(store, runs)
        if not steps:
            return _chart_documents(store, self.view, runs, self.layers, 0.0)
        chosen = steps[-1] if self.epoch is None else self.epoch * steps_per_epoch
        step = min(steps, key=lambda step: abs(step - chosen))
        charts = _chart_documents(store, self.view, runs, self.layers, step / steps_per_epoch)
        evaluations = {"steps": np.array(steps, np.float32), "per_epoch": steps_per_epoch}
        return {"evaluations": evaluations, **charts}


def layers_versions(
    runs: Mapping[str, Run], digests: frozenset[str], shown: Runs, charts: Sequence[str], problem: str
) -> PageVersions:
    """The version of a Layers page: which runs there are, which have an error or an evaluation, and the charts.

    `charts` are the keys of those that have something to draw.
    """
    existing = sorted((digest, runs[digest].error) for digest in digests if digest in runs)
    return {DEFAULT_VERSION: version_of(existing, problem, [run.measured >= 0 for run in shown], list(charts))}


def legend_remarks(runs: Sequence[Run], shown: Sequence[ShownRun]) -> dict[str, list[str]]:
    """Remarks about recorded and incomplete runs, each with the labels of its runs.

    `shown` are the same runs as the charts show them. Steps are taken from there, because `runs` may have been read
    earlier.
    """
    remarks: dict[str, list[str]] = {}
    for run, shown_run in zip(runs, shown, strict=True):
        if run.recorded:
            remarks.setdefault("Recorded, not trained here", []).append(shown_run.label)
        elif run.state in STATE_TEXTS:
            last_step = shown_run.measured
            step = f" (measured to step {last_step:,} of {run.total_steps:,})" if last_step >= 0 else ""
            remarks.setdefault(STATE_TEXTS[run.state], []).append(shown_run.label + step)
    return remarks


@lru_cache(maxsize=MAX_CACHED)
def _chart_documents(store: Store, view: str, runs: Runs, layers: Sequence[str], epoch: float) -> Document:
    """The charts and notes of a view. Cached, since most updates bring no evaluation."""
    panels = LAYER_VIEWS[view].panels(store, runs, layers, epoch)
    charts = {key: chart for panel in panels for key, chart in panel.charts.items()}
    return {
        "answer": question_of(view).answer(store, runs, epoch),
        "charts": {key: chart_document(chart, key) for key, chart in charts.items()},
        "notes": {panel.id: "\n".join(panel.notes) for panel in panels},
    }


def chart_document(chart: Chart, uirevision: str) -> Document:
    """A Plotly figure as a document, so that an update of it is small.

    Traces are by their positions. Several have equal x, which is then in the document once. Heat maps are without what
    follows from their values. And the alternative text is in parts, the first one its title and then one for each run.
    """
    figure = _plain(chart.figure.to_dict())
    traces = {str(index): _without_derived(trace) for index, trace in enumerate(figure["data"])}
    layout = {name: value for name, value in figure["layout"].items() if name not in ("template", "transition")}
    return {
        "order": list(traces),
        "traces": traces,
        "shared": _share_x(traces),
        "layout": {"uirevision": uirevision} | layout,
        "alt": {str(index): part for index, part in enumerate(ALT_PARTS.split(chart.alt))},
    }


def _without_derived(trace: dict[str, Any]) -> dict[str, Any]:
    """The trace, or for a heat map of deviations (`meta`) what static/heat_map.js makes it of.

    That is its values, `cells`. Those of units over training have a row for each evaluation, in the order of the units'
    numbers, `units`: so an evaluation adds a row, and what is drawn is sorted by it in the browser.
    """
    if trace.get("type") != "heatmap" or "meta" not in trace:
        return trace
    meta, cells = trace["meta"], trace["customdata"]
    kept = {name: value for name, value in trace.items() if name not in ("z", "customdata", "meta")}
    coloring = {"initial": meta["initial"], "logarithmic": meta["logarithmic"]}
    if "units" not in meta:
        return kept | coloring | {"cells": cells}
    order = np.argsort(meta["units"])
    titles = {str(index): title for index, title in enumerate(kept.pop("x"))}
    units = np.array(meta["units"], np.float32)[order]
    del kept["y"]
    return kept | coloring | {"cells": cells[order].T, "units": units, "x": titles}


def _share_x(traces: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Replace the x of `traces` by references to the result, which has equal arrays of one run, named in uids, once."""
    keys: dict[tuple[str, bytes], str] = {}
    shared: dict[str, Any] = {}
    for position, trace in traces.items():
        if isinstance(x := trace.get("x"), np.ndarray):
            run, *_ = str(trace.get("uid", "")).split("-")
            key = keys.setdefault((run, x.tobytes()), position)
            shared[key] = x
            trace["x"] = {"shared": key}
    return shared


def _plain(value: Any) -> Any:
    """A part of a figure as a part of a document: without None in dicts, and with arrays instead of their base64."""
    if isinstance(value, Mapping):
        if "bdata" in value:
            return _array(value)
        return {name: _plain(part) for name, part in value.items() if part is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _array(encoded: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """The array of Plotly's typed array specification (plotly.py 6, `to_typed_array_spec`)."""
    values = np.frombuffer(base64.b64decode(encoded["bdata"]), encoded["dtype"])
    if shape := encoded.get("shape"):
        values = values.reshape([int(length) for length in shape.split(",")])
    return values
