"""Tasks: the queue with a fake cluster, and the scheduler's with real workers."""

import io
import operator
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any

import pytest
from distributed import KilledWorker

from bnlab.runs.export import export_runs, folder_name
from bnlab.runs.run import RunState
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.runs.tasks import KILLED, MAX_LOSSES, TaskError, TaskQueue
from bnlab.specs.run_spec import RunSpec
from tests.waiting import wait_until

CLOSED = "bnlab was closed before this was done."


class FakeFuture:
    """A Dask future that ends when the test calls `end`."""

    def __init__(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], workers: list[str] | None = None
    ) -> None:
        self.task, self.status, self.workers = (function, arguments), "pending", workers
        self.error: BaseException | None = None
        self.callbacks: list[Callable[[object], None]] = []

    def add_done_callback(self, callback: Callable[[object], None]) -> None:
        self.callbacks.append(callback)

    def done(self) -> bool:
        return self.status != "pending"

    def end(self, status: str = "finished", error: BaseException | None = None) -> None:
        self.status, self.error = status, error
        for callback in self.callbacks:
            callback(self)

    def cancel(self) -> None:
        self.status = "cancelled"

    def result(self, timeout: float) -> Any:
        assert timeout > 0
        if self.error is not None:
            raise self.error
        function, arguments = self.task
        return function(*arguments)


class FakeClient:
    def __init__(self) -> None:
        self.futures: list[FakeFuture] = []

    def submit(
        self, function: Callable[..., Any], *arguments: Any, pure: bool, workers: list[str] | None = None
    ) -> FakeFuture:
        assert not pure  # the same task twice is two tasks
        self.futures.append(FakeFuture(function, arguments, workers))
        return self.futures[-1]


class LostClient:
    def submit(self, *_arguments: Any, pure: bool) -> None:
        raise OSError("gone")


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest.fixture
def tasks() -> TaskQueue:
    return TaskQueue()


def ignore(_future: object) -> None:
    pass


def test_the_future_of_a_task_is_resolved_once_it_has_ended(tasks: TaskQueue, client: FakeClient) -> None:
    ended: list[object] = []
    future = tasks.submit(operator.add, 1, 2)
    tasks.assign(client, ended.append)
    tasks.assign(client, ended.append)
    tasks.collect()
    (running,) = client.futures
    assert not future.done()
    running.end()
    assert ended == [running]
    tasks.collect()
    assert future.result(0) == 3


def test_tasks_are_assigned_in_order(tasks: TaskQueue, client: FakeClient) -> None:
    for number in range(3):
        tasks.submit(operator.neg, number)
    tasks.assign(client, ignore)
    assert [future.task for future in client.futures] == [(operator.neg, (number,)) for number in range(3)]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("too big"), "It failed with ValueError: too big"),
        (CancelledError("lost"), "It failed with CancelledError: lost"),
        (KilledWorker("key", None, 4), "The worker processes died of it; they may need more memory."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_is_a_task_error(tasks: TaskQueue, client: FakeClient, error: Exception, sentence: str) -> None:
    future = tasks.submit(operator.add, 1, 2)
    tasks.assign(client, ignore)
    client.futures[0].end("error", error)
    tasks.collect()
    failure = future.exception(0)
    assert isinstance(failure, TaskError)
    assert str(failure) == sentence
    assert failure.__cause__ is error


@pytest.mark.parametrize("lost", ["cancelled", "lost"])
def test_a_task_that_was_lost_is_assigned_again(tasks: TaskQueue, client: FakeClient, lost: str) -> None:
    future = tasks.submit(operator.add, 1, 2)
    tasks.assign(client, ignore)
    client.futures[0].end(lost)
    tasks.collect()
    tasks.assign(client, ignore)
    client.futures[1].end()
    tasks.collect()
    assert future.result(0) == 3


def test_tasks_of_a_lost_cluster_go_to_the_next(tasks: TaskQueue, client: FakeClient) -> None:
    futures = [tasks.submit(operator.neg, number) for number in (1, 2)]
    tasks.assign(client, ignore)
    futures.append(tasks.submit(operator.neg, 3))
    tasks.requeue_running()
    with pytest.raises(OSError, match="gone"):
        tasks.assign(LostClient(), ignore)
    successor = FakeClient()
    tasks.assign(successor, ignore)
    client.futures[0].end("cancelled")
    for future in successor.futures:
        future.end()
    tasks.collect()
    assert [future.result(0) for future in futures] == [-1, -2, -3]


def test_tasks_go_to_the_workers_that_may_do_them(tasks: TaskQueue, client: FakeClient) -> None:
    future = tasks.submit(operator.neg, 1)
    tasks.assign(client, ignore, [])
    assert client.futures == []
    tasks.assign(client, ignore, ["a", "b"])
    assert client.futures[0].workers == ["a", "b"]
    tasks.collect(["b", "refused"])
    assert client.futures[0].status == "pending"
    client.futures[0].end()
    tasks.collect(["b"])
    assert future.result(0) == -1


def test_a_task_whose_workers_are_gone_goes_to_others_but_not_for_ever(tasks: TaskQueue, client: FakeClient) -> None:
    future = tasks.submit(operator.neg, 1)
    for number in range(MAX_LOSSES):
        assert not future.done()
        tasks.assign(client, ignore, [f"worker {number}"])
        tasks.collect([f"worker {number + 1}", "refused"])
    assert [running.status for running in client.futures] == ["cancelled"] * MAX_LOSSES
    assert str(future.exception(0)) == KILLED


def test_a_cancelled_task_is_not_done(tasks: TaskQueue, client: FakeClient) -> None:
    cancelled, other = tasks.submit(operator.neg, 1), tasks.submit(operator.neg, 2)
    assert cancelled.cancel()
    tasks.assign(client, ignore)
    assert [future.task for future in client.futures] == [(operator.neg, (2,))]
    assert not other.cancel()  # it is on its way


def test_closing_fails_waiting_and_later_tasks(tasks: TaskQueue, client: FakeClient) -> None:
    out = tasks.submit(operator.neg, 1)
    tasks.assign(client, ignore)
    waiting, cancelled = tasks.submit(operator.neg, 2), tasks.submit(operator.neg, 3)
    cancelled.cancel()
    tasks.close()
    late = tasks.submit(operator.neg, 4)
    assert [str(future.exception(0)) for future in (out, waiting, late)] == [CLOSED] * 3
    assert cancelled.cancelled()


# A run of many slices: what waits for a worker cannot wait for its end.
LONG = RunSpec(hidden_units=(64, 32), train_examples=20_000, epochs=1000)
SHORT = RunSpec(placement="before_activation", hidden_units=(16,), train_examples=640, epochs=1)


@pytest.fixture
def second(tmp_path: Any) -> Store:
    return Store(f"sqlite:///{tmp_path}/bnlab.db")


@pytest.fixture(scope="module")
def shared_scheduler(tmp_path_factory: pytest.TempPathFactory, scheduler: str) -> Iterator[Scheduler]:
    shared = Scheduler(Store(f"sqlite:///{tmp_path_factory.mktemp('tasks')}/bnlab.db"), scheduler=scheduler)
    yield shared
    shared.close()


@pytest.mark.workers
def test_tasks_run_in_worker_processes(shared_scheduler: Scheduler) -> None:
    futures = [shared_scheduler.submit(os.getpid) for _ in range(3)]
    assert all(future.result(60) != os.getpid() for future in futures)
    assert shared_scheduler.submit(operator.add, 1, 2).result(60) == 3
    assert (
        str(shared_scheduler.submit(operator.truediv, 1, 0).exception(60))
        == "It failed with ZeroDivisionError: division by zero"
    )


@pytest.mark.slow
@pytest.mark.workers
def test_tasks_are_done_between_slices_and_the_runs_go_on(shared_scheduler: Scheduler) -> None:
    runs = [shared_scheduler.launch(LONG.model_copy(update={"seed": seed}), "long") for seed in (0, 1)]
    digests = [run.digest for run in runs]
    wait_until(lambda: all(run.step > 0 for run in shared_scheduler.store.runs(digests)))
    content = shared_scheduler.submit(export_runs, shared_scheduler.store.url, (digests[0],)).result(60)
    run = shared_scheduler.store.run(digests[0])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert f"{folder_name(run)}/model.keras" in archive.namelist()
    steps = {current.digest: current.step for current in shared_scheduler.store.runs(digests)}
    wait_until(lambda: all(current.step > steps[current.digest] for current in shared_scheduler.store.runs(digests)))
    shared_scheduler.stop(digests)
    wait_until(lambda: all(current.state is RunState.STOPPED for current in shared_scheduler.store.runs(digests)))


@pytest.mark.workers
def test_a_task_without_workers_waits_and_fails_on_close(second: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnlab.runs.cluster.CONNECT_TIMEOUT_SECONDS", 1)
    scheduler = Scheduler(second, scheduler="tcp://127.0.0.1:9")
    try:
        future = scheduler.submit(operator.add, 1, 2)
        wait_until(lambda: scheduler.problem != "")
        assert not future.done()
    finally:
        scheduler.close()
    assert str(future.exception(10)) == CLOSED
    assert str(scheduler.submit(operator.add, 1, 2).exception(0)) == CLOSED


@pytest.mark.slow
@pytest.mark.workers
def test_a_task_of_a_killed_worker_is_done_again(second: Store) -> None:
    scheduler = Scheduler(second, workers=1)
    try:
        process = scheduler.submit(os.getpid).result(60)
        future = scheduler.submit(time.sleep, 1.0)
        wait_until(future.running)
        time.sleep(0.3)
        os.kill(process, 9)
        assert future.result(120) is None
        assert scheduler.submit(os.getpid).result(60) != process
    finally:
        scheduler.close()
