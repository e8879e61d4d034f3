"""What batch normalization adds to the time of an epoch, as a task."""

import pandas as pd

from bnlab.runs.warm import warm_up
from bnlab.spec.run_spec import RunSpec

COLUMNS = ("seconds", "without")


def measure_epoch(spec: RunSpec) -> pd.DataFrame:
    """Take some steps of `spec` and of the same spec without BN, in turns: a task for `Lab.submit`.

    Returns:
        COLUMNS in one row: the seconds of the steps of an epoch at `bnlab.training.pace.measure_pace`'s paces.

    Raises:
        bnlab.spec.datasets.DatasetError: the dataset cannot be had.
    """
    warm_up()
    from bnlab.training.pace import measure_pace

    pace = measure_pace(spec)
    row = [pace.seconds * spec.steps_per_epoch, pace.without * spec.steps_per_epoch]
    return pd.DataFrame([row], columns=list(COLUMNS))
