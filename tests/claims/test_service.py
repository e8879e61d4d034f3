"""Experiments go on while nobody watches them."""

from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import plan_experiment
from bnlab.claims.results import needed_measurements, trained_specs
from bnlab.claims.service import ClaimService
from bnlab.runs.experiment_queue import enqueue
from bnlab.runs.measurements import write_measurement
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from tests.claims.test_runner import CLAIM, IdleScheduler
from tests.stored_runs import make_evaluation, record_run


class CountingScheduler(IdleScheduler):
    """Counts the submitted tasks."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.submitted: list[object] = []

    def submit(self, *task: object) -> Future[None]:
        self.submitted.append(task[-1])
        return super().submit(*task)


def test_measurements_are_taken_when_the_runs_have_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = replace(CLAIM, id="A2")
    monkeypatch.setitem(CLAIMS, "A2", claim)
    experiment = plan_experiment(claim)
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    scheduler = CountingScheduler(store)
    service = ClaimService(scheduler)  # type: ignore[arg-type]
    service.continue_queued()
    enqueue(store, [experiment.name])
    service.continue_queued()
    assert not scheduler.submitted
    for spec in trained_specs(experiment):
        record_run(store, spec, (1.0,), (make_evaluation(1),), RunState.COMPLETED)
    service.continue_queued()
    service.continue_queued()
    measurements = needed_measurements(experiment)
    assert scheduler.submitted == [*measurements]
    for measurement in measurements:
        write_measurement(store, measurement, pd.DataFrame({"step": [1]}))
    service.continue_queued()
    monkeypatch.setattr(service, "runner", lambda _: pytest.fail("a complete experiment is not counted again"))
    service.continue_queued()
