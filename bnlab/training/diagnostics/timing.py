"""How long a network's steps take, beside those of the same network without batch normalization."""

from dataclasses import dataclass

import numpy as np

from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec
from bnlab.training.trainer import Trainer

WARM_UP, TURNS, TURN_STEPS = 100, 41, 50


@dataclass(frozen=True)
class StepTimes:
    """Seconds a step takes, as the network is and with its BN layers left out.

    NaN where the training diverges before it has been measured.
    """

    seconds: float
    without: float


def time_steps(spec: RunSpec) -> StepTimes:
    """Train `spec` for some steps, and in turns the same spec without BN on the same batches.

    The two take turns, so that whatever slows the machine down for a while slows both, and the fastest turn of each
    counts, since nothing else can make a step faster. Compiling, and the first steps, are left out. Without BN there
    is nothing to leave out: the same network is measured twice, and the two differ by chance alone.

    Raises:
        bnlab.specs.datasets.DatasetError: the dataset cannot be had.
    """
    plain = revise_spec(spec, {"placement": "none", "input_normalization": False, "noise": False})
    trainings = Trainer(spec), Trainer(plain)
    for training in trainings:
        training.advance_to(WARM_UP)
    turns = [[_turn(training) for training in trainings] for _ in range(TURNS)]
    seconds, without = (float(fastest) for fastest in np.min(turns, axis=0))
    return StepTimes(seconds, without)


def _turn(training: Trainer) -> float:
    """Seconds a step, over the next TURN_STEPS."""
    step, seconds = training.step, training.seconds
    training.advance_to(step + TURN_STEPS)
    taken = training.step - step
    return (training.seconds - seconds) / taken if taken == TURN_STEPS else float("nan")
