"""The document of the Layers page: its charts, and how little an update carries."""

from pathlib import Path

import numpy as np
import pytest

from bnlab.charts.layer_views import LAYER_VIEWS
from bnlab.live.events import difference, encode, event
from bnlab.live.layers import LayersView
from bnlab.live.reading import DEFAULT_VERSION
from bnlab.live.routes import deflated
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.comparison import Comparison, Variant
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from tests.live.still_scheduler import reader_of
from tests.live.test_events import assert_same, merge, sent
from tests.slow import all_but_one_slow
from tests.stored_runs import OWNER
from tests.ui.layer_records import record_run

MAX_UPDATE_BYTES = 4000
SPECS = {
    f"Network {seed}": RunSpec(
        hidden_units=(100, 60),
        placement="before_activation",
        train_examples=6_400,
        epochs=4,
        evaluate_with="all",
        seed=seed,
    )
    for seed in range(8)
}
COMPARISON = Comparison(tuple(Variant(label, spec, index) for index, (label, spec) in enumerate(SPECS.items())))
LAYERS = {
    True: tuple(layer.name for layer in describe_network(SPECS["Network 0"]).normalizations),
    False: tuple(block.dense for block in describe_network(SPECS["Network 0"]).blocks),
}
STEPS = tuple(range(0, 400, 20))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/bnlab.db")


def view_of(name: str, networks: int = 8, **options: object) -> LayersView:
    layers = LAYERS[LAYER_VIEWS[name].shows_normalizations]
    return LayersView(COMPARISON, 0, name, tuple(list(SPECS)[:networks]), layers, **options)  # type: ignore[arg-type]


def shown(view: LayersView, store: Store) -> dict:
    return dict(view.document(reader_of(store).read(view.digests)))


def record(store: Store, steps: tuple[int, ...], labels: list[str] | None = None) -> None:
    for label in labels or SPECS:
        record_run(store, label, SPECS[label], steps)


@pytest.mark.parametrize("name", LAYER_VIEWS)
def test_a_view_is_what_its_address_says(name: str) -> None:
    for view in (view_of(name), view_of(name, networks=2, epoch=1.5)):
        assert LayersView.from_url(view.to_url()) == view


def test_an_address_may_hold_anything() -> None:
    strange = {"layers-seed": ["x"], "layers-view": ["none"], "layers-networks": ["?"], "layers-moment": ["late"]}
    view = LayersView.from_url(strange)
    assert (view.seed, view.networks, view.epoch) == (0, (), None)


@pytest.mark.parametrize("name", all_but_one_slow(LAYER_VIEWS, "distributions"))
def test_an_evaluation_is_a_change_of_the_charts_and_not_of_the_page(name: str, store: Store) -> None:
    record(store, STEPS[:3])
    before = shown(view_of(name), store)
    record(store, STEPS[3:4])
    after = shown(view_of(name), store)
    assert after["page"] == before["page"]
    change = sent(difference(before, after))
    assert change["charts"]
    assert_same(merge(merge({}, sent(encode(before))), change), after)


def test_the_first_evaluation_is_a_change_of_the_page_and_the_end_is_not(store: Store) -> None:
    view = view_of("histograms", networks=1)
    pages = [shown(view, store)["page"][DEFAULT_VERSION]]
    store.launch(SPECS["Network 0"], "Network 0", OWNER)
    pages.append(shown(view, store)["page"][DEFAULT_VERSION])
    record(store, (0,), ["Network 0"])
    pages.append(shown(view, store)["page"][DEFAULT_VERSION])
    store.request_stop([SPECS["Network 0"].digest])
    store.finish(SPECS["Network 0"].digest, OWNER, RunState.STOPPED)
    assert len(set(pages)) == len(pages)
    ended = shown(view, store)
    assert ended["page"][DEFAULT_VERSION] == pages[-1], "the stream says that it was stopped"
    assert "Stopped" in ended["remarks"]


def test_the_chosen_moment_stays_and_the_latest_moves(store: Store) -> None:
    def shown_step(epoch: float | None) -> float:
        chart = shown(view_of("gradients", epoch=epoch), store)["charts"]["gradient-depth"]
        return float(chart["traces"]["0"]["y"][0]) - 0.5  # see `evaluation_of`

    record(store, STEPS[:3])
    assert (shown_step(None), shown_step(0.1)) == (40, 20)
    record(store, STEPS[3:5])
    assert (shown_step(None), shown_step(0.1)) == (80, 20)
    evaluations = shown(view_of("gradients"), store)["evaluations"]
    assert (evaluations["steps"].tolist(), evaluations["per_epoch"]) == ([0, 20, 40, 60, 80], 200)


@pytest.mark.parametrize("name", all_but_one_slow(LAYER_VIEWS, "heatmaps"))
def test_an_evaluation_of_one_of_eight_runs_is_small(name: str, store: Store) -> None:
    record(store, STEPS[:-1])
    view = view_of(name)
    before = shown(view, store)
    record(store, STEPS[-1:], ["Network 0"])
    change = event("change", "0000-1", difference(before, shown(view, store)))
    assert len(deflated(change)) <= MAX_UPDATE_BYTES


def test_arrays_of_figures_arrive_with_their_shape(store: Store) -> None:
    record(store, STEPS[:3], ["Network 0"])
    charts = shown(view_of("heatmaps", networks=1), store)["charts"]
    cells = charts["heat-0-bn_1-gamma"]["traces"]["0"]["cells"]
    assert cells.shape == (3, 100)
    np.testing.assert_allclose(merge({}, sent(encode({"cells": cells})))["cells"], cells)
