"""Who launched runs and experiments, and the key that signs the cookies of visitors."""

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Create three empty tables: the runs that there are belong to nobody."""
    op.create_table(
        "run_shares",
        sa.Column("run", sa.String(20), sa.ForeignKey("runs.digest", ondelete="CASCADE"), primary_key=True),
        sa.Column("visitor", sa.String(40), primary_key=True),
        sa.Column("launched_at", sa.Float, nullable=False),
        sa.Column("wanted", sa.Boolean, nullable=False),
    )
    op.create_table(
        "experiment_shares",
        sa.Column("name", sa.String(120), primary_key=True),
        sa.Column("visitor", sa.String(40), primary_key=True),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
