"""The lab with real worker processes: to the end, stopped and continued, and killed in the middle."""

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
from sqlalchemy import update

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
from tests.waiting import wait_until
from tests.workers import worker_processes

pytestmark = pytest.mark.workers

EPOCHS = 6
# Long enough (some seconds) to be disturbed in the middle, small enough to be trained several times.
SPEC = RunSpec(
    placement="before_activation",
    input_normalization=True,
    hidden_units=(64, 32),
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
def lab(tmp_path_factory: pytest.TempPathFactory, scheduler: str) -> Iterator[Scheduler]:
    lab = Scheduler(Store(f"sqlite:///{tmp_path_factory.mktemp('lab')}/bnlab.db"), scheduler=scheduler)
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """SPEC's records when it is trained in this process, alone and in slices that nothing disturbs."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('undisturbed')}/bnlab.db")
    store.launch(SPEC, "undisturbed", "nobody")
    while not (state := train_slice(store.url, SPEC.digest, store.next_fence(SPEC.digest, "nobody"))).is_finished():
        pass
    run = store.run(SPEC.digest)
    assert state is RunState.COMPLETED
    assert run.step == run.total_steps == EPOCHS * 625
    return everything(store, run)


@pytest.fixture
def second(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/bnlab.db")


def test_killed_workers_change_no_bit(undisturbed: list[bytes], second: Store) -> None:
    others = worker_processes()
    lab = Scheduler(second, workers=1)
    try:
        run = lab.launch(SPEC, "killed")
        for step in (300, 1_500):
            wait_until(partial(has_passed, second, run.digest, step))
            (worker,) = [process for process in worker_processes() if process not in others]
            worker.kill()
        assert not second.run(run.digest).state.is_finished()
        assert finished(second, run.digest).state is RunState.COMPLETED
        assert everything(second, run) == undisturbed
    finally:
        lab.close()


KILLED_LAB = """
import sys, time
from bnlab.runs.groups import group_runs, unfinished_groups
from bnlab.runs.writer import read_checkpoint
from bnlab.runs.scheduler import Lab
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
if __name__ == "__main__":
    store = Store(sys.argv[1])
    lab = Lab(store, workers=1)
    lab.launch(RunSpec.model_validate_json(sys.argv[2]), "killed")
    while True:
        time.sleep(0.1)
        assert "tensorflow" not in sys.modules
"""


def test_a_killed_lab_is_taken_over_at_once(
    undisturbed: list[bytes], scheduler: str, second: Store, tmp_path: Path
) -> None:
    script = tmp_path / "lab.py"
    script.write_text(KILLED_LAB)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen([sys.executable, script, second.url, SPEC.model_dump_json()], env=environment)
    try:
        wait_until(lambda: bool(second.runs()) and second.run(SPEC.digest).step > 300)
        workers = psutil.Process(process.pid).children(recursive=True)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    wait_until(lambda: not any(worker.is_running() for worker in workers))
    run = second.run(SPEC.digest)
    assert run.state is RunState.RUNNING
    assert run.step < run.total_steps
    with second.engine.begin() as connection:  # its lease is no reason to wait
        connection.execute(update(runs).values(lease_until=time.time() + 3_600))
    heir = Scheduler(second, scheduler=scheduler)
    try:
        wait_until(lambda: second.run(SPEC.digest).owner == heir.owner)
        assert finished(second, SPEC.digest).state is RunState.COMPLETED
        assert everything(second, run) == undisturbed
    finally:
        heir.close()


def test_a_run_stops_in_the_middle_and_goes_on_to_the_same_end(undisturbed: list[bytes], lab: Scheduler) -> None:
    longer = SPEC.model_copy(update={"epochs": EPOCHS + 1})
    run = lab.launch(longer, "stopped")
    wait_until(lambda: lab.store.run(run.digest).step > 300)
    lab.stop([run.digest])
    wait_until(lambda: lab.store.run(run.digest).state is RunState.STOPPED)
    stopped = lab.store.run(run.digest)
    assert 0 < stopped.step < stopped.total_steps
    assert len(steps_frame(lab.store, run.digest)) == stopped.step
    lab.launch(longer, "continued")
    assert finished(lab.store, run.digest).state is RunState.COMPLETED
    # One epoch more than the undisturbed run, and the same until there.
    ours = steps_frame(lab.store, run.digest).iloc[: SPEC.total_steps].to_numpy(float)
    assert ours.tobytes() == undisturbed[0]


def test_runs_take_turns_on_the_workers(lab: Scheduler) -> None:
    specs = [SPEC.model_copy(update={"seed": seed, "epochs": EPOCHS - 1}) for seed in range(1, 5)]
    digests = [lab.launch(spec, "turns").digest for spec in specs]
    wait_until(lambda: all(run.step > 0 for run in lab.store.runs(digests)))
    assert not all(run.state.is_finished() for run in lab.store.runs(digests))
    lab.stop(digests[1:])
    assert finished(lab.store, digests[0]).state is RunState.COMPLETED
    assert all(finished(lab.store, digest).state in (RunState.STOPPED, RunState.COMPLETED) for digest in digests[1:])


def test_a_run_beside_others_has_the_same_bits(undisturbed: list[bytes], lab: Scheduler) -> None:
    others = [SPEC.model_copy(update={"seed": seed}) for seed in (7, 8)]
    digests = [lab.launch(spec, "beside").digest for spec in (others[0], SPEC, others[1])]
    assert finished(lab.store, SPEC.digest).state is RunState.COMPLETED
    assert everything(lab.store, lab.store.run(SPEC.digest)) == undisturbed
    lab.stop(digests)


def test_a_diverging_run_says_so_and_keeps_its_curve(lab: Scheduler) -> None:
    spec = RunSpec(
        hidden_units=(8,), rescale="raw", activation="linear", learning_rate=50, train_examples=640, epochs=2
    )
    run = finished(lab.store, lab.launch(spec, "diverging").digest)
    assert run.state is RunState.DIVERGED
    curve = steps_frame(lab.store, run.digest)
    assert len(curve) == run.step
    assert not np.isfinite(curve["loss"].iloc[-1])
    assert np.isfinite(curve["loss"].iloc[:-1]).all()


def test_a_dataset_that_cannot_be_had_fails_in_one_sentence(
    second: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    lab = Scheduler(second, workers=1)
    try:
        run = finished(second, lab.launch(RunSpec(dataset="fashion_mnist"), "offline").digest)
    finally:
        lab.close()
    assert run.state is RunState.FAILED
    assert run.error.startswith("Fashion-MNIST is not on this machine and could not be downloaded;")
    assert run.error.count("\n") == 0


def test_a_closed_lab_leaves_its_runs_to_the_next(second: Store, scheduler: str) -> None:
    lab = Scheduler(second, scheduler=scheduler)
    run = lab.launch(SPEC.model_copy(update={"epochs": 1000}), "left")  # surely longer than closing takes
    wait_until(lambda: second.run(run.digest).step > 0)
    lab.close()
    left = second.run(run.digest)
    assert left.state is RunState.RUNNING
    assert not left.watched
    second.request_stop([run.digest])
    assert second.run(run.digest).state is RunState.STOPPED


def test_a_group_is_trained_stopped_and_continued_behind_a_single_run(lab: Scheduler) -> None:
    tiny = RunSpec(hidden_units=(8,), train_examples=640, epochs=2)
    specs = [(tiny.model_copy(update={"seed": seed}), f"seed {seed}") for seed in range(12)]
    group = lab.launch_group("group", specs)
    single = lab.launch(tiny.model_copy(update={"seed": 99}), "single")
    assert finished(lab.store, single.digest).state is RunState.COMPLETED
    lab.stop([run.digest for run in group])
    wait_until(lambda: unfinished_groups(lab.store) == [])
    stopped = group_runs(lab.store, "group")
    assert {run.state for run in stopped} <= {RunState.COMPLETED, RunState.STOPPED}
    assert RunState.STOPPED in {run.state for run in stopped}  # the single run, launched last, was not the last
    lab.launch_group("group", specs)
    wait_until(lambda: unfinished_groups(lab.store) == [])
    assert {run.state for run in group_runs(lab.store, "group")} == {RunState.COMPLETED}
    ended = [run for run in stopped if run.state is RunState.COMPLETED]
    assert [lab.store.run(run.digest) for run in ended] == ended
