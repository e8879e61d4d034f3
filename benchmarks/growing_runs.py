"""Runs that grow as if workers trained them: the curves of the shipped recording, written commit by commit."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice, product
from pathlib import Path
from types import TracebackType

import numpy as np
import pandas as pd

from bnlab.runs.reader import evaluations_frame, steps_frame
from bnlab.runs.recording import SHIPPED_RECORDINGS, read_recording
from bnlab.runs.run import Run, RunState
from bnlab.runs.scheduler import new_owner
from bnlab.runs.store import Store
from bnlab.runs.writer import RunWriter
from bnlab.specs.comparison import Comparison, Variant
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec
from bnlab.training.records import Evaluation, Records

RECORDED_SEEDS = (0, 1)
OTHER_SEED = 1000
INITIAL_STEPS = 4_000
"""Steps written at first: more than two epochs, so that every chart has lines."""


@dataclass(frozen=True)
class PositionOnly:
    """A checkpoint without weights, which no page reads."""

    step: int
    seconds: float
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordedCurves:
    """The curves of one recorded run."""

    steps: pd.DataFrame
    evaluations: pd.DataFrame


def growing_comparison(variants: int) -> Comparison:
    """The notebook's networks under each recorded seed in turn, with OTHER_SEED added so that the runs are new."""
    all_variants = [
        Variant(variant.label, revise_spec(variant.spec, {"seed": OTHER_SEED + seed}))
        for seed, variant in product(RECORDED_SEEDS, PRESETS["notebook"].variants)
    ]
    comparison = Comparison((all_variants[0],))
    for variant in islice(all_variants, 1, variants):
        comparison = comparison.with_variant(variant)
    return comparison


class GrowingRuns:
    """The runs of a comparison in a new store, written as by a scheduler in another process."""

    def __init__(self, comparison: Comparison, seeds: int = 1) -> None:
        """Write each run up to INITIAL_STEPS."""
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)
        self.store = Store(f"sqlite:///{self.folder}/bnlab.db")
        read_recording(self.store, SHIPPED_RECORDINGS["notebook"].read_bytes())
        self._owner, self._step = new_owner(), 0
        self._runs = [
            (self._open_writer(spec, label), _recorded_curves(self.store, spec))
            for label, specs in comparison.with_seeds(seeds).specs().items()
            for spec in specs
        ]
        self.grow(INITIAL_STEPS)

    def grow(self, steps: int, state: RunState = RunState.RUNNING) -> None:
        """Write the next steps of every run, as one commit each."""
        first, self._step = self._step, self._step + steps
        for writer, curves in self._runs:
            evaluations = curves.evaluations
            seconds = float(np.interp(self._step, evaluations["step"], evaluations["seconds"]))
            writer.commit(_records(curves, first, self._step), PositionOnly(self._step, seconds), state)
        self.renew_lease()

    def renew_lease(self) -> None:
        """Renew the lease of the runs; without it the app would treat them as abandoned."""
        self.store.claim(self._owner)

    def __enter__(self) -> "GrowingRuns":
        """Return the growing runs."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the store."""
        self.store.engine.dispose()
        self._folder.cleanup()

    def _open_writer(self, spec: RunSpec, label: str) -> RunWriter:
        run = self.store.launch(spec, label, self._owner)
        fence = self.store.next_fence(run.digest, self._owner)
        assert fence is not None
        return RunWriter(self.store, run.digest, fence)


def _recorded_curves(store: Store, spec: RunSpec) -> RecordedCurves:
    """The recorded curves of the same network with the recorded seed that corresponds to `spec`'s."""
    run: Run = store.run(revise_spec(spec, {"seed": spec.seed - OTHER_SEED}).digest)
    return RecordedCurves(steps_frame(store, run.digest), evaluations_frame(store, [run]))


def _records(curves: RecordedCurves, first: int, last: int) -> Records:
    """The records of the steps after `first` up to `last`, with the evaluation of step 0 if `first` is 0."""
    steps, evaluations = curves.steps.iloc[first:last], curves.evaluations
    new = evaluations[(evaluations["step"] > (first or -1)) & (evaluations["step"] <= last)]
    return Records(
        first,
        steps["loss"].to_numpy(),
        steps["accuracy"].to_numpy(),
        [Evaluation(row.step, row.seconds, row.val_loss, row.val_accuracy, (), ()) for row in new.itertuples()],
    )
