"""The scheduler with real worker processes: to the end, stopped and continued, and killed in the middle."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
from sqlalchemy import func, select, update

from bnlab.runs import scheduler as scheduler_module
from bnlab.runs.groups import group_runs, unfinished_groups
from bnlab.runs.reader import evaluations_frame, layers_frame, snapshots_frame, steps_frame
from bnlab.runs.run import Run, RunState
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.schema import runs
from bnlab.runs.store import Store
from bnlab.runs.worker import train_slice
from bnlab.runs.writer import read_checkpoint
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from tests.runs.store_rows import is_leased
from tests.runs.unresponsive_worker import unresponsive_slice
from tests.waiting import wait_until
from tests.workers import has_ended, worker_processes

pytestmark = pytest.mark.workers

EPOCHS = 6
# Long enough (some seconds) to be disturbed in the middle, small enough to be trained several times.
SPEC = RunSpec(
    placement="before_activation",
    input_normalization=True,
    hidden_units=(64,),
    use_bias=False,
    optimizer="adam",
    train_examples=20_000,
    epochs=EPOCHS,
)


def finished(store: Store, digest: str) -> Run:
    def has_ended() -> bool:
        return store.run(digest).state.is_finished()

    wait_until(has_ended)
    return store.run(digest)


def has_passed(store: Store, digest: str, step: int) -> bool:
    return store.run(digest).step > step


def everything(store: Store, run: Run) -> list[bytes]:
    """All that is recorded of a run and its checkpoint, to the bit, but for the seconds and the seed's digest."""
    frames = [
        steps_frame(store, run.digest),
        evaluations_frame(store, [run]).drop(columns=["run", "seconds"]),
        layers_frame(store, run.digest).drop(columns="layer"),
    ]
    parts = [np.ascontiguousarray(frame.to_numpy(float)).tobytes() for frame in frames]
    for layer in describe_network(run.spec).normalizations:
        snapshots = snapshots_frame(store, run.digest, layer.name)
        parts += [f"{s.step} {s.variable}".encode() + s.values.tobytes() for s in snapshots.itertuples()]
    checkpoint = read_checkpoint(store, run.digest)
    assert checkpoint is not None
    arrays = sorted(checkpoint.arrays.items())
    return [*parts, str(checkpoint.step).encode(), *(name.encode() + array.tobytes() for name, array in arrays)]


@pytest.fixture(scope="module")
def shared_scheduler(tmp_path_factory: pytest.TempPathFactory, scheduler: str) -> Iterator[Scheduler]:
    shared = Scheduler(Store(f"sqlite:///{tmp_path_factory.mktemp('shared')}/bnlab.db"), scheduler=scheduler)
    yield shared
    shared.close()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """SPEC's records when it is trained in this process, alone and in slices that nothing disturbs."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('undisturbed')}/bnlab.db")
    store.launch(SPEC, "undisturbed", "owner")
    while not (state := train_slice(store.url, SPEC.digest, store.next_fence(SPEC.digest, "owner"))).is_finished():
        pass
    run = store.run(SPEC.digest)
    assert state is RunState.COMPLETED
    assert run.step == run.total_steps == EPOCHS * 625
    return everything(store, run)


@pytest.fixture
def second(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/bnlab.db")


def test_workers_killed_twice_change_no_bit(undisturbed: list[bytes], second: Store) -> None:
    others = worker_processes()
    scheduler = Scheduler(second, workers=1)
    try:
        run = scheduler.launch(SPEC, "killed")
        for step in (300, 1_500):
            wait_until(partial(has_passed, second, run.digest, step))
            (worker,) = [process for process in worker_processes() if process not in others]
            worker.kill()
        assert not second.run(run.digest).state.is_finished()
        assert finished(second, run.digest).state is RunState.COMPLETED
        assert everything(second, run) == undisturbed
    finally:
        scheduler.close()


KILLED_PROGRAM = """
import sys, time
from bnlab.runs.groups import group_runs, unfinished_groups
from bnlab.runs.writer import read_checkpoint
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
if __name__ == "__main__":
    store = Store(sys.argv[1])
    scheduler = Scheduler(store, workers=1)
    scheduler.launch(RunSpec.model_validate_json(sys.argv[2]), "killed")
    while True:
        time.sleep(0.1)
        assert "tensorflow" not in sys.modules
"""


@pytest.mark.slow
def test_runs_of_a_killed_scheduler_are_taken_over(
    undisturbed: list[bytes], scheduler: str, second: Store, tmp_path: Path
) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED_PROGRAM)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen([sys.executable, script, second.url, SPEC.model_dump_json()], env=environment)
    try:
        wait_until(lambda: bool(second.runs()) and second.run(SPEC.digest).step > 300)
        workers = psutil.Process(process.pid).children(recursive=True)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    wait_until(lambda: all(has_ended(worker) for worker in workers))
    run = second.run(SPEC.digest)
    assert run.state is RunState.RUNNING
    assert run.step < run.total_steps
    with second.engine.begin() as connection:  # its lease is no reason to wait
        connection.execute(update(runs).values(lease_until=time.time() + 3_600))
    successor = Scheduler(second, scheduler=scheduler)
    try:
        wait_until(lambda: second.run(SPEC.digest).owner == successor.owner)
        assert finished(second, SPEC.digest).state is RunState.COMPLETED
        assert everything(second, run) == undisturbed
    finally:
        successor.close()


def test_a_stopped_and_continued_run_has_the_same_bits(undisturbed: list[bytes], shared_scheduler: Scheduler) -> None:
    longer = SPEC.model_copy(update={"epochs": EPOCHS + 1})
    run = shared_scheduler.launch(longer, "stopped")
    wait_until(lambda: shared_scheduler.store.run(run.digest).step > 300)
    shared_scheduler.stop([run.digest])
    wait_until(lambda: shared_scheduler.store.run(run.digest).state is RunState.STOPPED)
    stopped = shared_scheduler.store.run(run.digest)
    assert 0 < stopped.step < stopped.total_steps
    assert len(steps_frame(shared_scheduler.store, run.digest)) == stopped.step
    shared_scheduler.launch(longer, "continued")
    assert finished(shared_scheduler.store, run.digest).state is RunState.COMPLETED
    # One epoch more than the undisturbed run, and the same until there.
    curve = steps_frame(shared_scheduler.store, run.digest).iloc[: SPEC.total_steps].to_numpy(float)
    assert curve.tobytes() == undisturbed[0]


def test_one_visitor_does_not_stop_what_another_trains(shared_scheduler: Scheduler) -> None:
    store, endless = shared_scheduler.store, SPEC.model_copy(update={"epochs": 1000})
    digest = shared_scheduler.launch(endless, "shared", "ann").digest
    shared_scheduler.launch(endless, "shared", "ben")
    wait_until(lambda: store.run(digest).step > 0)
    for visitor in ("ann", "ann", "somebody else"):
        shared_scheduler.stop([digest], visitor)
    step = store.run(digest).step
    wait_until(lambda: has_passed(store, digest, step + 300))
    assert store.run(digest).state is RunState.RUNNING
    shared_scheduler.stop([digest], "ben")
    assert finished(store, digest).state is RunState.STOPPED


@pytest.mark.slow
def test_runs_take_turns_on_the_workers(shared_scheduler: Scheduler) -> None:
    specs = [SPEC.model_copy(update={"seed": seed, "epochs": EPOCHS - 1}) for seed in range(1, 5)]
    digests = [shared_scheduler.launch(spec, "turns").digest for spec in specs]
    wait_until(lambda: all(run.step > 0 for run in shared_scheduler.store.runs(digests)))
    assert not all(run.state.is_finished() for run in shared_scheduler.store.runs(digests))
    shared_scheduler.stop(digests[1:])
    assert finished(shared_scheduler.store, digests[0]).state is RunState.COMPLETED
    assert all(
        finished(shared_scheduler.store, digest).state in (RunState.STOPPED, RunState.COMPLETED)
        for digest in digests[1:]
    )


@pytest.mark.slow
def test_a_run_beside_others_has_the_same_bits(undisturbed: list[bytes], shared_scheduler: Scheduler) -> None:
    others = [SPEC.model_copy(update={"seed": seed}) for seed in (7, 8)]
    digests = [shared_scheduler.launch(spec, "beside").digest for spec in (others[0], SPEC, others[1])]
    assert finished(shared_scheduler.store, SPEC.digest).state is RunState.COMPLETED
    assert everything(shared_scheduler.store, shared_scheduler.store.run(SPEC.digest)) == undisturbed
    shared_scheduler.stop(digests)


def test_a_diverged_run_keeps_its_curve(shared_scheduler: Scheduler) -> None:
    spec = RunSpec(
        hidden_units=(8,), rescale="raw", activation="linear", learning_rate=50, train_examples=640, epochs=2
    )
    run = finished(shared_scheduler.store, shared_scheduler.launch(spec, "diverging").digest)
    assert run.state is RunState.DIVERGED
    curve = steps_frame(shared_scheduler.store, run.digest)
    assert len(curve) == run.step
    assert not np.isfinite(curve["loss"].iloc[-1])
    assert np.isfinite(curve["loss"].iloc[:-1]).all()


@pytest.mark.slow
def test_a_missing_dataset_fails_the_run(second: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    scheduler = Scheduler(second, workers=1)
    try:
        run = finished(second, scheduler.launch(RunSpec(dataset="fashion_mnist"), "offline").digest)
    finally:
        scheduler.close()
    assert run.state is RunState.FAILED
    assert run.error.startswith("Fashion-MNIST is not on this machine and could not be downloaded: ")
    assert run.error.count("\n") == 0


def test_a_closed_scheduler_releases_its_runs(second: Store, scheduler: str) -> None:
    released = Scheduler(second, scheduler=scheduler)
    run = released.launch(SPEC.model_copy(update={"epochs": 1000}), "left")  # surely longer than closing takes
    wait_until(lambda: second.run(run.digest).step > 0)
    released.close()
    left = second.run(run.digest)
    assert left.state is RunState.RUNNING
    assert not is_leased(left)
    second.request_stop([run.digest])
    assert second.run(run.digest).state is RunState.STOPPED


@pytest.mark.slow
def test_a_worker_that_does_not_see_a_stop_is_killed_and_the_run_keeps_its_checkpoint(
    second: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler_module, "train_slice", unresponsive_slice)
    monkeypatch.setattr(scheduler_module, "STOP_SECONDS", 0.5)
    scheduler = Scheduler(second, workers=1)
    try:
        run = scheduler.launch(SPEC.model_copy(update={"epochs": 1000}), "unresponsive")
        wait_until(lambda: second.run(run.digest).step > 0)
        pid = scheduler.submit(os.getpid)
        time.sleep(4.0)  # the slice has ended its training
        kept = second.run(run.digest).step
        scheduler.stop([run.digest])
        stopped = finished(second, run.digest)
        assert (stopped.state, stopped.step) == (RunState.STOPPED, kept)
        checkpoint = read_checkpoint(second, run.digest)
        assert checkpoint is not None
        assert checkpoint.step == kept
        assert pid.result(60) > 0, "another worker is there"
    finally:
        scheduler.close()


def test_a_group_is_trained_stopped_and_continued_behind_a_single_run(shared_scheduler: Scheduler) -> None:
    tiny = RunSpec(hidden_units=(8,), train_examples=640, epochs=2)
    specs = [(tiny.model_copy(update={"seed": seed}), f"seed {seed}") for seed in range(12)]
    group = shared_scheduler.launch_group("group", specs)
    single = shared_scheduler.launch(tiny.model_copy(update={"seed": 99}), "single")
    assert finished(shared_scheduler.store, single.digest).state is RunState.COMPLETED
    shared_scheduler.stop([run.digest for run in group])
    wait_until(lambda: unfinished_groups(shared_scheduler.store) == [])
    stopped = group_runs(shared_scheduler.store, "group")
    assert {run.state for run in stopped} <= {RunState.COMPLETED, RunState.STOPPED}
    assert RunState.STOPPED in {run.state for run in stopped}  # the single run, launched last, was not the last
    shared_scheduler.launch_group("group", specs)
    wait_until(lambda: unfinished_groups(shared_scheduler.store) == [])
    assert {run.state for run in group_runs(shared_scheduler.store, "group")} == {RunState.COMPLETED}
    ended = [run for run in stopped if run.state is RunState.COMPLETED]
    assert [shared_scheduler.store.run(run.digest) for run in ended] == ended


def slices_begun(store: Store, digests: list[str]) -> int:
    """How many slices of these runs have been handed to workers."""
    with store.engine.connect() as connection:
        return int(connection.scalar(select(func.sum(runs.c.fence)).where(runs.c.digest.in_(digests))) or 0)


@pytest.mark.slow
def test_three_tiny_runs_are_done_soon_beside_160_of_another_visitor(shared_scheduler: Scheduler) -> None:
    """With first come, first served they took 302 s; by turns they wait for a few slices of the other's."""
    store = shared_scheduler.store
    long = [SPEC.model_copy(update={"seed": 1_000 + seed, "epochs": 100}) for seed in range(160)]
    many = [run.digest for run in shared_scheduler.launch_runs([(spec, "many") for spec in long], "ann")]
    wait_until(lambda: sum(run.step > 0 for run in store.runs(many)) >= 4)  # the workers are warm
    tiny = [RunSpec(hidden_units=(9,), train_examples=640, epochs=2, seed=seed) for seed in range(3)]
    few = [run.digest for run in shared_scheduler.launch_runs([(spec, "few") for spec in tiny], "ben")]
    before, began = slices_begun(store, many), time.monotonic()
    try:
        wait_until(lambda: all(run.state is RunState.COMPLETED for run in store.runs(few)))
        print(f"{time.monotonic() - began:.1f} s")
        assert slices_begun(store, many) - before <= 2 * len(few), "the other visitor has about every other turn"
    finally:
        shared_scheduler.stop(many)
        wait_until(lambda: all(run.state.is_finished() for run in store.runs(many)))
