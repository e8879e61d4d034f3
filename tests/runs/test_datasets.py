"""A dataset of the deployment from the settings to a finished run on a worker."""

from pathlib import Path

import pytest

from bnlab.runs.datasets import register_datasets
from bnlab.runs.run import RunState
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.specs.validation import parse_spec
from tests.dataset_files import write_dataset
from tests.waiting import wait_until


@pytest.mark.slow  # a cluster of its own
@pytest.mark.workers
def test_a_worker_trains_on_a_file(data_folder: Path, tmp_path: Path) -> None:
    write_dataset(data_folder / "school.npz")
    register_datasets()
    spec = parse_spec({"dataset": "school", "hidden_units": [4], "epochs": 2})
    store = Store(f"sqlite:///{tmp_path / 'bnlab.db'}")
    scheduler = Scheduler(store, workers=1)
    try:
        digest = scheduler.launch(spec, "A").digest
        wait_until(lambda: store.run(digest).progress == 1)
    finally:
        scheduler.close()
    run = store.run(digest)
    assert (run.state, run.step, run.spec) == (RunState.COMPLETED, spec.total_steps, spec)
