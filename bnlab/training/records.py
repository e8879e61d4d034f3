"""Records of a training: the loss of every step, and the evaluations between the steps. No TensorFlow here."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bnlab.specs.choices import EVALUATED_IMAGES, STATISTICS

Floats = NDArray[np.float32]

PERCENTILES = (5, 15, 50, 85, 95)
"""Recorded percentiles of a layer's pre-activations; Ioffe and Szegedy's figure 1 shows 15, 50 and 85."""

LATENCY_BATCHES = (1, 256)
"""The batch sizes for which the duration of a prediction is measured."""


REESTIMATED_MEAN, REESTIMATED_VARIANCE = "reestimated_mean", "reestimated_variance"
"""The names in snapshots of what the moving statistics of a layer are compared with."""


def evaluation_columns(images: str, statistics: str) -> tuple[str, str]:
    """The names of loss and accuracy on `images` (of EVALUATED_IMAGES) with `statistics` (of STATISTICS)."""
    prefix = {"validation": "val", "training": "train"}[images]
    if (images, statistics) == ("validation", "moving"):
        return "val_loss", "val_accuracy"
    return f"{prefix}_loss_{statistics}", f"{prefix}_accuracy_{statistics}"


STATISTICS_COLUMNS = tuple(
    column
    for images in EVALUATED_IMAGES
    for statistics in STATISTICS
    for column in evaluation_columns(images, statistics)
    if column not in ("val_loss", "val_accuracy")
)
"""The losses and accuracies of an evaluation that only some runs have."""


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training after `step` steps.

    Attributes:
        step: The number of steps taken.
        seconds: The time spent in these steps.
        arrays: Weights, statistics and optimizer slots by name, as `dense_1/kernel`, `bn_1/moving_mean` and
            `adam/mean/dense_1/kernel`.
    """

    step: int
    seconds: float
    arrays: dict[str, Floats]


@dataclass(frozen=True)
class LayerRecord:
    """One hidden layer on the probe batch at one evaluation.

    Attributes:
        layer: The layer's name.
        gradient_norm: Frobenius norm of the loss's gradient with respect to the kernel.
        weight_norm: Frobenius norm of the kernel.
        percentiles: PERCENTILES of the pre-activations, over units and examples together.
    """

    layer: str
    gradient_norm: float
    weight_norm: float
    percentiles: tuple[float, ...]


@dataclass(frozen=True)
class Snapshot:
    """The variables of one normalization layer at one evaluation, by Keras's names, each float32 `[units]`."""

    layer: str
    values: dict[str, Floats]


@dataclass(frozen=True)
class Evaluation:
    """Everything measured after `step` steps; `seconds` is the time spent in these steps.

    `by_statistics` has the losses and accuracies of `STATISTICS_COLUMNS`; empty if the spec does not ask for them.
    """

    step: int
    seconds: float
    val_loss: float
    val_accuracy: float
    layers: tuple[LayerRecord, ...]
    snapshots: tuple[Snapshot, ...]
    by_statistics: dict[str, float] = field(default_factory=dict)


@dataclass
class Records:
    """Loss and accuracy of consecutive steps, the first after `first_step` steps, and the evaluations among them."""

    first_step: int
    loss: Floats = field(default_factory=lambda: np.empty(0, np.float32))
    accuracy: Floats = field(default_factory=lambda: np.empty(0, np.float32))
    evaluations: list[Evaluation] = field(default_factory=list)

    def extend(self, later: "Records") -> None:
        """Append the records of the steps that follow."""
        self.loss = np.concatenate([self.loss, later.loss])
        self.accuracy = np.concatenate([self.accuracy, later.accuracy])
        self.evaluations += later.evaluations
