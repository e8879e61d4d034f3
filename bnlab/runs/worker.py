"""The code that worker processes run: their setup, and one slice of one run from its checkpoint to its next.

A run is trained in slices so that many runs take turns on few workers. `bnlab.training` imports TensorFlow where it
trains; it is imported inside functions here, because the app's process imports this module and must stay without it.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

import psutil

from bnlab.runs.config import Settings
from bnlab.runs.datasets import register_datasets
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.runs.worker_store import open_worker_store
from bnlab.runs.writer import MissingRunError, RunWriter, read_checkpoint
from bnlab.specs.datasets import DatasetError
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import Records

SLICE_SECONDS = 3.0
"""After how long a run returns its worker to the queue, not counting the time to compile its program."""
STOP_POLL_SECONDS = 0.2
COMMIT_SECONDS = 0.5
"""The usual time between two commits of a slice."""
EVALUATION_COMMIT_SECONDS = 0.1
"""The shortest time between two commits of evaluations, of which there are many in the first second."""
MAX_COMMIT_SECONDS = 10.0
MAX_COMMIT_FRACTION = 0.02
"""The fraction of a slice's time that commits may take, as long as MAX_COMMIT_SECONDS are not exceeded."""
OUTDATED = "Another version of bnlab began this run and trains it differently; launch it again to train it from step 0."


REPLACED = (
    "The file of this run's dataset was replaced by one with another number of images: delete the run to train it."
)
UNREADABLE = (
    "The worker cannot read this run: it has another version of bnlab, or lacks the run's dataset; compare BNLAB_DATA."
)


class UnreadableRunError(RuntimeError):
    """A run that the worker's version of bnlab cannot read; `str()` is one sentence for the user."""


class OutdatedRunError(RuntimeError):
    """A run whose spec would be trained differently now; `str()` is one sentence for the user."""


def dask_setup(_worker: object) -> None:
    """Set up a worker process; called by Dask in each one that preloads this module."""
    lower_priority()
    set_up_worker()


def lower_priority() -> None:
    """Leave the processor to the pages, also while TensorFlow is imported. In forks it changes nothing again."""
    niceness, process = Settings().worker_niceness, psutil.Process()
    if sys.platform != "win32":
        process.nice(min(_initial_priority() + niceness, 19))
    elif niceness:
        process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)


@cache
def _initial_priority() -> int:
    """That of the app: of this process, or of the one that it was forked from, before it was lowered."""
    return int(psutil.Process().nice())


def set_up_worker() -> None:
    """Look for datasets in the settings' folder, and free what TensorFlow keeps of the networks of earlier calls.

    Once per process, import TensorFlow and read the default dataset. The workers of an external Dask
    scheduler do not preload this module: their first task calls this function.
    """
    with suppress(DatasetError):  # a spec with a dataset of that folder is refused with its own sentence
        register_datasets()
    import_tensorflow()
    _read_default_dataset()
    _free_kernels()


@cache
def import_tensorflow() -> None:
    """Import TensorFlow, for one thread. No thread of its own is started, so that the process can be forked then."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _without_stderr():
        import bnlab.training.trainer  # noqa: F401
        from bnlab.training.runtime import silence_warnings, use_one_thread

        silence_warnings()
        use_one_thread()


def _free_kernels() -> None:
    from bnlab.training.runtime import free_kernels

    free_kernels()


@cache
def _read_default_dataset() -> None:
    """Read the images that most runs need."""
    from bnlab.training.data import load_examples

    default = RunSpec()
    with _without_stderr(), suppress(DatasetError):  # for the run to report that needs them
        load_examples(default.dataset, default.validation)


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Discard standard error, to which TensorFlow's C++ code prints before any setting can stop it."""
    stderr, devnull = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(devnull)


def train_slice(store_url: str, digest: str, fence: int) -> RunState:
    """Train the run for about SLICE_SECONDS and return its state then, RUNNING if it has not ended.

    A run that has ended is not changed: Dask calls again if the worker dies between its last commit and its return.

    Raises:
        bnlab.specs.datasets.DatasetError: the dataset is not available.
        SupersededError: a later slice of the run was started, or the run was removed.
        bnlab.runs.errors.StoreError: the store cannot be read or written; the run can be continued.
        OutdatedRunError: this version of bnlab trains the run's spec differently, or its dataset was replaced.
        UnreadableRunError: it cannot read the run.
    """
    set_up_worker()
    store = open_worker_store(store_url)
    runs = store.runs([digest])
    if not runs:
        raise UnreadableRunError(UNREADABLE) if store.existing([digest]) else MissingRunError(digest)
    run = runs[0]
    if run.state.is_finished():
        return run.state
    if not run.is_current:
        raise OutdatedRunError(OUTDATED)
    if run.total_steps != run.spec.total_steps:
        raise OutdatedRunError(REPLACED)
    return TrainingSlice(store, run.spec, digest, fence).train()


class TrainingSlice:
    """One slice of a run's training, resumed at the run's checkpoint."""

    def __init__(self, store: Store, spec: RunSpec, digest: str, fence: int) -> None:
        from bnlab.training.trainer import Trainer

        self._writer = RunWriter(store, digest, fence)
        checkpoint = read_checkpoint(store, digest)
        self._has_begun = checkpoint is not None  # the first call evaluates step 0 and may not be skipped
        self._trainer = Trainer(spec, checkpoint)
        self._commit_seconds = COMMIT_SECONDS

    def train(self) -> RunState:
        """Advance and commit until the slice's time is over, the run has ended, or a stop is requested."""
        started = committed = polled = time.monotonic()
        stop = self._writer.stop_requested()
        records = Records(self._trainer.step)
        while True:
            if not (stop and self._has_begun):
                records.extend(self._trainer.advance())
                self._has_begun = True
            now = time.monotonic()
            if now - polled >= STOP_POLL_SECONDS:
                stop, polled = self._writer.stop_requested(), now
            state = self._state(stop)
            # Compiling takes longer than a slice on a busy machine, and would leave nothing of it for tiny runs.
            trained_seconds = now - started - self._trainer.setup_seconds
            is_over = state is not RunState.RUNNING or trained_seconds >= SLICE_SECONDS
            if is_over or self._is_commit_due(records, now - committed):
                self._commit(records, state)
                records, committed = Records(self._trainer.step), time.monotonic()
            if is_over:
                return state

    def _is_commit_due(self, records: Records, seconds_since_commit: float) -> bool:
        has_evaluations = bool(records.evaluations)
        if has_evaluations and (self._trainer.step == 0 or seconds_since_commit >= EVALUATION_COMMIT_SECONDS):
            return True
        return seconds_since_commit >= self._commit_seconds

    def _state(self, stop: bool) -> RunState:
        if self._trainer.diverged:
            return RunState.DIVERGED
        if self._trainer.finished:
            return RunState.COMPLETED
        return RunState.STOPPED if stop else RunState.RUNNING

    def _commit(self, records: Records, state: RunState) -> None:
        """Commit, and commit less often from now on if that took long, as it does with a large checkpoint."""
        started = time.monotonic()
        self._writer.commit(records, self._trainer.checkpoint(), state)
        seconds = time.monotonic() - started
        self._commit_seconds = min(max(seconds / MAX_COMMIT_FRACTION, COMMIT_SECONDS), MAX_COMMIT_SECONDS)
