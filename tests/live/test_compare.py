"""The document of a comparison: its curves and its variants' progress, and how little an update carries."""

from pathlib import Path

import numpy as np
import pytest

from bnlab.live.compare import CompareView
from bnlab.live.events import difference, event
from bnlab.runs.predictions import reveal_results, save_prediction
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.runs.summary import SHARED_TEXTS
from bnlab.runs.writer import RunWriter
from bnlab.specs.prediction import LearnerPrediction, lesson_id
from bnlab.training.records import Records
from tests.live.still_scheduler import reader_of
from tests.stored_runs import CheckpointStub, float32_array, make_evaluation, open_writer

EIGHT = {"v": [f"Network {i}~seed~{i}" for i in range(8)], "hidden_units": ["16"], "epochs": ["4"]}
MAX_UPDATE_BYTES = 4096


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/bnlab.db")


def shown(view: CompareView, store: Store) -> dict:
    return dict(view.document(reader_of(store).read(view.digests)))


def commit(writer: RunWriter, first: int, last: int, state: RunState = RunState.RUNNING) -> None:
    losses = float32_array(*(2 / np.sqrt(np.arange(first + 1, last + 1))))
    evaluations = [make_evaluation(last, val_loss=float(losses[-1]))]
    writer.commit(Records(first, losses, 1 - losses / 2, evaluations), CheckpointStub(last, last / 1000), state)


def test_hidden_results_are_not_sent(store: Store) -> None:
    lesson = lesson_id("a key")
    view = CompareView.from_url({"preset": ["notebook"], "predict": [lesson]})
    first, second, *_ = (specs[0] for specs in view.specs.values())
    for spec, state in ((first, RunState.COMPLETED), (second, RunState.DIVERGED)):
        commit(open_writer(store, spec), 0, 50, state)
    before = shown(view, store)
    assert before.keys() == {"page", "others", "progress", "predictions"}
    assert before["progress"]["0"] == before["progress"]["1"], "nor does it show which one diverged"
    reader = reader_of(store)
    inputs = view.inputs(reader.read(view.digests))
    save_prediction(store, lesson, "ann", LearnerPrediction("Baseline", "small"))
    assert view.inputs(reader.read(view.digests)) != inputs
    assert shown(view, store)["predictions"] != before["predictions"]
    reveal_results(store, lesson)
    after = shown(view, store)
    assert after["page"] != before["page"]
    assert after["charts"]["training-loss"]["order"]
    assert CompareView.from_url({"predict": ["not an id"]}).predict == ""


def test_the_document_follows_the_runs(store: Store) -> None:
    view = CompareView.from_url({"preset": ["notebook"]})
    before = shown(view, store)
    labels = view.comparison.labels
    assert [before["progress"][str(index)]["text"] for index in range(len(labels))] == ["Not trained yet"] * len(labels)
    assert {chart["order"] == [] for chart in before["charts"].values()} == {True}

    spec = view.specs[labels[0]][0]
    writer = open_writer(store, spec)
    queued = shown(view, store)
    assert queued["progress"]["0"]["text"] == "Waiting for a worker"
    assert queued["page"] != before["page"], "the page offers to stop it"

    commit(writer, 0, 50)
    training = shown(view, store)
    assert training["progress"]["0"]["share"] == pytest.approx(50 / spec.total_steps, abs=1e-4)
    loss = training["charts"]["training-loss"]
    assert [loss["traces"][uid]["name"] for uid in loss["order"] if "name" in loss["traces"][uid]] == labels
    commit(writer, 50, 60)
    later = shown(view, store)
    assert later["page"] == training["page"], "a step changes nothing that the page offers"
    assert later["committed"] > training["committed"]
    assert len({document["summary"] for document in (before, queued, training)}) == 3
    store.request_stop([spec.digest])
    commit(writer, 60, 70, RunState.STOPPED)
    assert shown(view, store)["page"] != later["page"]


@pytest.mark.parametrize(("x", "remarks"), [("seconds", True), ("step", False)])
def test_charts_by_seconds_say_that_some_were_measured_beside_other_work(
    store: Store,
    x: str,
    remarks: bool,
) -> None:
    view = CompareView.from_url({"x": [x]})
    spec = next(iter(view.specs.values()))[0]
    commit(open_writer(store, spec), 0, 50)

    def texts() -> set[tuple[bool, bool]]:
        charts = shown(view, store)["charts"].values()
        parts = [(chart["layout"]["xaxis"]["title"]["text"], chart["alt"]) for chart in charts]
        return {(SHARED_TEXTS[True] in title, SHARED_TEXTS[True] in alt) for title, alt in parts}

    assert texts() == {(False, False)}
    store.mark_shared([spec.digest])
    assert texts() == {(remarks, remarks)}


def test_an_update_of_eight_runs_is_small(store: Store) -> None:
    """Two of them have advanced, as with two workers."""
    view = CompareView.from_url(EIGHT)
    writers = [open_writer(store, specs[0], label) for label, specs in view.specs.items()]
    for writer in writers:
        commit(writer, 0, 1_000)
    document, sizes = shown(view, store), []
    for step in range(1_100, 2_000, 100):
        for writer in writers[:2]:
            commit(writer, step - 100, step)
        new = shown(view, store)
        sizes.append(len(event("change", "0000-1", difference(document, new))))
        document = new
    assert max(sizes) <= MAX_UPDATE_BYTES, "also where a line is thinned again"


def test_the_address_of_a_view_may_hold_anything() -> None:
    view = CompareView.from_url({"epochs": ["many"], "x": ["step", "time"], "baseline": ["nobody"], "z": ["1"]})
    notebook = CompareView.from_url({"preset": ["notebook"]})
    assert view == notebook
    assert hash(view) == hash(notebook)
