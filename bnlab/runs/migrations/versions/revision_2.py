"""Plain names of tables and columns, and declared ids of measurements instead of the paths of functions."""

import json

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"

QUEUE_COLUMNS = {"name", "entered_at"}
MEASUREMENTS = {
    "bnlab.claims.probed.ask_loss_changes": "loss_changes",
    "bnlab.claims.probed.ask_gradients": "gradients",
    "bnlab.claims.probed.ask_shifts": "shifts",
    "bnlab.claims.probed.ask_prediction": "prediction",
    "bnlab.claims.probed.ask_epoch": "epoch_seconds",
}


def upgrade() -> None:
    """Rename tables and columns, translate measurement ids, stop the runs that would train differently."""
    inspector = sa.inspect(op.get_bind())
    for table in inspector.get_table_names():
        if {column["name"] for column in inspector.get_columns(table)} == QUEUE_COLUMNS:
            _rename_table(table, "experiment_queue")
    _rename_table("moments", "evaluations")
    _rename_table("answers", "measurements")
    op.alter_column("measurements", "question", new_column_name="measurement")
    op.alter_column("measurements", "answer", new_column_name="result")
    _translate_measurements()
    _stop_unclipped_renormalization()


def _rename_table(old: str, new: str) -> None:
    if old == new:
        return
    op.rename_table(old, new)
    if op.get_bind().dialect.name == "postgresql":  # where constraints keep the old name
        inspector = sa.inspect(op.get_bind())
        names = [inspector.get_pk_constraint(new)["name"], *(key["name"] for key in inspector.get_foreign_keys(new))]
        for name in filter(None, names):
            op.execute(f'ALTER TABLE {new} RENAME CONSTRAINT "{name}" TO "{name.replace(old, new, 1)}"')


def _translate_measurements() -> None:
    measurements = sa.table("measurements", sa.column("measurement"))
    for path, measurement_id in MEASUREMENTS.items():
        op.execute(measurements.update().where(measurements.c.measurement == path).values(measurement=measurement_id))


def _stop_unclipped_renormalization() -> None:
    """Stop unfinished runs with batch renormalization, which was not clipped before: they would train differently."""
    runs = sa.table("runs", *map(sa.column, ("digest", "spec", "state")))
    unfinished = sa.select(runs.c.digest, runs.c.spec).where(runs.c.state.in_(["QUEUED", "RUNNING"]))
    rows = op.get_bind().execute(unfinished).all()
    digests = [digest for digest, spec in rows if _has_renorm(spec)]
    op.execute(runs.update().where(runs.c.digest.in_(digests)).values(state="STOPPED"))


def _has_renorm(spec: str) -> bool:
    try:
        fields = json.loads(spec)
    except ValueError:  # a run that is not readable stays one
        return False
    return isinstance(fields, dict) and bool(fields.get("renorm"))
