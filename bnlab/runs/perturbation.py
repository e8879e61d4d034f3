"""What the loss depends on, as a task: batch normalization's quantities moved a little after chosen steps."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from bnlab.runs.warm import warm_up
from bnlab.spec.run_spec import RunSpec

COLUMNS = ("step", "quantity", "training", "inference")


def measure_perturbation(spec: RunSpec, steps: Sequence[int], amount: float) -> pd.DataFrame:
    """Train a copy of `spec` and move each quantity by `amount` after each of `steps`: a task for `Lab.submit`.

    Returns:
        COLUMNS; a row for each quantity of `bnlab.training.perturbation.MOVES` that the network has, at each step:
        the change of the loss on the probe batch in training mode and in inference mode.

    Raises:
        ValueError: a step is negative.
        bnlab.spec.datasets.DatasetError: the dataset cannot be had.
    """
    warm_up()
    from bnlab.training.batches import probe_batch, trained_states
    from bnlab.training.perturbation import loss_changes

    batch = probe_batch(spec)
    rows = [
        {"step": step, **asdict(change)}
        for step, state in trained_states(spec, steps)
        for change in loss_changes(spec, state, step, batch, amount)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
