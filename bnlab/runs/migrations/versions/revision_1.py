"""The tables of bnlab 0.1, whose stores have no revision.

Only missing tables are created, so this revision applies to stores of that version as well as to empty databases.
The table `experiment_queue` is created under the name that revision 2 gives it; an existing one is recognized by its
columns.
"""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None

QUEUE_COLUMNS = {"name", "entered_at"}


def upgrade() -> None:
    """Create the tables that are missing."""
    tables = _tables()
    inspector = sa.inspect(op.get_bind())
    existing = set(inspector.get_table_names())
    if any({column["name"] for column in inspector.get_columns(table)} == QUEUE_COLUMNS for table in existing):
        tables.remove(tables.tables["experiment_queue"])
    tables.create_all(op.get_bind())


def _tables() -> sa.MetaData:
    metadata = sa.MetaData()

    def of_run() -> sa.Column[str]:
        return sa.Column("run", sa.String(20), sa.ForeignKey("runs.digest", ondelete="CASCADE"), primary_key=True)

    sa.Table(
        "runs",
        metadata,
        sa.Column("digest", sa.String(20), primary_key=True),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("state", sa.String(12), nullable=False, index=True),
        sa.Column("step", sa.BigInteger, nullable=False),
        sa.Column("total_steps", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("queued_at", sa.Float, nullable=False),
        sa.Column("updated_at", sa.Float, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("stop_requested", sa.Boolean, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("lease_until", sa.Float, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
    )
    sa.Table(
        "steps",
        metadata,
        of_run(),
        sa.Column("first_step", sa.BigInteger, primary_key=True),
        sa.Column("loss", sa.LargeBinary, nullable=False),
        sa.Column("accuracy", sa.LargeBinary, nullable=False),
    )
    sa.Table(
        "moments",
        metadata,
        of_run(),
        sa.Column("step", sa.BigInteger, primary_key=True),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("val_loss", sa.Float),
        sa.Column("val_accuracy", sa.Float),
    )
    sa.Table(
        "layers",
        metadata,
        of_run(),
        sa.Column("step", sa.BigInteger, primary_key=True),
        sa.Column("layer", sa.String(40), primary_key=True),
        sa.Column("gradient_norm", sa.Float),
        sa.Column("weight_norm", sa.Float),
        sa.Column("percentiles", sa.LargeBinary, nullable=False),
    )
    sa.Table(
        "snapshots",
        metadata,
        of_run(),
        sa.Column("step", sa.BigInteger, primary_key=True),
        sa.Column("layer", sa.String(40), primary_key=True),
        sa.Column("variable", sa.String(40), primary_key=True),
        sa.Column("values", sa.LargeBinary, nullable=False),
    )
    sa.Table(
        "checkpoints",
        metadata,
        of_run(),
        sa.Column("name", sa.String(120), primary_key=True),
        sa.Column("shape", sa.Text, nullable=False),
        sa.Column("values", sa.LargeBinary, nullable=False),
    )
    sa.Table(
        "latencies",
        metadata,
        of_run(),
        sa.Column("batch_size", sa.Integer, primary_key=True),
        sa.Column("seconds", sa.Float, nullable=False),
    )
    sa.Table("recordings", metadata, of_run(), sa.Column("origin", sa.Text, nullable=False))
    sa.Table(
        "answers",
        metadata,
        sa.Column("question", sa.String(120), primary_key=True),
        sa.Column("spec", sa.String(20), primary_key=True),
        sa.Column("answer", sa.LargeBinary, nullable=False),
    )
    sa.Table(
        "experiment_queue",
        metadata,
        sa.Column("name", sa.String(120), primary_key=True),
        sa.Column("entered_at", sa.Float, nullable=False),
    )
    sa.Table(
        "groups",
        metadata,
        sa.Column("name", sa.String(200), primary_key=True),
        of_run(),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("single", sa.Boolean, nullable=False),
    )
    return metadata
