"""Diagnostics of a spec as tables, taken by a worker: layer statistics, covariate shift, sensitivity and step times.

Each `measure_…` function is a task for `Scheduler.submit`. It trains a copy of the spec from its initial weights and
neither reads nor changes stored runs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from bnlab.runs.measurements import Measurement, write_measurement
from bnlab.runs.worker import set_up_worker
from bnlab.runs.worker_store import open_worker_store
from bnlab.specs.run_spec import RunSpec

if TYPE_CHECKING:
    from bnlab.training.diagnostics.gradients import LayerShift, LayerStatistics

STATISTICS_COLUMNS = ("gradient_norm", "activation_variance", "dead", "saturated")
SHIFT_COLUMNS = ("gradient_norm", "difference", "cosine")
PROFILE_COLUMNS = (*STATISTICS_COLUMNS, "shift", "turn")
SENSITIVITY_COLUMNS = ("step", "quantity", "training", "inference")
TIMING_COLUMNS = ("seconds", "without")


def measure_layer_statistics(spec: RunSpec, steps: Sequence[int]) -> pd.DataFrame:
    """Measure the hidden layers of `spec` on the probe batch after each of `steps`.

    Returns:
        Columns step, depth (from 1), layer and STATISTICS_COLUMNS, the fields of `LayerStatistics`; one row per step
        and hidden layer. NaN after a divergence.

    Raises:
        ValueError: a step is negative.
        bnlab.specs.datasets.DatasetError: the dataset is not available.
    """
    set_up_worker()
    from bnlab.training.diagnostics.gradients import layer_statistics_at_steps

    return _layer_table(layer_statistics_at_steps(spec, steps), STATISTICS_COLUMNS)


def measure_covariate_shift(spec: RunSpec, steps: Sequence[int]) -> pd.DataFrame:
    """Measure the internal covariate shift of each layer in the step that follows each of `steps`.

    Returns:
        Columns step, depth (from 1), layer and SHIFT_COLUMNS, the fields of `LayerShift`; one row per step and layer
        with a kernel, the output layer last. NaN after a divergence.

    Raises:
        ValueError: a step is negative.
        bnlab.specs.datasets.DatasetError: the dataset is not available.
    """
    set_up_worker()
    from bnlab.training.diagnostics.gradients import layer_shifts_at_steps

    return _layer_table(layer_shifts_at_steps(spec, steps), SHIFT_COLUMNS)


def _layer_table(
    layers_by_step: Iterable[tuple[int, Sequence["LayerStatistics | LayerShift"]]], columns: Sequence[str]
) -> pd.DataFrame:
    rows = [
        {"step": step, "depth": depth, **asdict(layer)}
        for step, layers in layers_by_step
        for depth, layer in enumerate(layers, start=1)
    ]
    return pd.DataFrame(rows, columns=["step", "depth", "layer", *columns])


def measure_depth_profile(spec: RunSpec, steps: Sequence[int]) -> pd.DataFrame:
    """Measure layer statistics and relative covariate shift of the hidden layers after each of `steps`.

    Returns:
        Columns step, depth (from 1), layer and PROFILE_COLUMNS; one row per step and hidden layer. The first four are
        STATISTICS_COLUMNS. With G and G′ as in `LayerShift`, `shift` is ‖G − G′‖ / ‖G‖ and `turn` is 1 − cos(G, G′): 0
        in a layer without preceding variables, NaN without a gradient.

    Raises:
        ValueError: a step is negative.
        bnlab.specs.datasets.DatasetError: the dataset is not available.
    """
    set_up_worker()
    from bnlab.training.data import probe_batch, step_batch
    from bnlab.training.diagnostics.gradients import layer_shifts, layer_statistics
    from bnlab.training.trainer import trained_states

    batch = probe_batch(spec)
    statistics_by_step, shifts_by_step = [], []
    for step, state in trained_states(spec, steps):
        statistics_by_step.append((step, layer_statistics(spec, state, step, batch)))
        shifts_by_step.append((step, layer_shifts(spec, state, step, step_batch(spec, step))))
    shifts = _layer_table(shifts_by_step, SHIFT_COLUMNS)
    shifts["shift"] = shifts["difference"] / shifts["gradient_norm"].where(shifts["gradient_norm"] > 0)
    shifts["turn"] = (1 - shifts["cosine"]).clip(lower=0)  # rounding may put a cosine above 1
    return _layer_table(statistics_by_step, STATISTICS_COLUMNS).merge(
        shifts[["step", "depth", "shift", "turn"]], on=["step", "depth"], how="left", validate="1:1"
    )


def depth_profile(spec: RunSpec, step: int) -> Measurement:
    """The measurement that stores the rows of `measure_depth_profile` for one step."""
    return Measurement("depth_profile", _measure_depth_profile, spec, (step,))


def _measure_depth_profile(_store_url: str, spec: RunSpec, *steps: int) -> pd.DataFrame:
    return measure_depth_profile(spec, steps)


def take_depth_profiles(store_url: str, spec: RunSpec, steps: Sequence[int]) -> None:
    """Measure the depth profile after all `steps` in one training and store it: a task for `Scheduler.submit`.

    Raises what `measure_depth_profile` raises.
    """
    profiles = measure_depth_profile(spec, steps)
    store = open_worker_store(store_url)
    for step in steps:
        table = profiles[profiles["step"] == step].reset_index(drop=True)
        write_measurement(store, depth_profile(spec, step), table)


def measure_perturbation(spec: RunSpec, steps: Sequence[int], amount: float) -> pd.DataFrame:
    """Measure the sensitivity of the loss to each quantity of the normalization layers after each of `steps`.

    Returns:
        SENSITIVITY_COLUMNS; one row per step and quantity of `PERTURBATIONS` that the network has, with the change of
        the loss on the probe batch in training mode and in inference mode when the quantity is perturbed by `amount`.

    Raises:
        ValueError: a step is negative.
        bnlab.specs.datasets.DatasetError: the dataset is not available.
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


def measure_epoch_time(spec: RunSpec) -> pd.DataFrame:
    """Time the steps of `spec` and of the same spec without normalization, in turns.

    Returns:
        TIMING_COLUMNS in one row: the seconds that the steps of one epoch take at these speeds.

    Raises:
        bnlab.specs.datasets.DatasetError: the dataset is not available.
    """
    set_up_worker()
    from bnlab.training.diagnostics.timing import time_steps

    times = time_steps(spec)
    row = [times.seconds * spec.steps_per_epoch, times.without * spec.steps_per_epoch]
    return pd.DataFrame([row], columns=list(TIMING_COLUMNS))
