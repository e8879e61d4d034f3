"""The tables of the store. Arrays are little-endian float32 bytes; seconds are time spent in training steps.

The names of tables and columns are part of the format of a stored file: changing one takes a revision in
`bnlab.runs.migrations`, and `tests/runs/test_schema.py` lists them all.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

SCHEMA_REVISION = "7"
"""The revision in `bnlab.runs.migrations` whose tables these are."""

metadata = MetaData()


def _run_key() -> Column[str]:
    return Column("run", String(20), ForeignKey("runs.digest", ondelete="CASCADE"), primary_key=True)


runs = Table(
    "runs",
    metadata,
    Column("digest", String(20), primary_key=True),
    Column("label", Text, nullable=False),
    Column("spec", Text, nullable=False),
    Column("state", String(12), nullable=False, index=True),
    Column("step", BigInteger, nullable=False),
    Column("total_steps", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("queued_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("error", Text, nullable=False),
    Column("stop_requested", Boolean, nullable=False),
    Column("owner", Text, nullable=False),  # the scheduler that holds the lease, empty if none does
    Column("lease_until", Float, nullable=False),
    Column("fence", Integer, nullable=False),  # number of the latest slice, the only one that may write
    Column("shared", Boolean),  # whether other work was done on its machine while it trained; null if not known
    Column("note", Text, nullable=False, server_default=""),
    Column("tags", Text, nullable=False, server_default=""),  # a line per tag
)

steps = Table(
    "steps",
    metadata,
    _run_key(),
    Column("first_step", BigInteger, primary_key=True),
    Column("loss", LargeBinary, nullable=False),
    Column("accuracy", LargeBinary, nullable=False),
)

evaluations = Table(
    "evaluations",
    metadata,
    _run_key(),
    Column("step", BigInteger, primary_key=True),
    Column("seconds", Float, nullable=False),
    Column("val_loss", Float),
    Column("val_accuracy", Float),
    # With other statistics than the moving ones, and on training images; null in runs that are not evaluated so.
    Column("val_loss_batch", Float),
    Column("val_accuracy_batch", Float),
    Column("val_loss_reestimated", Float),
    Column("val_accuracy_reestimated", Float),
    Column("train_loss_moving", Float),
    Column("train_accuracy_moving", Float),
    Column("train_loss_batch", Float),
    Column("train_accuracy_batch", Float),
    Column("train_loss_reestimated", Float),
    Column("train_accuracy_reestimated", Float),
)

layers = Table(
    "layers",
    metadata,
    _run_key(),
    Column("step", BigInteger, primary_key=True),
    Column("layer", String(40), primary_key=True),
    Column("gradient_norm", Float),
    Column("weight_norm", Float),
    Column("percentiles", LargeBinary, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    _run_key(),
    Column("step", BigInteger, primary_key=True),
    Column("layer", String(40), primary_key=True),
    Column("variable", String(40), primary_key=True),
    Column("values", LargeBinary, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    _run_key(),
    Column("name", String(120), primary_key=True),
    Column("shape", Text, nullable=False),
    Column("values", LargeBinary, nullable=False),
)

# Runs that were shipped with bnlab instead of being trained on this store.
recordings = Table(
    "recordings",
    metadata,
    _run_key(),
    Column("origin", Text, nullable=False),  # date and machine
)

# Cached results of measurements on specs, most of which have no run.
measurements = Table(
    "measurements",
    metadata,
    Column("measurement", String(120), primary_key=True),  # its declared id
    Column("spec", String(20), primary_key=True),
    Column("result", LargeBinary, nullable=False),  # a DataFrame, as Parquet
)

# Of networks, each identified by `bnlab.specs.network.prediction_key`; those measured together have the same time.
network_latencies = Table(
    "network_latencies",
    metadata,
    Column("network", String(20), primary_key=True),
    Column("batch_size", Integer, primary_key=True),
    Column("seconds", Float, nullable=False),  # to predict one batch, the median of several
    Column("measured_at", Float, nullable=False),
)

# The requested experiments, so that they continue after a restart.
experiment_queue = Table(
    "experiment_queue",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("entered_at", Float, nullable=False),
)

# Which runs were launched together; `single` if the run was launched singly as well.
groups = Table(
    "groups",
    metadata,
    Column("name", String(200), primary_key=True),
    _run_key(),
    Column("place", Integer, nullable=False),  # position in the group
    Column("single", Boolean, nullable=False),
)

# Who launched a run: each visitor, and the command line, has one share in it.
run_shares = Table(
    "run_shares",
    metadata,
    _run_key(),
    Column("visitor", String(40), primary_key=True),
    Column("launched_at", Float, nullable=False),
    Column("wanted", Boolean, nullable=False),  # false once the visitor has stopped the run
)

# Who started an experiment that is in the queue.
experiment_shares = Table(
    "experiment_shares",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("visitor", String(40), primary_key=True),
)

# Random keys that all apps on the store share.
secrets = Table(
    "secrets",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

# What learners expect of a lesson's comparison before its results are shown.
lesson_predictions = Table(
    "lesson_predictions",
    metadata,
    Column("lesson", String(40), primary_key=True),
    Column("visitor", String(40), primary_key=True),
    Column("choice", Text, nullable=False),  # a variant's label, empty for no difference
    Column("size", String(20), nullable=False),  # an id of bnlab.specs.prediction.SIZES, empty for no difference
    Column("predicted_at", Float, nullable=False),
)

# The lessons whose results are shown to everybody.
lesson_reveals = Table(
    "lesson_reveals",
    metadata,
    Column("lesson", String(40), primary_key=True),
    Column("revealed_at", Float, nullable=False),
)
