"""Diagnostics of a spec, taken by a worker: tables by layer and step."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from bnlab.runs.measurements import Measurement, write_measurement
from bnlab.runs.store import Store
from bnlab.runs.worker import set_up_worker
from bnlab.runs.writer import read_checkpoint
from bnlab.specs.run_spec import RunSpec

if TYPE_CHECKING:
    from bnlab.training.diagnostics.gradients import LayerStatistics


STATISTICS_COLUMNS = ("gradient_norm", "activation_variance", "dead", "saturated")


class XrayError(RuntimeError):
    """A run that cannot be looked into; `str()` is one sentence for the user."""


def measure_layer_statistics(spec: RunSpec, steps: Sequence[int]) -> pd.DataFrame:
    """Train a copy of `spec` and X-ray it after each of `steps`: a task for `Lab.submit`.

    Returns:
        Columns step, depth (from 1), layer and MEASURES, which `LayerXray` explains; a row for each
        hidden layer at each step, in order. NaN from the step on after which the training had diverged.

    Raises:
        ValueError: a step is negative.
        bnlab.specs.datasets.DatasetError: the dataset cannot be had.
    """
    set_up_worker()
    from bnlab.training.diagnostics.gradients import layer_statistics_at_steps

    return xray_frame(layer_statistics_at_steps(spec, steps))


def xray_run(store_url: str, digest: str) -> pd.DataFrame:
    """X-ray a stored run at its last checkpoint: a task for `Lab.submit`; columns as `xray_spec`'s.

    Raises:
        XrayError: there is no checkpoint, as of a run that has not begun or that came as a recording.
    """
    set_up_worker()
    from bnlab.training.checkpoint import load_state
    from bnlab.training.data import probe_batch
    from bnlab.training.diagnostics.gradients import layer_statistics

    store = Store(store_url)
    try:
        spec = store.run(digest).spec
        checkpoint = read_checkpoint(store, digest)
    finally:
        store.engine.dispose()
    if checkpoint is None:
        raise XrayError("There is nothing to X-ray: no weights of this run are kept.")
    state = load_state(spec, checkpoint.arrays)
    return xray_frame([(checkpoint.step, layer_statistics(spec, state, checkpoint.step, probe_batch(spec)))])


def xray_frame(xrays: Iterable[tuple[int, Sequence["LayerXray"]]]) -> pd.DataFrame:
    """The X-rays after each step as a table; see `xray_spec`."""
    rows = [
        {"step": step, "depth": depth, **asdict(layer)}
        for step, layers in xrays
        for depth, layer in enumerate(layers, start=1)
    ]
    return pd.DataFrame(rows, columns=["step", "depth", "layer", *STATISTICS_COLUMNS])


SHIFT_COLUMNS = ("gradient_norm", "difference", "cosine")


def measure_covariate_shift(spec: RunSpec, steps: Sequence[int]) -> pd.DataFrame:
    """Train a copy of `spec` and measure each layer's shift after each of `steps`: a task for `Lab.submit`.

    Returns:
        Columns step, depth (from 1), layer and MEASURES, which `LayerShift` explains; a row for each
        layer with weights, the output last, at each step. NaN once the training has diverged.

    Raises:
        ValueError: a step is negative.
        bnlab.specs.datasets.DatasetError: the dataset cannot be had.
    """
    set_up_worker()
    from bnlab.training.diagnostics.gradients import layer_shifts_at_steps

    rows = [
        {"step": step, "depth": depth, **asdict(layer)}
        for step, layers in layer_shifts_at_steps(spec, steps)
        for depth, layer in enumerate(layers, start=1)
    ]
    return pd.DataFrame(rows, columns=["step", "depth", "layer", *SHIFT_COLUMNS])


PROFILE_COLUMNS = (*STATISTICS_COLUMNS, "shift", "turn")


def depth_profile(spec: RunSpec, step: int) -> Measurement:
    """What `measure_depth_profile` measures after one step: the same whatever other steps are measured with it."""
    return Measurement("depth_profile", _measure_from_store, spec, (step,))


def take_depth_profiles(store_url: str, spec: RunSpec, steps: Sequence[int]) -> None:
    """Measure the depth profile after each of `steps` in one go and store them: a task for `Lab.submit`.

    Raises what `measure_depth_profile` raises.
    """
    profiles = measure_depth_profile(spec, steps)
    store = Store(store_url)
    try:
        for step in steps:
            table = profiles[profiles["step"] == step].reset_index(drop=True)
            write_measurement(store, depth_profile(spec, step), table)
    finally:
        store.engine.dispose()


def measure_depth_profile(spec: RunSpec, steps: Sequence[int]) -> pd.DataFrame:
    """Train copies of `spec` and measure its layers after each of `steps`; imports TensorFlow.

    Returns:
        Columns step, depth (from 1), layer and MEASURES; a row for each hidden layer at each step. The first four are
        `LayerXray`'s. `shift` is ‖G − G′‖ ÷ ‖G‖ and `turn` 1 − the cosine between the two, G being
        the layer's gradient before and G′ after all that stands before it has taken the next step (see
        `LayerShift`): 0 in a layer that nothing stands before, NaN where there is no gradient.

    Raises:
        ValueError: a step is negative.
        bnlab.specs.datasets.DatasetError: the dataset cannot be had.
    """
    shifts = measure_covariate_shift(spec, steps)
    shifts["shift"] = shifts["difference"] / shifts["gradient_norm"].where(shifts["gradient_norm"] > 0)
    shifts["turn"] = (1 - shifts["cosine"]).clip(lower=0)  # rounding may put a cosine above 1
    columns = ["step", "depth", "shift", "turn"]
    return measure_layer_statistics(spec, steps).merge(shifts[columns], on=["step", "depth"], how="left", validate="1:1")


def _measure_from_store(_store_url: str, spec: RunSpec, *steps: int) -> pd.DataFrame:
    return measure_depth_profile(spec, steps)


TIMING_COLUMNS = ("seconds", "without")


def measure_epoch_time(spec: RunSpec) -> pd.DataFrame:
    """Take some steps of `spec` and of the same spec without BN, in turns: a task for `Lab.submit`.

    Returns:
        COLUMNS in one row: the seconds of the steps of an epoch at `time_steps`'s paces.

    Raises:
        bnlab.specs.datasets.DatasetError: the dataset cannot be had.
    """
    set_up_worker()
    from bnlab.training.diagnostics.timing import time_steps

    pace = time_steps(spec)
    row = [pace.seconds * spec.steps_per_epoch, pace.without * spec.steps_per_epoch]
    return pd.DataFrame([row], columns=list(TIMING_COLUMNS))


SENSITIVITY_COLUMNS = ("step", "quantity", "training", "inference")


def measure_perturbation(spec: RunSpec, steps: Sequence[int], amount: float) -> pd.DataFrame:
    """Train a copy of `spec` and move each quantity by `amount` after each of `steps`: a task for `Lab.submit`.

    Returns:
        COLUMNS; a row for each quantity of `MOVES` that the network has, at each step:
        the change of the loss on the probe batch in training mode and in inference mode.

    Raises:
        ValueError: a step is negative.
        bnlab.specs.datasets.DatasetError: the dataset cannot be had.
    """
    set_up_worker()
    from bnlab.training.data import probe_batch
    from bnlab.training.diagnostics.sensitivity import loss_changes
    from bnlab.training.trainer import trained_states

    batch = probe_batch(spec)
    rows = [
        {"step": step, **asdict(change)}
        for step, state in trained_states(spec, steps)
        for change in loss_changes(spec, state, step, batch, amount)
    ]
    return pd.DataFrame(rows, columns=list(SENSITIVITY_COLUMNS))
