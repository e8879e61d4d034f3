"""Losses and accuracies with other statistics than the moving ones, and on training images."""

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"

COLUMNS = (
    "val_loss_batch",
    "val_accuracy_batch",
    "val_loss_reestimated",
    "val_accuracy_reestimated",
    "train_loss_moving",
    "train_accuracy_moving",
    "train_loss_batch",
    "train_accuracy_batch",
    "train_loss_reestimated",
    "train_accuracy_reestimated",
)


def upgrade() -> None:
    """Add the columns, which are empty in the runs that there are."""
    for name in COLUMNS:
        op.add_column("evaluations", sa.Column(name, sa.Float))
