"""The names in the store and in recordings: part of stored files, so they change by a migration only."""

import numpy as np
from sqlalchemy import inspect

from bnlab.runs.recording import SHIPPED_RECORDINGS
from bnlab.runs.schema import metadata
from bnlab.runs.store import Store

NAMES = {
    "runs": [
        "digest", "label", "spec", "state", "step", "total_steps", "seconds", "created_at", "queued_at", "updated_at",
        "error", "stop_requested", "owner", "lease_until", "fence", "shared", "note", "tags",
    ],
    "steps": ["run", "first_step", "loss", "accuracy"],
    "evaluations": [
        "run", "step", "seconds", "val_loss", "val_accuracy",
        "val_loss_batch", "val_accuracy_batch", "val_loss_reestimated", "val_accuracy_reestimated",
        "train_loss_moving", "train_accuracy_moving", "train_loss_batch", "train_accuracy_batch",
        "train_loss_reestimated", "train_accuracy_reestimated",
    ],
    "layers": ["run", "step", "layer", "gradient_norm", "weight_norm", "percentiles"],
    "snapshots": ["run", "step", "layer", "variable", "values"],
    "checkpoints": ["run", "name", "shape", "values"],
    "recordings": ["run", "origin"],
    "measurements": ["measurement", "spec", "result"],
    "network_latencies": ["network", "batch_size", "seconds", "measured_at"],
    "experiment_queue": ["name", "entered_at"],
    "groups": ["name", "run", "place", "single"],
    "run_shares": ["run", "visitor", "launched_at", "wanted"],
    "experiment_shares": ["name", "visitor"],
    "secrets": ["name", "value"],
    "lesson_predictions": ["lesson", "visitor", "choice", "size", "predicted_at"],
    "lesson_reveals": ["lesson", "revealed_at"],
}  # fmt: skip
FORMERLY_RECORDED = "latencies"
RECORDED = ("steps", "evaluations", "layers", "snapshots", FORMERLY_RECORDED)


def test_the_names_of_tables_and_columns_are_these() -> None:
    assert {table.name: [column.name for column in table.columns] for table in metadata.sorted_tables} == NAMES


def test_a_new_store_has_these_tables(store: Store) -> None:
    inspector = inspect(store.engine)
    tables = {table: [c["name"] for c in inspector.get_columns(table)] for table in inspector.get_table_names()}
    assert tables == NAMES | {"alembic_version": ["version_num"]}


def test_the_keys_of_a_recording_are_these() -> None:
    parts = [key for table in RECORDED for key in (table, f"{table}_names", f"{table}_values", f"{table}_lengths")]
    with np.load(SHIPPED_RECORDINGS["notebook"]) as arrays:
        assert arrays.files == ["runs", *parts]
