"""The store's tables. Arrays are little-endian float32 bytes; seconds are time spent in training steps."""

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

metadata = MetaData()


def _of_run() -> Column[str]:
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
    Column("owner", Text, nullable=False),  # the lab that watches over it, empty where none does
    Column("lease_until", Float, nullable=False),
    Column("fence", Integer, nullable=False),  # counts the slices handed out: only the latest may write
)

steps = Table(
    "steps",
    metadata,
    _of_run(),
    Column("first_step", BigInteger, primary_key=True),
    Column("loss", LargeBinary, nullable=False),
    Column("accuracy", LargeBinary, nullable=False),
)

moments = Table(
    "moments",
    metadata,
    _of_run(),
    Column("step", BigInteger, primary_key=True),
    Column("seconds", Float, nullable=False),
    Column("val_loss", Float),
    Column("val_accuracy", Float),
)

layers = Table(
    "layers",
    metadata,
    _of_run(),
    Column("step", BigInteger, primary_key=True),
    Column("layer", String(40), primary_key=True),
    Column("gradient_norm", Float),
    Column("weight_norm", Float),
    Column("percentiles", LargeBinary, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    _of_run(),
    Column("step", BigInteger, primary_key=True),
    Column("layer", String(40), primary_key=True),
    Column("variable", String(40), primary_key=True),
    Column("values", LargeBinary, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    _of_run(),
    Column("name", String(120), primary_key=True),
    Column("shape", Text, nullable=False),
    Column("values", LargeBinary, nullable=False),
)

latencies = Table(
    "latencies",
    metadata,
    _of_run(),
    Column("batch_size", Integer, primary_key=True),
    Column("seconds", Float, nullable=False),  # of one prediction of a batch, the fastest of several
)

# Runs that came with bnlab instead of being trained here. A table of its own: stores made before it stay as they are.
recordings = Table(
    "recordings",
    metadata,
    _of_run(),
    Column("origin", Text, nullable=False),  # when and on what machine
)

# What a worker was asked about a spec, beside training it; not a run's, since most is asked of specs without one.
answers = Table(
    "answers",
    metadata,
    Column("question", String(120), primary_key=True),
    Column("spec", String(20), primary_key=True),
    Column("answer", LargeBinary, nullable=False),  # a table, as Parquet
)

docket = Table(
    "docket",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("entered_at", Float, nullable=False),
)

# Which runs were launched together. `single` where somebody has launched the run by itself as well.
groups = Table(
    "groups",
    metadata,
    Column("name", String(200), primary_key=True),
    _of_run(),
    Column("place", Integer, nullable=False),  # in the group's order
    Column("single", Boolean, nullable=False),
)
