"""What a worker process does: its setup, and one slice of one run from its checkpoint to its next."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache

from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.runs.writer import RunWriter, SupersededError, read_checkpoint
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import Records


@cache
def set_up_worker() -> None:
    """Import TensorFlow on one thread and read MNIST, once a process.

    Under a scheduler of somebody else's, whose workers know nothing of this module, the first slice calls it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _without_stderr():
        from bnlab.training.runtime import silence_warnings, use_one_thread

        silence_warnings()
        use_one_thread()
        from bnlab.training.data import load_examples

        load_examples("mnist", "test")


def dask_setup(_worker: object) -> None:
    """Called by Dask when a worker process starts."""
    set_up_worker()


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Keep TensorFlow's greetings, printed from C++ before any setting can stop them, off the terminal."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


SLICE_SECONDS = 3.0


COMMIT_SECONDS = 0.5


MOMENT_COMMIT_SECONDS = 0.1


MAX_COMMIT_SECONDS = 10.0


STOP_POLL_SECONDS = 0.2


WRITING_SHARE = 0.02


OUTDATED = "Another version of bnlab began this run and trains it differently; launch it again to train it anew."


class OutdatedRunError(RuntimeError):
    """A run that cannot go on as the same run; `str()` is one sentence for the user."""


def train_slice(store_url: str, digest: str, fence: int) -> RunState:
    """Train the run for about SLICE_SECONDS and return its state then: RUNNING if there is more to do.

    A run that has ended is left alone: Dask calls again if the worker dies between its last commit and its answer.

    Raises:
        bnlab.specs.datasets.DatasetError: the dataset cannot be had.
        SupersededError: another slice of the run was handed out meanwhile, or the run was removed.
        OutdatedRunError: its spec trains differently in this version of bnlab.
    """
    set_up_worker()
    store = _store(store_url)
    found = store.runs([digest])
    if not found:
        raise SupersededError(digest)
    run = found[0]
    if run.state.is_finished():
        return run.state
    if not run.is_current:
        raise OutdatedRunError(OUTDATED)
    return TrainingSlice(store, run.spec, digest, fence).train()


@lru_cache(maxsize=4)
def _store(url: str) -> Store:
    return Store(url)


class TrainingSlice:
    """One slice being trained."""

    def __init__(self, store: Store, spec: RunSpec, digest: str, fence: int) -> None:
        """Resume the run at its checkpoint."""
        from bnlab.training.trainer import Trainer

        self._journal = RunWriter(store, digest, fence)
        checkpoint = read_checkpoint(store, digest)
        self._begun = checkpoint is not None  # the first call evaluates step 0 and may not be skipped
        self._training = Trainer(spec, checkpoint)
        self._commit_every = COMMIT_SECONDS

    def train(self) -> RunState:
        """Advance and commit until the slice's time is up, the run has ended, or a stop is asked for."""
        began = committed = polled = time.monotonic()
        stop = self._journal.stop_requested()
        records = Records(self._training.step)
        while True:
            if not (stop and self._begun):
                records.extend(self._training.advance())
                self._begun = True
            now = time.monotonic()
            if now - polled >= STOP_POLL_SECONDS:
                stop, polled = self._journal.stop_requested(), now
            state = self._state(stop)
            over = state is not RunState.RUNNING or now - began >= SLICE_SECONDS
            if over or self._is_due(records, now - committed):
                self._commit(records, state)
                records, committed = Records(self._training.step), time.monotonic()
            if over:
                return state

    def _is_due(self, records: Records, waited: float) -> bool:
        """What was measured is written at once, but for the many moments of the first second."""
        if records.evaluations and (self._training.step == 0 or waited >= MOMENT_COMMIT_SECONDS):
            return True
        return waited >= self._commit_every

    def _state(self, stop: bool) -> RunState:
        if self._training.diverged:
            return RunState.DIVERGED
        if self._training.finished:
            return RunState.COMPLETED
        return RunState.STOPPED if stop else RunState.RUNNING

    def _commit(self, records: Records, state: RunState) -> None:
        """Write, and write more seldom if the checkpoint is so large that writing takes long."""
        began = time.monotonic()
        if state is RunState.COMPLETED:
            self._journal.write_latencies(self._training.latencies())
        self._journal.commit(records, self._training.checkpoint(), state)
        cost = time.monotonic() - began
        self._commit_every = min(max(cost / WRITING_SHARE, COMMIT_SECONDS), MAX_COMMIT_SECONDS)
