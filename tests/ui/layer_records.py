"""Runs with artificial records of their layers, and the views of the Layers page in AppTest."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bnlab.live.layers import LayersView
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import REESTIMATED_MEAN, REESTIMATED_VARIANCE, Evaluation, LayerRecord, Records, Snapshot
from bnlab.ui.live import FOLLOWED
from tests.live.still_scheduler import reader_of
from tests.stored_runs import CheckpointStub, float32_array, open_writer

SMALL = {"hidden_units": (4, 3), "train_examples": 64, "epochs": 2}
PLAIN = RunSpec(**SMALL)
NORMALIZED = RunSpec(**SMALL, placement="before_activation", input_normalization=True, evaluate_with="all")
STEPS = (0, 1, 2, 4)


@cache
def opened(url: str) -> Store:
    """The store, the same one for the page and for the test, since charts are cached by it."""
    return Store(url)


def script(url: str) -> None:
    from bnlab.specs.comparison import Comparison, Variant
    from bnlab.specs.lesson import Lesson
    from bnlab.specs.run_spec import RunSpec
    from bnlab.ui.layers.page import render_layers
    from tests.ui.layer_records import opened

    store = opened(url)
    variants = [Variant(run.label, run.spec, index) for index, run in enumerate(store.runs())]
    render_layers(store, Comparison(tuple(variants or [Variant("Untrained", RunSpec())])), Lesson(), "")


def evaluation_of(spec: RunSpec, step: int) -> Evaluation:
    rng, network = np.random.default_rng(step), describe_network(spec)
    layers = [LayerRecord(block.dense, 0.5 + step, 1.0, (-2, -1, step, 1, 2)) for block in network.blocks]
    snapshots = [
        Snapshot(
            layer.name,
            {v.name: rng.normal(size=v.shape).astype(np.float32) for v in layer.variables}
            | dict.fromkeys(
                (REESTIMATED_MEAN, REESTIMATED_VARIANCE), np.full(layer.variables[0].shape, 1.0, np.float32)
            ),
        )
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
    return opened(f"sqlite:///{tmp_path / 'layers.db'}")


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with a run without and one with normalization, which no test changes."""
    store = opened(f"sqlite:///{tmp_path_factory.mktemp('two') / 'layers.db'}")
    record_two_runs(store)
    return store


def record_two_runs(store: Store) -> None:
    record_run(store, "Plain", PLAIN)
    record_run(store, "With BN", NORMALIZED)


def open_view(store: Store, view: str = "distributions", **session: object) -> AppTest:
    app = AppTest.from_function(script, kwargs={"url": store.url}, default_timeout=60)
    app.session_state["layers-view"] = view  # the question follows it
    app.session_state["url"] = store.url
    for key, value in session.items():
        app.session_state["layers-" + key.replace("_", "-")] = value
    return app.run()


def document(app: AppTest) -> dict:
    """What the page's event stream brings."""
    view = LayersView.from_url(parse_qs(urlsplit(app.session_state[FOLLOWED]["url"]).query))
    return dict(view.document(reader_of(opened(app.session_state["url"])).read(view.digests)))


def charts(app: AppTest) -> dict[str, dict]:
    """The figure of each chart on the page, by its key."""
    streamed = document(app).get("charts", {})
    placed = [data for data in components(app) if "chart" in data]
    return {data["chart"]: streamed[data["source"].removeprefix("charts/")] for data in placed}


def traces(app: AppTest, chart: str) -> list[dict]:
    drawn = charts(app)[chart]
    found = [dict(drawn["traces"][key]) for key in drawn["order"]]
    return [
        trace | {"x": drawn["shared"][trace["x"]["shared"]]} if "shared" in trace["x"] else trace for trace in found
    ]


def notes(app: AppTest) -> list[str]:
    """The sentences below the charts, as the page was drawn; the stream brings the same."""
    streamed = document(app).get("notes", {})
    placed = {data["path"].removeprefix("notes/"): data for data in components(app) if "notes/" in data.get("path", "")}
    assert {panel: data["text"] for panel, data in placed.items()} == {panel: streamed[panel] for panel in placed}
    return [note for panel in placed for note in streamed[panel].split("\n") if note]


def answer(app: AppTest) -> str:
    """The sentence above the charts, as the page was drawn; the stream brings the same."""
    texts = [data["text"] for data in components(app) if data.get("path") == "answer"]
    streamed = document(app).get("answer")
    assert streamed is None or [streamed or "Nothing measured yet."] == texts
    return texts[0] if texts else ""


def components(app: AppTest) -> list[dict]:
    return [json.loads(component.proto.json) for component in app.get("bidi_component")]


def infos(app: AppTest) -> list[str]:
    assert not app.exception
    assert not app.error
    return [info.value for info in app.info]
