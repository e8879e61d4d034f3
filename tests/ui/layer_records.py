"""Runs with artificial records of their layers, and the views of the Layers page in AppTest."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import Evaluation, LayerRecord, Records, Snapshot
from tests.stored_runs import CheckpointStub, float32_array, open_writer

SMALL = {"hidden_units": (4, 3), "train_examples": 64, "epochs": 2}
PLAIN = RunSpec(**SMALL)
NORMALIZED = RunSpec(**SMALL, placement="before_activation", input_normalization=True)
STEPS = (0, 1, 2, 4)


def script(url: str) -> None:
    from bnlab.charts.style import styles_of
    from bnlab.runs.store import Store
    from bnlab.specs.lesson import Lesson
    from bnlab.ui.layers.page import render_layer_views

    store = Store(url)
    runs = {run.label: run for run in store.runs()}
    specs = {label: run.spec for label, run in runs.items()}
    render_layer_views(store, specs, runs, styles_of(list(runs)), Lesson())


def evaluation_of(spec: RunSpec, step: int) -> Evaluation:
    rng, network = np.random.default_rng(step), describe_network(spec)
    layers = [LayerRecord(block.dense, 0.5 + step, 1.0, (-2, -1, step, 1, 2)) for block in network.blocks]
    snapshots = [
        Snapshot(layer.name, {v.name: rng.normal(size=v.shape).astype(np.float32) for v in layer.variables})
        for layer in network.normalizations
    ]
    return Evaluation(step, float(step), 1.0, 0.5, tuple(layers), tuple(snapshots))


def record_run(
    store: Store,
    label: str,
    spec: RunSpec,
    steps: tuple[int, ...] = STEPS,
    evaluate: Callable[[RunSpec, int], Evaluation] = evaluation_of,
) -> Run:
    """Record evaluations at `steps`; a second call adds to the same run."""
    writer = open_writer(store, spec, label)
    losses = float32_array(*range(max(steps, default=0)))
    records = Records(min(steps, default=0), losses, losses, [evaluate(spec, step) for step in steps])
    writer.commit(records, CheckpointStub(len(losses)), RunState.RUNNING)
    return store.run(spec.digest)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'layers.db'}")


@pytest.fixture
def two_runs(store: Store) -> Store:
    record_run(store, "Plain", PLAIN)
    record_run(store, "With BN", NORMALIZED)
    return store


def open_view(store: Store, view: str = "distributions", **session: object) -> AppTest:
    app = AppTest.from_function(script, kwargs={"url": store.url}, default_timeout=60)
    app.session_state["layers-view"] = view
    for key, value in session.items():
        app.session_state["layers-" + key.replace("_", "-")] = value
    return app.run()


def charts(app: AppTest) -> dict[str, dict]:
    return {chart["chart"]: chart for chart in (json.loads(c.proto.json) for c in app.get("bidi_component"))}


def traces(app: AppTest, chart: str) -> list[dict]:
    return json.loads(charts(app)[chart]["figure"])["data"]


def infos(app: AppTest) -> list[str]:
    assert not app.exception
    assert not app.error
    return [info.value for info in app.info]
