"""The curves cache: equal to the store, and which steps are read."""

import dataclasses
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from bnlab.runs import curves_cache
from bnlab.runs.curves_cache import CurvesCache
from bnlab.runs.reader import Arrays, read_steps, steps_frame
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.runs.writer import RunWriter
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import Records
from tests.stored_runs import OWNER, CheckpointStub, float32_array, open_writer, record_run

SPEC = RunSpec(train_examples=100, batch_size=4, epochs=3)


class Growing:
    """A run that takes some steps at a time; each step's loss is its number."""

    def __init__(self, store: Store, spec: RunSpec = SPEC) -> None:
        self._store, self._spec = store, spec
        self._journal: RunWriter = open_writer(store, spec)
        self._step = 0

    def grow(self, steps: int, state: RunState = RunState.RUNNING) -> Run:
        losses = float32_array(*range(self._step + 1, self._step + steps + 1))
        records = Records(self._step, losses, losses / 10)
        self._step += steps
        self._journal.commit(records, CheckpointStub(self._step), state)
        return self._store.run(self._spec.digest)


def steps_of(cache: CurvesCache, run: Run) -> Arrays:
    return cache.read([run])[run.digest].steps


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Which runs were read from the store, from which step on."""
    read_from: list[tuple[str, int]] = []

    def recording_read_steps(store: Store, after: Mapping[str, int]) -> dict[str, Arrays]:
        read_from.extend(after.items())
        return read_steps(store, after)

    monkeypatch.setattr(curves_cache, "read_steps", recording_read_steps)
    return read_from


def test_a_growing_curve_is_always_what_the_store_has(store: Store, reads: list[tuple[str, int]]) -> None:
    curves, growing = CurvesCache(store), Growing(store)
    for steps in (0, 3, 1, 0, 5):
        run = growing.grow(steps)
        frame = pd.DataFrame(steps_of(curves, run))
        pd.testing.assert_frame_equal(frame, steps_frame(store, run.digest))
        assert frame["step"].tolist() == frame["loss"].tolist() == list(range(1, run.step + 1))
    assert reads == [(SPEC.digest, 0), (SPEC.digest, 0), (SPEC.digest, 3), (SPEC.digest, 4)]


def test_cached_steps_are_not_read_again(store: Store, reads: list[tuple[str, int]]) -> None:
    curves, run = CurvesCache(store), record_run(store, SPEC, (3.0, 2.0))
    frames = [steps_of(curves, run) for _ in range(3)]
    assert frames[0] is frames[1] is frames[2]
    assert len(reads) == 1


def test_an_older_run_gets_the_cached_newer_curves(store: Store, reads: list[tuple[str, int]]) -> None:
    curves, growing = CurvesCache(store), Growing(store)
    late = growing.grow(2)
    steps_of(curves, growing.grow(2))
    assert len(steps_of(curves, late)["step"]) == 4
    assert len(reads) == 1


def test_a_run_deleted_and_launched_again_is_another(store: Store) -> None:
    curves, run = CurvesCache(store), record_run(store, SPEC, (3.0, 2.0), state=RunState.COMPLETED)
    assert steps_of(curves, run)["loss"].tolist() == [3, 2]
    store.delete([run.digest])
    again = record_run(store, SPEC, (5.0, 4.0))
    assert again.created_at > run.created_at
    assert steps_of(curves, again)["loss"].tolist() == [5, 4]


def test_a_run_that_waits_or_is_gone_has_no_steps(store: Store) -> None:
    waiting = store.launch(SPEC, "A", OWNER)
    gone = dataclasses.replace(waiting, digest="f" * 20, step=7)
    for run in (waiting, gone):
        frame = pd.DataFrame(steps_of(CurvesCache(store), run))
        assert frame.empty
        assert list(frame.columns) == ["step", "loss", "accuracy"]


def test_least_recently_used_curves_are_evicted(
    store: Store, reads: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves_cache, "MAX_STEPS", 5)
    curves = CurvesCache(store)
    a, b, c = (record_run(store, SPEC.model_copy(update={"seed": seed}), (1.0, 1.0)) for seed in range(3))
    for run in (a, b, a, c, a, c, b):  # with c there are six steps, one too many: b goes
        steps_of(curves, run)
    assert [digest for digest, _ in reads] == [run.digest for run in (a, b, c, b)]


def test_a_curve_longer_than_the_capacity_is_cached(
    store: Store, reads: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves_cache, "MAX_STEPS", 1)
    curves, run = CurvesCache(store), record_run(store, SPEC, (3.0, 2.0))
    assert len(steps_of(curves, run)["step"]) == len(steps_of(curves, run)["step"]) == 2
    assert len(reads) == 1


def test_several_threads_read_a_step_once(store: Store, reads: list[tuple[str, int]]) -> None:
    curves, run = CurvesCache(store), record_run(store, SPEC, (3.0, 2.0))
    with ThreadPoolExecutor(8) as threads:
        frames = list(threads.map(lambda run: steps_of(curves, run), [run] * 32))
    assert all(frame is frames[0] for frame in frames)
    assert len(reads) == 1
