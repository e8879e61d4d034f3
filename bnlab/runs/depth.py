"""A network's layers through its depth as one task: the X-ray, and the internal covariate shift."""

from collections.abc import Sequence

import pandas as pd

from bnlab.runs import xray
from bnlab.runs.ics import measure_ics
from bnlab.runs.xray import xray_spec
from bnlab.spec.run_spec import RunSpec

MEASURES = (*xray.MEASURES, "shift", "turn")


def look_into(spec: RunSpec, steps: Sequence[int]) -> pd.DataFrame:
    """Train copies of `spec` and look into it after each of `steps`: a task for `Lab.submit`.

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
