"""Recordings: written from one store, read into another, and the shipped one."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from bnlab.runs.reader import evaluations_frame, layers_frame, snapshots_frame, steps_frame
from bnlab.runs.recording import (
    SHIPPED_RECORDINGS,
    describe_machine,
    read_recording,
    read_shipped_recordings,
    write_recording,
)
from bnlab.runs.run import TRAINED, RunState
from bnlab.runs.store import Store
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from tests.runs.store_rows import is_leased
from tests.runs.unreadable_runs import make_unreadable
from tests.stored_runs import make_evaluation, record_run

SPEC = RunSpec(epochs=1, train_examples=64, placement="before_activation")
OTHER = RunSpec(epochs=1, train_examples=64)

SHIPPED_VALUES = "247c67d556c2c80d94157b63c0a32f319877610f921d82c299047be881cd58e2"
"""Of all arrays but the first, which describes the runs: as they were recorded."""


@pytest.fixture
def origin(tmp_path: Path) -> Store:
    store = Store(f"sqlite:///{tmp_path}/origin.db")
    for spec in (SPEC, OTHER):
        record_run(store, spec, (2.5, 1.25), (make_evaluation(0), make_evaluation(2, 0.5, 0.875)), RunState.COMPLETED)
    store.mark_shared([SPEC.digest])
    return store


@pytest.fixture
def fresh(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/fresh.db")


def packed(origin: Store, folder: Path) -> bytes:
    path = folder / "recording.npz"
    write_recording(origin, origin.runs(), path, without_snapshots=[OTHER.digest])
    return path.read_bytes()


def test_recording_is_read_back(origin: Store, fresh: Store, tmp_path: Path) -> None:
    read_recording(fresh, packed(origin, tmp_path))
    for before in origin.runs():
        after = fresh.run(before.digest)
        assert (after.spec, after.state, after.recorded) == (before.spec, RunState.COMPLETED, describe_machine())
        assert (after.step, after.seconds, is_leased(after)) == (before.step, before.seconds, False)
        for frame in (steps_frame, layers_frame):
            assert frame(fresh, before.digest).round(3).equals(frame(origin, before.digest).round(3))
        assert evaluations_frame(fresh, [after]).equals(evaluations_frame(origin, [before]))
    assert [fresh.run(spec.digest).shared for spec in (SPEC, OTHER)] == [True, False]
    read, written = (snapshots_frame(store, SPEC.digest, "bn_1") for store in (fresh, origin))
    assert [list(values) for values in read["values"]] == [list(values) for values in written["values"]]
    assert snapshots_frame(fresh, OTHER.digest, "bn_1").empty


def test_reading_a_recording_keeps_existing_runs(origin: Store, fresh: Store, tmp_path: Path) -> None:
    launched = fresh.launch(SPEC, "launched", "owner")
    for _ in range(2):
        read_recording(fresh, packed(origin, tmp_path))
    assert fresh.run(SPEC.digest) == launched
    assert fresh.run(OTHER.digest).recorded


def test_shipped_arrays_are_unchanged() -> None:
    values = hashlib.sha256()
    with np.load(SHIPPED_RECORDINGS["notebook"]) as arrays:
        for key in arrays.files[1:]:
            values.update(arrays[key].tobytes())
    assert values.hexdigest() == SHIPPED_VALUES


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_shipped_recording_is_the_notebooks_comparison(seeds: int, fresh: Store) -> None:
    read_recording(fresh, SHIPPED_RECORDINGS["notebook"].read_bytes())
    comparison = PRESETS["notebook"].comparison.with_seeds(seeds)
    for variant_specs in comparison.specs().values():
        for spec in variant_specs:
            run = fresh.run(spec.digest)
            assert (run.spec, run.state, run.step) == (spec, RunState.COMPLETED, spec.total_steps)
            assert len(steps_frame(fresh, run.digest)) == spec.total_steps
            assert evaluations_frame(fresh, [run])["val_accuracy"].iloc[-1] > 0.9
            assert run.shared is None, "not known of recordings by earlier versions"
    first = comparison.specs()["Approach 2"][0]
    snapshots = snapshots_frame(fresh, first.digest, "bn_input")
    assert len(snapshots["values"].iloc[0]) == 784
    assert np.isfinite(np.concatenate(snapshots["values"].to_list())).all()


def test_every_preset_with_a_question_is_shipped_with_its_answer(fresh: Store) -> None:
    assert sum(len(path.read_bytes()) for path in SHIPPED_RECORDINGS.values()) < 3.3e6
    read_shipped_recordings(fresh)
    asking = {name: preset for name, preset in PRESETS.items() if preset.question}
    assert set(SHIPPED_RECORDINGS) == {"notebook", *asking}
    for name, preset in asking.items():
        specs = preset.recorded_comparison.specs()
        runs = fresh.find(spec for variant_specs in specs.values() for spec in variant_specs)
        assert len(runs) == sum(map(len, specs.values())), name
        assert all(run.recorded and run.state in TRAINED for run in runs.values()), name
        with np.load(SHIPPED_RECORDINGS[name]) as arrays:
            assert {run["digest"] for run in json.loads(arrays["runs"].tobytes())} == set(runs), name
    diverged = [run for run in fresh.runs() if run.state is RunState.DIVERGED]
    assert diverged, "a run that diverged is shipped as one"
    for run in diverged:
        assert run.step < run.total_steps
        assert not np.isfinite(steps_frame(fresh, run.digest)["loss"].iloc[-1])


def test_recording_read_concurrently(origin: Store, fresh: Store, tmp_path: Path) -> None:
    recording = packed(origin, tmp_path)
    with ThreadPoolExecutor(4) as apps:
        list(apps.map(lambda _: read_recording(fresh, recording), range(8)))
    assert {run.digest for run in fresh.runs()} == {SPEC.digest, OTHER.digest}
    assert len(steps_frame(fresh, SPEC.digest)) == 2


def test_an_unreadable_run_does_not_keep_the_others_out(tmp_path: Path) -> None:
    trained, target = Store(f"sqlite:///{tmp_path}/trained.db"), Store(f"sqlite:///{tmp_path}/target.db")
    runs = [record_run(trained, RunSpec(seed=seed), (1.0,), state=RunState.COMPLETED) for seed in range(2)]
    write_recording(trained, runs, tmp_path / "two.npz")
    make_unreadable(target, runs[0].spec, "newer", "a field")
    read_recording(target, (tmp_path / "two.npz").read_bytes())
    assert [run.digest for run in target.runs()] == [runs[1].digest]
    assert [run.label for run in target.unreadable_runs()] == ["newer"]
