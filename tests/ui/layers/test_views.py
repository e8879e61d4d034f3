"""What the Layers page's views make of several runs, in AppTest."""

from dataclasses import replace

import numpy as np
import pytest

from bnlab.charts.snapshots import EXPLODED_TEXT
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network
from bnlab.specs.normalizers import NORMALIZERS
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import Evaluation, Snapshot
from tests.slow import all_but_one_slow
from tests.ui.layer_records import NORMALIZED, STEPS, charts, evaluation_of, infos, notes, open_view, record_run, store

__all__ = ["store"]


def test_two_that_have_something_to_show_stand_side_by_side(store: Store) -> None:
    for seed, (label, steps) in enumerate({"Waits": (), "First": STEPS, "Second": STEPS, "Third": STEPS}.items()):
        record_run(store, label, NORMALIZED.model_copy(update={"seed": seed}), steps)
    for view in ("heatmaps", "histograms"):
        app = open_view(store, view, networks=["Waits", "First", "Second", "Third"])
        assert not infos(app)
        assert "Two networks at a time: Waits, Third omitted." in [caption.value for caption in app.caption]


@pytest.mark.parametrize("name", all_but_one_slow(NORMALIZERS, "batch_renormalization"))
def test_every_normalizer_has_charts_of_its_variables_or_a_sentence(name: str, store: Store) -> None:
    spec, entry = NORMALIZED.model_copy(update={"normalizer": name}), NORMALIZERS[name]
    record_run(store, "Alone", spec)
    for view in ("distributions", "heatmaps", "histograms", "tables"):
        app = open_view(store, view, networks=["Alone"])
        assert not infos(app)
        sentences = [note for note in notes(app) if note.startswith(f"{entry.title} keeps no moving statistics: ")]
        assert bool(sentences) == (view != "tables" and not entry.keeps_moving_statistics)
        if view == "distributions":
            assert set(charts(app)) == {
                f"layers-distribution-{layer.name}-{v.name}"
                for layer in describe_network(spec).normalizations
                for v in entry.shown_variables
            }


def exploding_evaluation(spec: RunSpec, step: int) -> Evaluation:
    calm = evaluation_of(spec, step)
    layers = tuple(replace(layer, percentiles=(-1e9, 0, 0, 0, 1e30)) for layer in calm.layers)
    snapshots = tuple(
        Snapshot(snapshot.layer, {n: v * 1e12 for n, v in snapshot.values.items()}) for snapshot in calm.snapshots
    )
    return replace(calm, layers=layers, snapshots=snapshots)


@pytest.mark.parametrize("view", all_but_one_slow(["distributions", "histograms", "pre-activations"]))
def test_a_run_that_exploded_leaves_the_axes_to_the_others(view: str, store: Store) -> None:
    record_run(store, "Calm", NORMALIZED)
    record_run(store, "Wild", NORMALIZED.model_copy(update={"seed": 1}), evaluate=exploding_evaluation)
    app = open_view(store, view, networks=["Calm", "Wild"])
    assert not infos(app)
    assert f"Wild: {EXPLODED_TEXT}" in notes(app)
    axis = "xaxis" if view == "histograms" else "yaxis"
    ranges = [
        chart["layout"][axis]["autorangeoptions"].values() for key, chart in charts(app).items() if "picture" not in key
    ]
    assert all(max(map(abs, limits)) < 100 for limits in ranges)
    alone = open_view(store, view, networks=["Wild"])
    assert not [note for note in notes(alone) if EXPLODED_TEXT in note]


def outlying_evaluation(spec: RunSpec, step: int) -> Evaluation:
    """One unit of the input's 784 has exploded, which no band shows."""
    calm = evaluation_of(spec, step)
    first = calm.snapshots[0]
    values = {name: np.append(values[1:], np.float32(1e9)) for name, values in first.values.items()}
    return replace(calm, snapshots=(Snapshot(first.layer, values), *calm.snapshots[1:]))


def test_what_leaves_the_axes_is_told_by_what_is_drawn(store: Store) -> None:
    """Of the bands only those of one run leave theirs; of the units, which the histograms show, both runs' have."""
    record_run(store, "Outlier", NORMALIZED, evaluate=outlying_evaluation)
    record_run(store, "Wild", NORMALIZED.model_copy(update={"seed": 1}), evaluate=exploding_evaluation)
    words = f"Wild: {EXPLODED_TEXT}"
    app = open_view(store, "distributions", networks=["Outlier", "Wild"])
    assert not infos(app)
    assert notes(app).count(words) == 3, "of the input and both hidden layers"
    app = open_view(store, "histograms", networks=["Outlier", "Wild"])
    assert notes(app).count(words) == 2


@pytest.mark.parametrize("name", NORMALIZERS)
def test_moving_statistics_that_were_not_compared_are_a_sentence_and_a_way_to_some(name: str, store: Store) -> None:
    record_run(store, "Alone", NORMALIZED.model_copy(update={"normalizer": name, "evaluate_with": "moving"}))
    app = open_view(store, "statistics", networks=["Alone"])
    assert not infos(app)
    assert not notes(app)
    assert not charts(app)
    sentence = app.markdown[-1].value
    assert ("Evaluate with" in sentence) == NORMALIZERS[name].keeps_moving_statistics
    assert app.button("layers-example")
