"""Estimates before training: how long runs take, and how long they wait for a worker."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import NamedTuple

from sqlalchemy import select

from bnlab.runs.run import Run, RunState, runs_from_rows
from bnlab.runs.schema import recordings, runs
from bnlab.runs.store import Store
from bnlab.runs.worker import SLICE_SECONDS
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec, program_key

MAX_RUNS = 200
"""From how many of the latest runs step times are read."""
STEP_SECONDS = 2e-4
MULTIPLICATION_SECONDS = 5e-11
"""A step takes about STEP_SECONDS, and this for each multiplication by a kernel: the notebook's baseline on one core.

Where runs have been measured, the estimate for others is scaled to them.
"""
FLOAT_BYTES = 4
PARAMETER_COPIES = 6
"""Weights, gradients, two slots of the optimizer, and two in checkpoints that are made and written."""
OUTPUT_COPIES = 2
"""Each layer's output and its gradient."""
OVERHEAD = 1.3
"""The ratio of a run's time on a worker to its time in steps, with evaluations, records and commits."""
RUN_SECONDS = 0.5
"""Added for each run, or for each slice where a run waits: reading the checkpoint, and often compiling."""


class Place(NamedTuple):
    """A waiting run's position in the queue, from 1, and the seconds until a worker takes it; None if not known."""

    number: int
    seconds: float | None = None


@dataclass(frozen=True)
class StepTimeEstimates:
    """Seconds per step by program and batch size, as measured; `scale` is the ratio of measured to rough estimates."""

    measured: Mapping[tuple[RunSpec, int], float] = field(default_factory=dict)
    scale: float = 1.0

    def step_seconds(self, spec: RunSpec) -> float:
        """The seconds that a step of `spec` takes."""
        measured = self.measured.get(_key(spec))
        return step_seconds(spec) * self.scale if measured is None else measured

    def run_seconds(self, spec: RunSpec, step: int = 0) -> float:
        """The seconds that a run of `spec` takes from `step` to its end, on a worker of its own."""
        return (spec.total_steps - step) * self.step_seconds(spec) * OVERHEAD + RUN_SECONDS


def read_step_times(store: Store) -> StepTimeEstimates:
    """The step times of the latest runs that were trained on this store."""
    query = (
        select(runs, recordings.c.origin)
        .select_from(runs.outerjoin(recordings))
        .where(runs.c.step > 0, recordings.c.origin.is_(None))
        .order_by(runs.c.updated_at.desc())
        .limit(MAX_RUNS)
    )
    with store.engine.connect() as connection:
        return measure_step_times(runs_from_rows(connection.execute(query)))


def measure_step_times(trained: Iterable[Run]) -> StepTimeEstimates:
    """The step times of the runs whose speed is known."""
    seconds: defaultdict[tuple[RunSpec, int], list[float]] = defaultdict(list)
    for run in trained:
        if run.is_speed_known and run.seconds:
            seconds[_key(run.spec)].append(run.seconds / run.step)
    measured = {key: fmean(values) for key, values in seconds.items()}
    ratios = [
        value / step_seconds(spec.model_copy(update={"batch_size": batch_size}))
        for (spec, batch_size), value in measured.items()
    ]
    return StepTimeEstimates(measured, median(ratios) if ratios else 1.0)


def launch_seconds(remaining: Iterable[tuple[RunSpec, int]], times: StepTimeEstimates, workers: int) -> float:
    """The seconds that `workers` take for specs from these steps to their ends, if they do nothing else."""
    seconds = [times.run_seconds(spec, step) for spec, step in remaining]
    return max(sum(seconds) / max(workers, 1), max(seconds, default=0.0))


def places(
    order: Sequence[str], waiting: Mapping[str, Run], times: StepTimeEstimates, workers: int, busy: int
) -> dict[str, Place]:
    """The places of the QUEUED runs among `waiting`, by digest.

    Args:
        order: the digests of all waiting runs, the next one first; also of those RUNNING between two slices.
        waiting: those runs, by digest.
        times: how long steps take.
        workers: the number of workers; the wait is not known while there are none.
        busy: how many of them train, each of which is free after half a slice on average.
    """
    found: dict[str, Place] = {}
    ahead = busy * SLICE_SECONDS / 2 if busy >= workers else 0.0
    for digest in order:
        run = waiting.get(digest)
        if run is None:
            continue
        if run.state is RunState.QUEUED:
            found[digest] = Place(len(found) + 1, round_seconds(ahead / workers) if workers else None)
        seconds = times.run_seconds(run.spec, run.step)
        ahead += min(seconds, SLICE_SECONDS + RUN_SECONDS)
    return found


def round_seconds(seconds: float) -> float:
    """Seconds as precisely as an estimate is worth showing: 7, 25, 40; then whole minutes, then half hours."""
    for limit, unit in ((10, 1), (30, 5), (90, 10), (5_400, 60)):
        if seconds < limit:
            return float(round(seconds / unit) * unit)
    return float(round(seconds / 1_800) * 1_800)


def about_text(seconds: float) -> str:
    """A text such as "about 40 s", "about 5 minutes" or "about 2.5 hours"."""
    rounded = round_seconds(seconds)
    if rounded < 120:
        return f"about {max(rounded, 1):.0f} s"
    if rounded < 5_400:
        return f"about {rounded / 60:.0f} minutes"
    return f"about {rounded / 3_600:,g} hours"


def step_seconds(spec: RunSpec) -> float:
    """The seconds of a step of `spec` on an ordinary core: nothing need have been measured."""
    return STEP_SECONDS + MULTIPLICATION_SECONDS * describe_network(spec).multiplications * spec.batch_size


def training_bytes(spec: RunSpec) -> int:
    """About how much memory the training of `spec` takes, beside what any training does.

    Parameters are kept PARAMETER_COPIES times, and the outputs of layers for one batch OUTPUT_COPIES times.
    """
    network = describe_network(spec)
    outputs = sum(math.prod(layer.output_shape) for layer in network.layers)
    return FLOAT_BYTES * (PARAMETER_COPIES * network.params + OUTPUT_COPIES * outputs * spec.batch_size)


def _key(spec: RunSpec) -> tuple[RunSpec, int]:
    return program_key(spec), spec.batch_size
