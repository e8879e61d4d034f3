"""Latencies by network, measured while nothing is trained, and whether a run shared its machine."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Add a column and a table; drop the latencies of runs, which were measured while others trained."""
    op.add_column("runs", sa.Column("shared", sa.Boolean))  # not known of the runs that there are
    op.drop_table("latencies")
    op.create_table(
        "network_latencies",
        sa.Column("network", sa.String(20), primary_key=True),
        sa.Column("batch_size", sa.Integer, primary_key=True),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("measured_at", sa.Float, nullable=False),
    )
