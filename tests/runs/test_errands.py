"""Errands: the queue with a cluster that is made up, and the lab's with real workers."""

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

from bnlab.runs.errands import ErrandError, Errands
from bnlab.runs.export import export_runs, folder_name
from bnlab.runs.lab import Lab
from bnlab.runs.states import RunState
from bnlab.runs.store import Store
from bnlab.spec.run_spec import RunSpec
from tests.waiting import eventually

CLOSED = "bnlab was closed before this was done."


class MadeUpFuture:
    """A Dask future that is done when the test says so."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.task, self.status = (function, arguments), "pending"
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

    def result(self, timeout: float) -> Any:
        assert timeout > 0
        if self.error is not None:
            raise self.error
        function, arguments = self.task
        return function(*arguments)


class MadeUpClient:
    def __init__(self) -> None:
        self.futures: list[MadeUpFuture] = []

    def submit(self, function: Callable[..., Any], *arguments: Any, pure: bool) -> MadeUpFuture:
        assert not pure  # the same errand twice is two errands
        self.futures.append(MadeUpFuture(function, arguments))
        return self.futures[-1]


class LostClient:
    def submit(self, *_arguments: Any, pure: bool) -> None:
        raise OSError("gone")


@pytest.fixture
def client() -> MadeUpClient:
    return MadeUpClient()


@pytest.fixture
def errands() -> Errands:
    return Errands()


def ignore(_future: object) -> None:
    """Nobody wants to know."""


def test_an_errand_is_answered_once_its_task_has_ended(errands: Errands, client: MadeUpClient) -> None:
    ended: list[object] = []
    answer = errands.add(operator.add, 1, 2)
    errands.hand_out(client, ended.append)
    errands.hand_out(client, ended.append)
    errands.collect()
    (future,) = client.futures
    assert not answer.done()
    future.end()
    assert ended == [future]
    errands.collect()
    assert answer.result(0) == 3


def test_errands_are_handed_out_in_order(errands: Errands, client: MadeUpClient) -> None:
    for number in range(3):
        errands.add(operator.neg, number)
    errands.hand_out(client, ignore)
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
def test_a_failure_is_a_sentence(errands: Errands, client: MadeUpClient, error: Exception, sentence: str) -> None:
    answer = errands.add(operator.add, 1, 2)
    errands.hand_out(client, ignore)
    client.futures[0].end("error", error)
    errands.collect()
    failure = answer.exception(0)
    assert isinstance(failure, ErrandError)
    assert str(failure) == sentence
    assert failure.__cause__ is error


@pytest.mark.parametrize("lost", ["cancelled", "lost"])
def test_what_was_lost_on_the_way_is_handed_out_again(errands: Errands, client: MadeUpClient, lost: str) -> None:
    answer = errands.add(operator.add, 1, 2)
    errands.hand_out(client, ignore)
    client.futures[0].end(lost)
    errands.collect()
    errands.hand_out(client, ignore)
    client.futures[1].end()
    errands.collect()
    assert answer.result(0) == 3


def test_after_its_cluster_is_gone_an_errand_goes_to_the_next(errands: Errands, client: MadeUpClient) -> None:
    answers = [errands.add(operator.neg, number) for number in (1, 2)]
    errands.hand_out(client, ignore)
    answers.append(errands.add(operator.neg, 3))
    errands.recall()
    with pytest.raises(OSError, match="gone"):
        errands.hand_out(LostClient(), ignore)
    heir = MadeUpClient()
    errands.hand_out(heir, ignore)
    client.futures[0].end("cancelled")
    for future in heir.futures:
        future.end()
    errands.collect()
    assert [answer.result(0) for answer in answers] == [-1, -2, -3]


def test_a_cancelled_errand_is_not_done(errands: Errands, client: MadeUpClient) -> None:
    cancelled, other = errands.add(operator.neg, 1), errands.add(operator.neg, 2)
    assert cancelled.cancel()
    errands.hand_out(client, ignore)
    assert [future.task for future in client.futures] == [(operator.neg, (2,))]
    assert not other.cancel()  # it is on its way


def test_closing_fails_what_is_left_and_what_comes_after(errands: Errands, client: MadeUpClient) -> None:
    out = errands.add(operator.neg, 1)
    errands.hand_out(client, ignore)
    waiting, cancelled = errands.add(operator.neg, 2), errands.add(operator.neg, 3)
    cancelled.cancel()
    errands.close()
    late = errands.add(operator.neg, 4)
    assert [str(answer.exception(0)) for answer in (out, waiting, late)] == [CLOSED] * 3
    assert cancelled.cancelled()


# A run of many slices: what waits for a worker cannot wait for its end.
LONG = RunSpec(hidden_units=(64, 32), train_examples=20_000, epochs=1000)
SHORT = RunSpec(placement="before_activation", hidden_units=(16,), train_examples=640, epochs=1)


@pytest.fixture
def second(tmp_path: Any) -> Store:
    return Store(f"sqlite:///{tmp_path}/bnlab.db")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, scheduler: str) -> Iterator[Lab]:
    lab = Lab(Store(f"sqlite:///{tmp_path_factory.mktemp('errands')}/bnlab.db"), scheduler=scheduler)
    yield lab
    lab.close()


@pytest.mark.workers
def test_a_worker_does_it_in_another_process(lab: Lab) -> None:
    answers = [lab.submit(os.getpid) for _ in range(3)]
    assert all(answer.result(60) != os.getpid() for answer in answers)
    assert lab.submit(operator.add, 1, 2).result(60) == 3
    assert str(lab.submit(operator.truediv, 1, 0).exception(60)) == "It failed with ZeroDivisionError: division by zero"


@pytest.mark.workers
def test_errands_are_done_between_slices_and_the_runs_go_on(lab: Lab) -> None:
    runs = [lab.launch(LONG.model_copy(update={"seed": seed}), "long") for seed in (0, 1)]
    digests = [run.digest for run in runs]
    eventually(lambda: all(run.step > 0 for run in lab.store.runs(digests)))
    content = lab.submit(export_runs, lab.store.url, (digests[0],)).result(60)
    run = lab.store.run(digests[0])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert f"{folder_name(run)}/model.keras" in archive.namelist()
    steps = {found.digest: found.step for found in lab.store.runs(digests)}
    eventually(lambda: all(found.step > steps[found.digest] for found in lab.store.runs(digests)))
    lab.stop(digests)
    eventually(lambda: all(found.state is RunState.STOPPED for found in lab.store.runs(digests)))


@pytest.mark.workers
def test_without_workers_it_waits_and_closing_fails_it(second: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnlab.runs.cluster.ANSWER_SECONDS", 1)
    lab = Lab(second, scheduler="tcp://127.0.0.1:9")
    try:
        answer = lab.submit(operator.add, 1, 2)
        eventually(lambda: lab.problem != "")
        assert not answer.done()
    finally:
        lab.close()
    assert str(answer.exception(10)) == CLOSED
    assert str(lab.submit(operator.add, 1, 2).exception(0)) == CLOSED


@pytest.mark.workers
def test_a_worker_killed_on_an_errand_is_replaced_and_it_is_done_again(second: Store) -> None:
    lab = Lab(second, workers=1)
    try:
        process = lab.submit(os.getpid).result(60)
        answer = lab.submit(time.sleep, 1.0)
        eventually(answer.running)
        time.sleep(0.3)
        os.kill(process, 9)
        assert answer.result(120) is None
        assert lab.submit(os.getpid).result(60) != process
    finally:
        lab.close()
