"""What the Layers page's views make of several runs, in AppTest."""

import json
from dataclasses import replace

import pytest

from bnlab.charts.explosions import EXPLODED_WORDS
from bnlab.runs.store import Store
from bnlab.spec.run_spec import RunSpec
from bnlab.training.records import Moment, Snapshot
from tests.ui.layer_records import NORMALIZED, STEPS, charts, moment_of, open_view, said, store, train

__all__ = ["store"]


def test_two_that_have_something_to_show_stand_side_by_side(store: Store) -> None:
    for seed, (label, steps) in enumerate({"Waits": (), "First": STEPS, "Second": STEPS, "Third": STEPS}.items()):
        train(store, label, NORMALIZED.model_copy(update={"seed": seed}), steps)
    for view in ("Heat maps", "Histograms"):
        app = open_view(store, view, networks=["Waits", "First", "Second", "Third"])
        assert not said(app)
        assert "Two networks at a time: Waits, Third left out." in [caption.value for caption in app.caption]


def exploding_moment(spec: RunSpec, step: int) -> Moment:
    calm = moment_of(spec, step)
    layers = tuple(replace(layer, percentiles=(-1e9, 0, 0, 0, 1e30)) for layer in calm.layers)
    snapshots = tuple(Snapshot(own.layer, {n: v * 1e12 for n, v in own.values.items()}) for own in calm.snapshots)
    return replace(calm, layers=layers, snapshots=snapshots)


@pytest.mark.parametrize("view", ["Distributions", "Histograms", "Inputs to the activations"])
def test_a_run_that_exploded_leaves_the_axes_to_the_others(view: str, store: Store) -> None:
    train(store, "Calm", NORMALIZED)
    train(store, "Wild", NORMALIZED.model_copy(update={"seed": 1}), moment=exploding_moment)
    app = open_view(store, view, networks=["Calm", "Wild"])
    assert not said(app)
    assert f"Wild: {EXPLODED_WORDS}" in [caption.value for caption in app.caption]
    axis = "xaxis" if view == "Histograms" else "yaxis"
    ranges = [
        json.loads(chart["figure"])["layout"][axis]["range"]
        for chart in charts(app).values()
        if "picture" not in chart["chart"]
    ]
    assert all(max(map(abs, own)) < 100 for own in ranges)
    alone = open_view(store, view, networks=["Wild"])
    assert not [caption for caption in alone.caption if EXPLODED_WORDS in caption.value]
