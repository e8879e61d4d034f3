"""The meter of internal covariate shift as a task: by layer, in the steps that follow chosen ones."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from bnlab.runs.warm import warm_up
from bnlab.spec.run_spec import RunSpec

MEASURES = ("gradient_norm", "difference", "cosine")


def measure_ics(spec: RunSpec, steps: Sequence[int]) -> pd.DataFrame:
    """Train a copy of `spec` and measure each layer's shift after each of `steps`: a task for `Lab.submit`.

    Returns:
        Columns step, depth (from 1), layer and MEASURES, which `bnlab.training.ics.LayerShift` explains; a row for each
        layer with weights, the output last, at each step. NaN once the training has diverged.

    Raises:
        ValueError: a step is negative.
        bnlab.spec.datasets.DatasetError: the dataset cannot be had.
    """
    warm_up()
    from bnlab.training.ics import shifts_trained

    rows = [
        {"step": step, "depth": depth, **asdict(layer)}
        for step, layers in shifts_trained(spec, steps)
        for depth, layer in enumerate(layers, start=1)
    ]
    return pd.DataFrame(rows, columns=["step", "depth", "layer", *MEASURES])
