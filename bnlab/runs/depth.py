"""A network's layers by depth: the X-ray and the internal covariate shift, measured by a worker and kept by step."""

from collections.abc import Sequence

import pandas as pd

from bnlab.runs import xray
from bnlab.runs.answers import Measurement, write_measurement
from bnlab.runs.ics import measure_ics
from bnlab.runs.store import Store
from bnlab.runs.xray import xray_spec
from bnlab.spec.run_spec import RunSpec

MEASURES = (*xray.MEASURES, "shift", "turn")


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
        `bnlab.training.xray.LayerXray`'s. `shift` is ‖G − G′‖ ÷ ‖G‖ and `turn` 1 − the cosine between the two, G being
        the layer's gradient before and G′ after all that stands before it has taken the next step (see
        `bnlab.training.ics.LayerShift`): 0 in a layer that nothing stands before, NaN where there is no gradient.

    Raises:
        ValueError: a step is negative.
        bnlab.spec.datasets.DatasetError: the dataset cannot be had.
    """
    shifts = measure_ics(spec, steps)
    shifts["shift"] = shifts["difference"] / shifts["gradient_norm"].where(shifts["gradient_norm"] > 0)
    shifts["turn"] = (1 - shifts["cosine"]).clip(lower=0)  # rounding may put a cosine above 1
    columns = ["step", "depth", "shift", "turn"]
    return xray_spec(spec, steps).merge(shifts[columns], on=["step", "depth"], how="left", validate="1:1")


def _measure_from_store(_store_url: str, spec: RunSpec, *steps: int) -> pd.DataFrame:
    return measure_depth_profile(spec, steps)
