"""Running experiments: runs are trained, measurements taken, and both can be stopped and continued."""

import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from bnlab.claims import runner as runner_module
from bnlab.claims.measures import TRAINABLE
from bnlab.claims.model import Condition, Experiment, Measure, WorkerMeasure, plan_experiment
from bnlab.claims.results import Coverage, needed_measurements, read_cached_results, read_result, trained_specs
from bnlab.claims.runner import ClaimProgress, ClaimRunner, missing_specs
from bnlab.runs.errors import StoreError
from bnlab.runs.experiment_queue import queued
from bnlab.runs.groups import launch_group
from bnlab.runs.measurements import Measurement, write_measurement
from bnlab.runs.run import RunState
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.runs.writer import RunWriter
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import Records
from tests import tiny_claim
from tests.runs.unreadable_runs import CHANGES, make_unreadable
from tests.slow import all_but_one_slow
from tests.stored_runs import OWNER, CheckpointStub, float32_array
from tests.tiny_claim import ARMS, MORE, TINY


def count_steps(store_url: str, spec: RunSpec) -> pd.DataFrame:
    """The number of steps of the run of `spec`."""
    return pd.DataFrame({"step": [Store(store_url).run(spec.digest).step]})


def fail_once(store_url: str, spec: RunSpec) -> pd.DataFrame:
    """Fail the first time for one spec."""
    failed = Path(store_url.removeprefix("sqlite:///")).with_name("failed")
    if (spec.placement, spec.seed) == (TINY.placement, 0) and not failed.exists():
        failed.touch()
        raise RuntimeError("out of memory")
    return pd.DataFrame({"step": [0]})


def step_count(spec: RunSpec) -> Measurement:
    return Measurement("step_count", count_steps, spec)


def unreliable(spec: RunSpec) -> Measurement:
    return Measurement("unreliable", fail_once, spec)


STEPS = Measure("steps", "steps", "steps", WorkerMeasure(step_count, lambda t: t["step"].iloc[0], after_training=True))
CONDITION = Condition("steps", "steps", *ARMS, STEPS, MORE)
CLAIM = replace(tiny_claim.CLAIM, conditions=(*tiny_claim.CLAIM.conditions, CONDITION))
EXPERIMENT = plan_experiment(CLAIM)


def plan_measured(source: WorkerMeasure) -> Experiment:
    """An experiment with one condition, measured by `source`."""
    condition = replace(CONDITION, measure=replace(STEPS, source=source))
    return plan_experiment(replace(CLAIM, conditions=(condition,)))


def read_coverage(store: Store, experiment: Experiment) -> Coverage:
    return read_cached_results(store).coverage(experiment)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'bnlab.db'}")


def wait_for_end(runner: ClaimRunner) -> list[ClaimProgress]:
    """Poll until the experiment is complete or has failed; returns every progress."""
    seen = [runner.progress()]
    deadline = time.monotonic() + 120
    while not (seen[-1].is_complete or seen[-1].has_failed):
        assert time.monotonic() < deadline
        time.sleep(0.05)
        seen.append(runner.progress())
    return seen


@pytest.mark.slow
@pytest.mark.workers
def test_experiment_is_completed_and_its_runs_are_not_trained_again(store: Store, scheduler: str) -> None:
    local_scheduler = Scheduler(store, scheduler=scheduler)
    try:
        runner = ClaimRunner(local_scheduler, EXPERIMENT)
        assert read_coverage(store, EXPERIMENT) == Coverage(4, 0, 4, 0)
        runner.start()
        assert queued(store) == ["X1 quick 0:2"]
        seen = wait_for_end(runner)
        fractions = [progress.fraction for progress in seen]
        assert fractions == sorted(fractions)
        assert (seen[-1].coverage, fractions[-1]) == (Coverage(4, 4, 4, 4), 1)
        assert read_coverage(store, EXPERIMENT).is_complete
        result = read_result(store, EXPERIMENT)
        assert result.conditions[1].control == (2, 2), "measured after the training"
        larger = EXPERIMENT.next_look
        assert larger is not None
        assert read_coverage(store, larger) == Coverage(8, 4, 8, 4)
        assert read_cached_results(store).coverage(larger, excluding=EXPERIMENT) == Coverage(4, 0, 4, 0)
        more = ClaimRunner(local_scheduler, larger)
        more.start()
        assert wait_for_end(more)[-1].is_complete
        again = {run.digest: run.updated_at for run in more.progress().runs}
        assert all(again[run.digest] == run.updated_at for run in seen[-1].runs)
    finally:
        local_scheduler.close()


@pytest.mark.workers
def test_failed_measurement_is_repeated_after_a_new_start(store: Store, scheduler: str) -> None:
    local_scheduler = Scheduler(store, scheduler=scheduler)
    try:
        runner = ClaimRunner(
            local_scheduler, plan_measured(WorkerMeasure(unreliable, lambda table: table["step"].iloc[0]))
        )
        runner.start()
        last = wait_for_end(runner)[-1]
        assert last.has_failed
        assert "out of memory" in last.problem
        assert runner.progress().has_failed, "polling does not repeat it"
        runner.start()
        assert wait_for_end(runner)[-1].is_complete
    finally:
        local_scheduler.close()


class IdleScheduler:
    """A scheduler without workers: its runs stay queued."""

    problem = ""

    def __init__(self, store: Store) -> None:
        self.store = store

    def launch_group(self, name: str, specs: list[tuple[RunSpec, str]], visitor: str) -> None:
        launch_group(self.store, name, specs, OWNER, visitor)

    def submit(self, *_: object) -> Future[None]:
        return Future()

    def withdraw(self, digests: set[str], visitor: str | None) -> None:
        self.store.withdraw(digests, visitor)


def idle_runner(store: Store, experiment: Experiment) -> ClaimRunner:
    return ClaimRunner(IdleScheduler(store), experiment)  # type: ignore[arg-type]


def commit_step(store: Store, spec: RunSpec) -> None:
    """Commit one step as a worker does."""
    fence = store.next_fence(spec.digest, OWNER)
    assert fence
    records = Records(0, float32_array(1.0), float32_array(0.5), [])
    RunWriter(store, spec.digest, fence).commit(records, CheckpointStub(1, 0.1), RunState.RUNNING)


def test_stop_keeps_the_runs_that_another_experiment_needs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(CLAIM, id="X2", conditions=CLAIM.conditions[:1])
    monkeypatch.setattr(runner_module, "CLAIMS", {"X1": CLAIM, "X2": other})
    first, second = idle_runner(store, EXPERIMENT), idle_runner(store, plan_experiment(other, "quick", range(1)))
    first.start()
    second.start()
    for spec in trained_specs(EXPERIMENT):
        commit_step(store, spec)
    first.stop()
    assert queued(store) == ["X2 quick 0:1"]
    runs = first.progress().runs
    assert {(run.spec.seed, run.stop_requested) for run in runs} == {(0, False), (1, True)}
    for run in runs:
        if run.stop_requested:
            store.finish(run.digest, OWNER, RunState.STOPPED)
    assert first.progress().has_failed
    assert "2 of its runs were stopped or failed." in first.progress().problem
    first.start()
    assert not first.progress().has_failed
    assert first.progress().fraction == pytest.approx(0.5 * 4 / 8), "half of the steps, no measurements"


def test_stop_deletes_runs_without_a_step(store: Store) -> None:
    runner = idle_runner(store, EXPERIMENT)
    started, individual, *others = trained_specs(EXPERIMENT)
    individual_run = store.launch(individual, "mine", OWNER)
    runner.start()
    commit_step(store, started)
    runner.stop()
    assert {run.digest: run.stop_requested for run in store.runs()} == {
        started.digest: True,
        individual_run.digest: False,
    }
    runner.start()
    assert len(store.runs()) == 2 + len(others)
    assert not any(run.stop_requested for run in store.runs())


def test_an_experiment_goes_on_while_another_visitor_wants_it(store: Store) -> None:
    runner = idle_runner(store, EXPERIMENT)
    for visitor in ("ann", "ben"):
        runner.start(visitor)
    for spec in trained_specs(EXPERIMENT):
        commit_step(store, spec)
    for visitor in ("ann", "ann", "somebody else"):
        runner.stop(visitor)
    assert queued(store) == [EXPERIMENT.name]
    assert {run.stop_requested for run in runner.progress().runs} == {False}
    runner.stop("ben")
    assert queued(store) == []
    assert {run.stop_requested for run in runner.progress().runs} == {True}


def test_seconds_left_follows_the_pace_of_the_measurements(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 102.0, 103.0, 106.0])
    monkeypatch.setattr(
        runner_module, "time", SimpleNamespace(monotonic=lambda: next(now))
    )  # only there: Dask needs the clock
    experiment = plan_measured(WorkerMeasure(step_count, len))
    runner, measurements = idle_runner(store, experiment), needed_measurements(experiment)
    write_measurement(store, measurements[0], pd.DataFrame())
    seen = [runner.progress()]
    for measurement in measurements[1:]:
        write_measurement(store, measurement, pd.DataFrame())
        seen.append(runner.progress())
    assert [progress.coverage.measured for progress in seen] == [1, 2, 3, 4]
    assert [progress.seconds_left for progress in seen] == [None, 4.0, 1.5, 0.0]
    assert [progress.fraction for progress in seen] == [0.25, 0.5, 0.75, 1]


def test_runs_are_labelled_with_claim_and_arm(store: Store) -> None:
    idle_runner(store, EXPERIMENT).start()
    assert {(run.label, run.spec.placement) for run in store.runs()} == {
        ("X1: BN", "before_activation"),
        ("X1: no BN", "none"),
    }


@pytest.mark.parametrize("kind", all_but_one_slow(CHANGES))
def test_an_unreadable_run_fails_the_experiment(store: Store, kind: str) -> None:
    """The other runs are active, so that nothing else ends it."""
    runner, unreadable = idle_runner(store, EXPERIMENT), trained_specs(EXPERIMENT)[0]
    runner.start()
    store.withdraw([unreadable.digest])
    make_unreadable(store, unreadable, "newer", kind)
    assert read_coverage(store, EXPERIMENT).trained == 0
    progress = runner.progress()
    assert (progress.has_failed, progress.is_complete) == (True, False)
    assert "“newer” was written by another version" in progress.problem
    assert "deleted" not in progress.problem
    runner.stop()
    with pytest.raises(StoreError, match="“newer”"):
        runner.start()
    assert queued(store) == [], "what was not launched is not waited for"
    store.delete([unreadable.digest])
    runner.start()
    assert not runner.progress().has_failed


def test_a_deleted_run_fails_the_experiment_until_it_is_started_again(store: Store) -> None:
    runner, first = idle_runner(store, EXPERIMENT), trained_specs(EXPERIMENT)[0]
    runner.start()
    store.finish(first.digest, OWNER, RunState.COMPLETED)
    store.delete([first.digest])
    assert (runner.progress().has_failed, runner.progress().problem) == (True, "1 of its runs was deleted.")
    runner.start()
    assert not runner.progress().has_failed


def test_counted_experiment_is_complete_without_start(store: Store) -> None:
    experiment = plan_experiment(replace(CLAIM, conditions=(replace(CLAIM.conditions[0], measure=TRAINABLE),)))
    assert missing_specs(store, experiment) == ()
    assert read_coverage(store, experiment).is_complete
    progress = idle_runner(store, experiment).progress()
    assert (progress.is_complete, progress.fraction) == (True, 1)
