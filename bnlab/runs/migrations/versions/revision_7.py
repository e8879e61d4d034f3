"""Notes and tags of runs."""

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"


def upgrade() -> None:
    """Add two columns, empty for the runs that there are."""
    op.add_column("runs", sa.Column("note", sa.Text, nullable=False, server_default=""))
    op.add_column("runs", sa.Column("tags", sa.Text, nullable=False, server_default=""))
