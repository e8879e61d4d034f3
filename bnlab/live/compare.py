"""The view of a comparison: its learning curves, its variants' progress and its results."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bnlab.charts.curve_settings import CurveSettings, settings_from_url
from bnlab.charts.learning_curves import LearningCurve, learning_curves
from bnlab.charts.results_table import measured_runs, result_columns, result_texts
from bnlab.charts.style import Style, style_of
from bnlab.live.compare_offer import compare_versions
from bnlab.live.events import Document
from bnlab.live.reading import Reading
from bnlab.runs.curves_cache import RunCurves
from bnlab.runs.predictions import are_results_hidden, count_predictions, predictions_text
from bnlab.runs.progress import fraction_done, state_text, summary_text
from bnlab.runs.rights import Rights, others_text
from bnlab.runs.run import Run, are_active
from bnlab.runs.shares import NO_VISITOR, Shares
from bnlab.runs.store import Store
from bnlab.runs.summary import any_shared
from bnlab.specs.comparison import Comparison
from bnlab.specs.lesson import HIDE, PREDICT, lesson_from_url
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.url import comparison_from_url

RunsByLabel = Mapping[str, Sequence[Run]]
CurvesByDigest = Mapping[str, RunCurves]
WANTED, UNWANTED = "wanted", "unwanted"
"""Names in a document: of a text for visitors who have a share in a variant's runs, and for those who have none."""


@dataclass(frozen=True)
class CompareView:
    """The curves, progress and results of `comparison`, with the reader's `settings`.

    In the lesson of the id `predict` they are left out until its results are revealed. With `without_results` there
    are curves and no table.
    """

    comparison: Comparison
    settings: CurveSettings
    predict: str = ""
    without_results: bool = False

    @classmethod
    def from_url(cls, parameters: Mapping[str, Sequence[str]]) -> "CompareView":
        """The view of a page's address; what is not valid in it keeps its default, as on the page."""
        comparison, _ = comparison_from_url(parameters)
        settings, _ = settings_from_url(parameters, comparison)
        lesson, _ = lesson_from_url({name: parameters.get(name, ()) for name in (PREDICT, HIDE)})
        return cls(comparison, settings, lesson.predict, lesson.hides("results"))

    @cached_property
    def specs(self) -> dict[str, list[RunSpec]]:
        """The specs of each label, one per seed."""
        return self.comparison.specs()

    @cached_property
    def digests(self) -> frozenset[str]:
        """The runs that are watched."""
        return frozenset(spec.digest for specs in self.specs.values() for spec in specs)

    @property
    def drawn_digests(self) -> frozenset[str]:
        """All of them have curves."""
        return self.digests

    def inputs(self, reading: Reading) -> object:
        """The document depends on its runs, and in a lesson on its predictions."""
        return reading.inputs(self.digests), self._lesson(reading.store)

    def hides_results(self, store: Store) -> bool:
        """Whether the results of the lesson have not been revealed."""
        return are_results_hidden(store, self.predict)

    def _lesson(self, store: Store) -> tuple[bool, int]:
        """Whether results are hidden, and the number of predictions."""
        return self.hides_results(store), count_predictions(store, self.predict) if self.predict else 0

    @cached_property
    def _styles(self) -> dict[str, Style]:
        return {variant.label: style_of(variant.label, variant.colour) for variant in self.comparison.variants}

    def document(self, reading: Reading) -> Document:
        """What the page shows of this reading."""
        runs = {
            label: [reading.runs[spec.digest] for spec in specs if spec.digest in reading.runs]
            for label, specs in self.specs.items()
        }
        all_runs = list({run.digest: run for label_runs in runs.values() for run in label_runs}.values())
        is_hidden, predictions = self._lesson(reading.store)
        by_seed = {label: [reading.runs.get(spec.digest) for spec in specs] for label, specs in self.specs.items()}
        shares = {run.digest: reading.shares[run.digest] for run in all_runs if run.digest in reading.shares}
        page = compare_versions(by_seed, reading.problem, shares, is_hidden=is_hidden)
        page_parts = {"page": page, "others": others_texts(runs.values(), shares)}
        lesson = {"predictions": predictions_text(predictions)} if self.predict else {}
        if is_hidden:
            ended = [hidden_progress(label_runs, self.comparison.seeds) for label_runs in runs.values()]
            progress = {str(index): progress for index, progress in enumerate(ended)}
            return page_parts | {"progress": progress} | lesson
        curves = reading.curves.read(all_runs)
        results = {} if self.without_results else {"results": self._results(runs, curves, reading)}
        return (
            lesson
            | page_parts
            | results
            | {
                "committed": max((run.updated_at for run in all_runs), default=0.0),
                "summary": summary_text(all_runs, len(self.digests), reading.activity),
                "announcement": summary_text(all_runs, len(self.digests)),
                "progress": {
                    str(index): _progress(label_runs, self.comparison.seeds, reading)
                    for index, label_runs in enumerate(runs.values())
                },
                "charts": {chart.curve.id: _chart(chart) for chart in self._charts(runs, curves)},
            }
        )

    def _charts(self, runs: RunsByLabel, curves: CurvesByDigest) -> list[LearningCurve]:
        curves_by_label = {label: [curves[run.digest] for run in label_runs] for label, label_runs in runs.items()}
        all_runs = [run for label_runs in runs.values() for run in label_runs]
        awaited, shared = are_active(all_runs), any_shared(all_runs) is True
        return learning_curves(curves_by_label, self._styles, self.settings, awaited=awaited, shared=shared)

    def _results(self, runs: RunsByLabel, curves: CurvesByDigest, reading: Reading) -> Document:
        """The rows of the table, by the positions of their variants."""
        evaluated = {digest: int(max(run.evaluations["step"], default=-1)) for digest, run in curves.items()}
        baseline = self.settings.baseline
        texts = result_texts(reading.store, measured_runs(runs, evaluated), baseline, reading.measured_at)
        all_runs = [run for label_runs in runs.values() for run in label_runs]
        columns = result_columns(all_runs, seeds=self.comparison.seeds, baseline=baseline)
        return {
            str(index): {"label": label} | {name: texts[label][name] for name in columns}
            for index, label in enumerate(runs)
            if label in texts
        }


def others_texts(runs: Iterable[Sequence[Run]], shares: Mapping[str, Shares]) -> Document:
    """How many visitors want each variant's runs, by its position: for others, and as WANTED for one of them."""
    numbers = [Rights(NO_VISITOR, shares).others(variant_runs) for variant_runs in runs]
    return {
        str(index): {UNWANTED: others_text(number), WANTED: others_text(max(number - 1, 0))}
        for index, number in enumerate(numbers)
    }


def hidden_progress(runs: Sequence[Run], seeds: int) -> Document:
    """How many of a variant's runs have ended, which does not say how: neither times nor that one diverged."""
    ended = sum(run.state.is_finished() and not run.state.can_continue() for run in runs)
    return {"text": f"{ended} of {seeds} trained", "share": round(ended / seeds, 4)}


def _progress(runs: Sequence[Run], seeds: int, reading: Reading) -> Document:
    text = state_text(runs, seeds, reading.queue, reading.activity)
    return {"text": text, "share": round(fraction_done(runs, seeds), 4)}


def _chart(chart: LearningCurve) -> Document:
    """The chart as a document: traces by their uid, so that the points of one are compared with its earlier points."""
    traces: dict[str, Any] = {trace["uid"]: trace for trace in chart.drawing.traces}
    layout = {"uirevision": chart.curve.id} | chart.drawing.layout
    return {"order": list(traces), "traces": traces, "layout": layout, "alt": chart.alt}
