"""The validation charts with other statistics and images, from runs in a store."""

from pathlib import Path

import numpy as np
import pytest

from bnlab.charts.curve_settings import CurveSettings, settings_from_url, settings_to_url
from bnlab.charts.learning_curves import LearningCurve, learning_curves
from bnlab.charts.style import styles_of
from bnlab.runs.curves_cache import CurvesCache
from bnlab.runs.store import Store
from bnlab.specs.choices import EVALUATED_IMAGES, STATISTICS
from bnlab.specs.comparison import Comparison, Variant
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import STATISTICS_COLUMNS, evaluation_columns
from tests.stored_runs import make_evaluation, record_run

SPEC = RunSpec(placement="before_activation", train_examples=320, evaluate_with="all")
STEPS = (0, 5, 10)
COLUMNS = ("val_loss", "val_accuracy", *STATISTICS_COLUMNS)
VALUES = {name: (1 + index) / 16 for index, name in enumerate(COLUMNS)}
"""A different value of each, exact in binary."""
WAYS = [(images, way) for images in EVALUATED_IMAGES for way in STATISTICS]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/bnlab.db")


def record(store: Store, spec: RunSpec) -> None:
    others = {name: VALUES[name] for name in STATISTICS_COLUMNS} if spec.evaluate_with == "all" else {}
    evaluations = [
        make_evaluation(step, VALUES["val_loss"], VALUES["val_accuracy"], by_statistics=others) for step in STEPS
    ]
    record_run(store, spec, (1.0,) * 10, tuple(evaluations))


def charts(store: Store, settings: CurveSettings, *specs: RunSpec) -> dict[str, LearningCurve]:
    """The charts by their ids; each spec is a variant."""
    runs = {f"V{index}": store.find([spec]).values() for index, spec in enumerate(specs)}
    cache = CurvesCache(store)
    curves = {label: list(cache.read(list(found)).values()) for label, found in runs.items()}
    drawn = learning_curves(curves, styles_of(list(runs)), settings, awaited=False, shared=False)
    return {chart.curve.id: chart for chart in drawn}


@pytest.mark.parametrize(("images", "way"), WAYS)
def test_the_validation_charts_show_the_chosen_images_and_statistics(store: Store, images: str, way: str) -> None:
    record(store, SPEC)
    drawn = charts(store, CurveSettings(images=images, statistics=way), SPEC)
    loss, accuracy = evaluation_columns(images, way)
    for chart, column in (("validation-loss", loss), ("validation-accuracy", accuracy)):
        (line,) = drawn[chart].drawing.traces
        np.testing.assert_array_equal(line["y"], [VALUES[column]] * len(STEPS))
    titles = {drawn[chart].drawing.layout["title"]["text"] for chart in ("validation-loss", "validation-accuracy")}
    if (images, way) == ("validation", "moving"):
        assert titles == {"Validation loss", "Validation accuracy"}
    else:
        assert all(STATISTICS[way].title.lower() in title for title in titles)
        assert all(("training images" in title) == (images == "training") for title in titles)
    assert drawn["training-loss"].drawing.layout["title"]["text"] == "Training loss"


def test_runs_that_were_not_evaluated_so_have_no_line(store: Store) -> None:
    plain = SPEC.model_copy(update={"evaluate_with": "moving"})
    record(store, SPEC)
    record(store, plain)
    settings = CurveSettings(statistics="batch")
    both = charts(store, settings, SPEC, plain)["validation-accuracy"]
    assert [len(trace["x"]) for trace in both.drawing.traces] == [3, 0]
    assert "Nothing yet: V1" in both.alt
    alone = charts(store, settings, plain)["validation-accuracy"]
    assert not alone.drawing.traces
    assert "“evaluate with”" in alone.alt
    assert charts(store, CurveSettings(), plain)["validation-accuracy"].drawing.traces
    assert charts(store, settings, plain)["training-accuracy"].drawing.traces


def test_a_seed_that_was_not_evaluated_so_does_not_count(store: Store) -> None:
    specs = [SPEC, SPEC.model_copy(update={"seed": 1}), SPEC.model_copy(update={"seed": 2, "evaluate_with": "moving"})]
    for spec in specs:
        record(store, spec)
    cache, settings = CurvesCache(store), CurveSettings(statistics="reestimated")
    curves = {"BN": [curve for spec in specs for curve in cache.read(list(store.find([spec]).values())).values()]}
    drawn = {
        chart.curve.id: chart
        for chart in learning_curves(curves, styles_of(["BN"]), settings, awaited=False, shared=False)
    }
    line = drawn["validation-accuracy"].drawing.traces[-1]
    np.testing.assert_array_equal(line["y"], [VALUES["val_accuracy_reestimated"]] * 3)
    assert line["text"] == [" (2 of 3 seeds)"] * 3


def test_nothing_trained_is_said_as_before(store: Store) -> None:
    assert "nothing trained yet" in charts(store, CurveSettings(statistics="batch"), SPEC)["validation-loss"].alt


@pytest.mark.parametrize(("images", "way"), WAYS)
def test_the_choice_is_in_the_address(images: str, way: str) -> None:
    settings = CurveSettings(images=images, statistics=way)
    comparison = Comparison((Variant("BN", SPEC, 0),))
    assert settings_from_url(settings_to_url(settings), comparison) == (settings, [])
    unknown, faults = settings_from_url({"statistics": ["running"]}, comparison)
    assert unknown.statistics == "moving"
    assert len(faults) == 1
