"""The X-ray in AppTest; tasks of workers run in this process or not at all."""

import json
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.charts.depth_profile import QUANTITIES
from bnlab.live.tasks import task_id
from bnlab.runs.diagnostics import take_depth_profiles
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.runs.tasks import TaskError
from bnlab.specs.datasets import DatasetError
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.layers import depth_profile as xray
from bnlab.ui.layers.page import UNTRAINED_HIDDEN
from bnlab.ui.navigation import page_path
from bnlab.ui.worker_task import SharedTasks
from tests.one_thread import one_thread  # noqa: F401
from tests.opened_page import OpenPage, open_page

__all__ = ["open_page"]

QUERY = {
    "v": "Small~colour~0~placement~before_activation~hidden_units~8-6",
    "epochs": 1,
    "train_examples": 64,
    "layers-view": "xray",
}
SPEC = RunSpec(placement="before_activation", hidden_units=(8, 6), epochs=1, train_examples=64)
CHARTS = [f"layers-xray-{name}" for name in QUANTITIES]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'bnlab.db'}")


@pytest.fixture
def submitted_steps(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The steps of each submitted task, which runs at once."""
    steps: list[list[int]] = []

    def submit(_scheduler: Scheduler, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        steps.append(list(arguments[-1]))
        future: Future[Any] = Future()
        future.set_result(function(*arguments))
        return future

    monkeypatch.setattr(Scheduler, "submit", submit)
    return steps


def open_xray(open_page: OpenPage, store: Store, **query: object) -> AppTest:
    app = open_page(store, **QUERY | query).switch_page(page_path("layers")).run()
    assert not app.exception
    return app


def measure(app: AppTest) -> None:
    app.button(key="layers-xray-measure").click().run()
    assert not app.exception


def figures(app: AppTest) -> dict[str, dict[str, Any]]:
    return {chart["chart"]: json.loads(chart["figure"]) for chart in sent_data(app) if "figure" in chart}


def sent_data(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(component.proto.json) for component in app.get("bidi_component")]


def unmeasured(app: AppTest) -> int:
    """How many charts are a line instead, because nothing was measured."""
    assert not any(figure["layout"].get("annotations") for figure in figures(app).values())
    return sum(caption.value.count("Not measured yet") for caption in app.caption)


def buttons(app: AppTest) -> list[str]:
    return [button.label for button in app.button if button.key == "layers-xray-measure"]


def test_a_network_that_was_never_trained_is_measured(
    open_page: OpenPage, store: Store, submitted_steps: list[list[int]]
) -> None:
    app = open_xray(open_page, store)
    assert submitted_steps == [[0, 1, 10, 100]], "at once: nobody has to press anything to see something"
    shown = list(figures(app))
    assert shown == [name for name in CHARTS if name in shown], "in this order; the others have a line instead"
    assert shown[:2] == CHARTS[:2]
    assert sum(caption.value.count("No ") for caption in app.caption) == len(CHARTS) - len(shown)
    drawn = figures(app)["layers-xray-gradient_norm"]["data"]
    assert [trace["uid"] for trace in drawn] == [f"{SPEC.digest}-{step}" for step in (0, 1, 10, 100)]
    assert [progress.proto.text for progress in app.get("progress")] == ["1 of 1 network measured"]
    assert not buttons(app)
    assert store.runs() == []


def test_what_takes_minutes_waits_for_the_button(
    open_page: OpenPage, store: Store, submitted_steps: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xray, "MAX_AUTOMATIC_PRODUCTS", 1e5)
    app = open_xray(open_page, store)
    assert not submitted_steps
    assert unmeasured(app) == len(QUANTITIES)
    assert [info.value for info in app.info] == [xray.LARGE]
    app.button_group(key="layers-xray-steps").set_value(["0"]).run()
    assert submitted_steps == [[0]], "no step is quick"
    app.button_group(key="layers-xray-steps").set_value(["0", "10"]).run()
    measure(app)
    assert submitted_steps == [[0], [10]]
    assert not buttons(app)
    assert not app.info


@pytest.mark.slow
def test_only_steps_that_nobody_has_asked_for_are_measured(
    open_page: OpenPage, store: Store, submitted_steps: list[list[int]]
) -> None:
    app = open_xray(open_page, store)
    steps = app.button_group(key="layers-xray-steps")
    steps.set_value(["10"]).run()
    assert [trace["uid"] for trace in figures(app)[CHARTS[0]]["data"]] == [f"{SPEC.digest}-10"]
    app.number_input(key="layers-xray-own").set_value(3).run()
    assert submitted_steps == [[0, 1, 10, 100], [3]]
    assert [trace["uid"] for trace in figures(app)[CHARTS[0]]["data"]] == [f"{SPEC.digest}-{n}" for n in (3, 10)]


def test_no_step_is_a_sentence(open_page: OpenPage, store: Store) -> None:
    app = open_xray(open_page, store)
    app.button_group(key="layers-xray-steps").set_value([]).run()
    assert not app.exception
    assert [info.value for info in app.info] == ["Choose at least one step."]


@pytest.mark.slow
def test_while_a_worker_measures_the_page_says_so(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    future: Future[None] = Future()
    monkeypatch.setattr(Scheduler, "submit", lambda *_: future)
    app = open_xray(open_page, store)
    (progress,) = app.get("progress")
    assert progress.proto.text == "0 of 1 network measured"
    assert unmeasured(app) == len(QUANTITIES)
    assert not buttons(app)
    (stream,) = [data for data in sent_data(app) if "tasks" in data]
    assert stream["tasks"] == [task_id(future)], "the page is rendered again when it is done"
    take_depth_profiles(store.url, SPEC, [0, 1, 10, 100])
    future.set_result(None)
    app.run()
    assert not app.exception
    (progress,) = app.get("progress")
    assert progress.proto.text == "1 of 1 network measured"
    assert figures(app)[CHARTS[0]]["data"]


def test_what_fails_is_one_sentence_and_can_be_tried_again(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline: Future[None] = Future()
    error = TaskError("It failed with DatasetError: offline")
    error.__cause__ = DatasetError("MNIST is not on this machine.")
    offline.set_exception(error)
    broken: Future[None] = Future()
    broken.set_exception(TaskError("It failed with ValueError: 3"))
    futures = iter([offline, broken])
    monkeypatch.setattr(Scheduler, "submit", lambda *_: next(futures))
    app = open_xray(open_page, store)
    assert [error.value for error in app.error] == ["MNIST is not on this machine."]
    assert buttons(app) == ["Try again"]
    app.run()
    assert [error.value for error in app.error] == ["MNIST is not on this machine."], "only if somebody says so"
    measure(app)
    assert [error.value for error in app.error] == ["It failed with ValueError: 3"]


@pytest.mark.slow
def test_what_was_measured_outlives_the_app(
    open_page: OpenPage, store: Store, submitted_steps: list[list[int]]
) -> None:
    open_xray(open_page, store)
    xray._tasks.clear()
    app = open_xray(open_page, store)
    assert submitted_steps == [[0, 1, 10, 100]], "it is in the store"
    assert [progress.proto.text for progress in app.get("progress")] == ["1 of 1 network measured"]


def test_what_is_pending_is_not_submitted_again() -> None:
    tasks: SharedTasks[int] = SharedTasks()
    submitted: list[list[int]] = []
    futures: list[Future[None]] = []

    def submit(subjects: list[int]) -> "Future[None]":
        submitted.append(subjects)
        futures.append(Future())
        return futures[-1]

    tasks.submit([0, 1], submit)
    tasks.submit([1, 2], submit)
    assert submitted == [[0, 1], [2]]
    assert tasks.pending([0, 1, 2, 3]) == {0: futures[0], 1: futures[0], 2: futures[1]}
    futures[0].set_exception(ValueError("three"))
    futures[1].set_result(None)
    assert tasks.pending([0, 1, 2, 3]) == {}
    assert set(tasks.errors([0, 1, 2, 3])) == {0, 1}
    tasks.submit([1], submit)
    assert submitted[-1] == [1]
    assert set(tasks.errors([0, 1])) == {0}


def test_a_lesson_without_training_lets_no_worker_train(
    open_page: OpenPage, store: Store, submitted_steps: list[list[int]]
) -> None:
    app = open_xray(open_page, store, hide="training")
    assert not submitted_steps
    assert [info.value for info in app.info] == [UNTRAINED_HIDDEN]
