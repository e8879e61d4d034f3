"""Runs as another version of bnlab might write them."""

import json

from sqlalchemy import update

from bnlab.runs.run import RunState
from bnlab.runs.schema import runs
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.stored_runs import record_run

CHANGES = {
    "a field": {"spec": json.dumps({"quantization": "int8", "epochs": 2})},
    "a dataset": {"spec": json.dumps({"dataset": "imagenet"})},
    "a state": {"state": "PAUSED"},
    "no JSON": {"spec": "RunSpec()"},
}
"""What this version does not know, each with the columns that hold it."""


def make_unreadable(store: Store, spec: RunSpec, label: str, kind: str, **columns: object) -> None:
    """Change a new run of `spec` so that this version of bnlab cannot read it."""
    record_run(store, spec, (2.0,), state=RunState.COMPLETED)
    with store.engine.begin() as connection:
        change = update(runs).where(runs.c.digest == spec.digest)
        connection.execute(change.values(label=label, **(CHANGES[kind] | columns)))
