"""Runs that grow in a store as workers make them grow: the shipped recording, written once more, slice by slice."""

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice, product
from pathlib import Path
from types import TracebackType

import numpy as np
import pandas as pd

from bnlab.runs.reader import evaluations_frame, steps_frame
from bnlab.runs.recording import read_recording
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
BEGUN_STEPS = 4_000
"""Where the runs stand at first: beyond the second epoch, so that every chart has its lines."""


@dataclass(frozen=True)
class Position:
    """The checkpoint that a commit asks for, without weights: no page reads them."""

    step: int
    seconds: float
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Recording:
    """One run's curves as they were recorded."""

    steps: pd.DataFrame
    moments: pd.DataFrame


def growing_comparison(variants: int) -> Comparison:
    """The notebook's networks, then the same with the next recorded seed, under seeds that nobody has trained."""
    notebook = product(RECORDED_SEEDS, PRESETS["notebook"].variants)
    chosen = [Variant(v.label, revise_spec(v.spec, {"seed": OTHER_SEED + seed})) for seed, v in notebook]
    comparison = Comparison((chosen[0],))
    for variant in islice(chosen, 1, variants):
        comparison = comparison.with_variant(variant)
    return comparison


class Growing:
    """The runs of a comparison in a new store, which a lab elsewhere seems to train."""

    def __init__(self, comparison: Comparison, seeds: int = 1) -> None:
        """Write each run up to BEGUN_STEPS."""
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)
        self.store = Store(f"sqlite:///{self.folder}/bnlab.db")
        read_recording(self.store)
        self._owner, self._step = new_owner(), 0
        self._runs = [
            (self._journal(spec, label), _recording(self.store, spec))
            for label, specs in comparison.with_seeds(seeds).specs().items()
            for spec in specs
        ]
        self.grow(BEGUN_STEPS)

    def grow(self, steps: int, state: RunState = RunState.RUNNING) -> None:
        """Write the next steps of every run, as one commit each."""
        first, self._step = self._step, self._step + steps
        for journal, recording in self._runs:
            measured = recording.moments
            seconds = float(np.interp(self._step, measured["step"], measured["seconds"]))
            journal.commit(_records(recording, first, self._step), Position(self._step, seconds), state)
        self.keep()

    def keep(self) -> None:
        """Look after the runs without training them; else the app would take them for abandoned."""
        self.store.claim(self._owner)

    def __enter__(self) -> "Growing":
        """The runs themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the store."""
        self.store.engine.dispose()
        self._folder.cleanup()

    def _journal(self, spec: RunSpec, label: str) -> RunWriter:
        run = self.store.launch(spec, label, self._owner)
        fence = self.store.next_fence(run.digest, self._owner)
        assert fence is not None
        return RunWriter(self.store, run.digest, fence)


def _recording(store: Store, spec: RunSpec) -> Recording:
    """What was recorded of the same network, with the seed that `spec`'s stands for."""
    run: Run = store.run(revise_spec(spec, {"seed": spec.seed - OTHER_SEED}).digest)
    return Recording(steps_frame(store, run.digest), evaluations_frame(store, [run]))


def _records(recording: Recording, first: int, last: int) -> Records:
    steps, moments = recording.steps.iloc[first:last], recording.moments
    new = moments[(moments["step"] > (first or -1)) & (moments["step"] <= last)]
    return Records(first, steps["loss"].to_numpy(), steps["accuracy"].to_numpy(), list(_moments(new)))


def _moments(frame: pd.DataFrame) -> Iterable[Evaluation]:
    for row in frame.itertuples():
        yield Evaluation(row.step, row.seconds, row.val_loss, row.val_accuracy, (), ())
