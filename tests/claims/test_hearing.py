"""Hearings: runs are trained, then probes are asked, and all of it can be taken up again."""

import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from bnlab.claims import hearing as hearings
from bnlab.claims.case import Case, open_case
from bnlab.claims.claim import Condition, Measure, Probed
from bnlab.claims.evidence import probes, trained_specs
from bnlab.claims.hearing import Hearing, Standing, is_ready, missing_specs
from bnlab.claims.measures import TRAINABLE
from bnlab.claims.trial import read_trial
from bnlab.runs.answers import write_answer
from bnlab.runs.experiment_queue import queued
from bnlab.runs.groups import launch_group
from bnlab.runs.journal import Journal
from bnlab.runs.lab import Lab
from bnlab.runs.states import RunState
from bnlab.runs.store import Store
from bnlab.spec.run_spec import RunSpec
from bnlab.training.records import Records
from tests import tiny_claim
from tests.recording import OWNER, Position, floats
from tests.tiny_claim import ARMS, MORE, TINY


def ask(store_url: str, spec: RunSpec) -> pd.DataFrame:
    """How far the spec's own run has come."""
    return pd.DataFrame({"step": [Store(store_url).run(spec.digest).step]})


def stumble(store_url: str, spec: RunSpec) -> pd.DataFrame:
    """A question that one spec does not answer when it is asked first."""
    asked = Path(store_url.removeprefix("sqlite:///")).with_name("asked")
    if (spec.placement, spec.seed) == (TINY.placement, 0) and not asked.exists():
        asked.touch()
        raise RuntimeError("nobody knows")
    return pd.DataFrame({"step": [0]})


STEPS = Measure("steps", "steps", Probed(ask, lambda answer: answer["step"].iloc[0], after_training=True))
CLAIM = replace(tiny_claim.CLAIM, conditions=(*tiny_claim.CLAIM.conditions, Condition("steps", *ARMS, STEPS, MORE)))
CASE = open_case(CLAIM)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'bnlab.db'}")


def watch(hearing: Hearing) -> list[Standing]:
    """Look until it is over or rests."""
    seen = [hearing.look()]
    deadline = time.monotonic() + 120
    while not (seen[-1].is_over or seen[-1].rests):
        assert time.monotonic() < deadline
        time.sleep(0.05)
        seen.append(hearing.look())
    return seen


@pytest.mark.workers
def test_a_case_is_heard_to_its_end_and_not_heard_again(store: Store, scheduler: str) -> None:
    lab = Lab(store, scheduler=scheduler)
    try:
        hearing = Hearing(lab, CASE)
        assert not is_ready(store, CASE)
        hearing.begin()
        assert queued(store) == ["X1 quick 0:2"]
        seen = watch(hearing)
        shares = [standing.share for standing in seen]
        assert shares == sorted(shares)
        assert (seen[-1].trained, seen[-1].answered, shares[-1]) == (4, 4, 1)
        assert is_ready(store, CASE)
        trial = read_trial(store, CASE)
        assert trial.cells[1].control == (2, 2), "asked after the training"
        more = Hearing(lab, CASE.with_seeds(1))
        more.begin()
        assert watch(more)[-1].is_over
        again = {run.digest: run.updated_at for run in more.look().runs}
        assert all(again[run.digest] == run.updated_at for run in seen[-1].runs)
    finally:
        lab.close()


@pytest.mark.workers
def test_a_question_without_an_answer_rests_the_hearing_until_it_is_begun_again(store: Store, scheduler: str) -> None:
    source = Probed(stumble, lambda answer: answer["step"].iloc[0])
    claim = replace(CLAIM, conditions=(Condition("none", *ARMS, replace(STEPS, source=source), MORE),))
    lab = Lab(store, scheduler=scheduler)
    try:
        hearing = Hearing(lab, open_case(claim))
        hearing.begin()
        last = watch(hearing)[-1]
        assert last.rests
        assert "nobody knows" in last.problem
        assert hearing.look().rests, "looking again does not ask again"
        hearing.begin()
        assert watch(hearing)[-1].is_over
    finally:
        lab.close()


class Idle:
    """A lab without workers: what it launches waits."""

    problem = ""

    def __init__(self, store: Store) -> None:
        self.store = store

    def launch_group(self, name: str, specs: list[tuple[RunSpec, str]]) -> None:
        launch_group(self.store, name, specs, OWNER)

    def submit(self, *_: object) -> Future[None]:
        return Future()

    def withdraw(self, digests: set[str]) -> None:
        self.store.withdraw(digests)


def idle(store: Store, case: Case) -> Hearing:
    return Hearing(Idle(store), case)  # type: ignore[arg-type]


def take_a_step(store: Store, spec: RunSpec) -> None:
    """As a worker does it."""
    fence = store.next_fence(spec.digest, OWNER)
    assert fence
    records = Records(0, floats(1.0), floats(0.5), [])
    Journal(store, spec.digest, fence).commit(records, Position(1, 0.1), RunState.RUNNING)


def test_a_case_that_is_stopped_leaves_the_runs_that_another_one_needs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(CLAIM, id="X2", conditions=CLAIM.conditions[:1])
    monkeypatch.setattr(hearings, "CLAIMS", {"X1": CLAIM, "X2": other})
    first, second = idle(store, CASE), idle(store, open_case(other, "quick", range(1)))
    first.begin()
    second.begin()
    for spec in trained_specs(CASE):
        take_a_step(store, spec)
    first.stop()
    assert queued(store) == ["X2 quick 0:1"]
    runs = first.look().runs
    assert {(run.spec.seed, run.stop_requested) for run in runs} == {(0, False), (1, True)}
    for run in runs:
        if run.stop_requested:
            store.finish(run.digest, OWNER, RunState.STOPPED)
    assert first.look().rests
    assert "2 of its runs were stopped or failed." in first.look().problem
    first.begin()
    assert not first.look().rests
    assert first.look().share == pytest.approx(0.5 * 4 / 8), "of four runs' steps half are taken, no answer is there"


def test_a_case_that_is_stopped_leaves_no_run_that_was_never_begun(store: Store) -> None:
    hearing = idle(store, CASE)
    begun, alone, *others = trained_specs(CASE)
    launch_alone = store.launch(alone, "mine", OWNER)
    hearing.begin()
    take_a_step(store, begun)
    hearing.stop()
    assert {run.digest: run.stop_requested for run in store.runs()} == {begun.digest: True, launch_alone.digest: False}
    hearing.begin()
    assert len(store.runs()) == 2 + len(others)
    assert not any(run.stop_requested for run in store.runs())


def test_time_left_goes_by_the_answers_since_they_were_asked_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 102.0, 103.0, 106.0])
    monkeypatch.setattr(hearings, "time", SimpleNamespace(monotonic=lambda: next(now)))  # there alone: Dask has clocks
    source = Probed(ask, len)
    claim = replace(CLAIM, conditions=(Condition("none", *ARMS, replace(STEPS, source=source), MORE),))
    case = open_case(claim)
    hearing, questions = idle(store, case), probes(case)
    write_answer(store, questions[0], pd.DataFrame())
    seen = [hearing.look()]
    for question in questions[1:]:
        write_answer(store, question, pd.DataFrame())
        seen.append(hearing.look())
    assert [standing.answered for standing in seen] == [1, 2, 3, 4]
    assert [standing.seconds_left for standing in seen] == [None, 4.0, 1.5, 0.0]
    assert [standing.share for standing in seen] == [0.25, 0.5, 0.75, 1]


def test_its_runs_say_whose_they_are(store: Store) -> None:
    idle(store, CASE).begin()
    assert {(run.label, run.spec.placement) for run in store.runs()} == {
        ("X1: BN", "before_activation"),
        ("X1: no BN", "none"),
    }


def test_what_is_counted_is_over_before_it_begins(store: Store) -> None:
    case = open_case(replace(CLAIM, conditions=(replace(CLAIM.conditions[0], measure=TRAINABLE),)))
    assert missing_specs(store, case) == ()
    assert is_ready(store, case)
    standing = idle(store, case).look()
    assert (standing.is_over, standing.share) == (True, 1)
