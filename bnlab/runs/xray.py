"""The depth X-ray as a task: by layer, at initialization and after chosen steps, or of a stored run as it is."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from bnlab.runs.journal import read_checkpoint
from bnlab.runs.store import Store
from bnlab.runs.warm import warm_up
from bnlab.spec.run_spec import RunSpec

if TYPE_CHECKING:
    from bnlab.training.xray import LayerXray

MEASURES = ("gradient_norm", "activation_variance", "dead", "saturated")


class XrayError(RuntimeError):
    """A run that cannot be looked into; `str()` is one sentence for the user."""


def xray_spec(spec: RunSpec, steps: Sequence[int]) -> pd.DataFrame:
    """Train a copy of `spec` and X-ray it after each of `steps`: a task for `Lab.submit`.

    Returns:
        Columns step, depth (from 1), layer and MEASURES, which `bnlab.training.xray.LayerXray` explains; a row for each
        hidden layer at each step, in order. NaN from the step on after which the training had diverged.

    Raises:
        ValueError: a step is negative.
        bnlab.spec.datasets.DatasetError: the dataset cannot be had.
    """
    warm_up()
    from bnlab.training.xray import xray_trained

    return xray_frame(xray_trained(spec, steps))


def xray_run(store_url: str, digest: str) -> pd.DataFrame:
    """X-ray a stored run at its last checkpoint: a task for `Lab.submit`; columns as `xray_spec`'s.

    Raises:
        XrayError: there is no checkpoint, as of a run that has not begun or that came as a recording.
    """
    warm_up()
    from bnlab.training.batches import probe_batch
    from bnlab.training.checkpoint import load_state
    from bnlab.training.xray import xray

    store = Store(store_url)
    try:
        spec = store.run(digest).spec
        checkpoint = read_checkpoint(store, digest)
    finally:
        store.engine.dispose()
    if checkpoint is None:
        raise XrayError("There is nothing to X-ray: no weights of this run are kept.")
    state = load_state(spec, checkpoint.arrays)
    return xray_frame([(checkpoint.step, xray(spec, state, checkpoint.step, probe_batch(spec)))])


def xray_frame(xrays: Iterable[tuple[int, Sequence["LayerXray"]]]) -> pd.DataFrame:
    """The X-rays after each step as a table; see `xray_spec`."""
    rows = [
        {"step": step, "depth": depth, **asdict(layer)}
        for step, layers in xrays
        for depth, layer in enumerate(layers, start=1)
    ]
    return pd.DataFrame(rows, columns=["step", "depth", "layer", *MEASURES])
