"""Predictions of learners in lessons, and the lessons whose results have been revealed."""

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    """Create two empty tables."""
    op.create_table(
        "lesson_predictions",
        sa.Column("lesson", sa.String(40), primary_key=True),
        sa.Column("visitor", sa.String(40), primary_key=True),
        sa.Column("choice", sa.Text, nullable=False),
        sa.Column("size", sa.String(20), nullable=False),
        sa.Column("predicted_at", sa.Float, nullable=False),
    )
    op.create_table(
        "lesson_reveals",
        sa.Column("lesson", sa.String(40), primary_key=True),
        sa.Column("revealed_at", sa.Float, nullable=False),
    )
