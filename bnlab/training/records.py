"""What training leaves behind: the loss of every step, and everything measured at the moments between."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

PERCENTILES = (5, 15, 50, 85, 95)
"""Of a layer's pre-activations, over units and examples; Ioffe and Szegedy's figure 1 shows 15, 50 and 85."""


LATENCY_BATCHES = (1, 256)
"""How many examples are predicted at once where the time of a prediction is measured."""


@dataclass(frozen=True)
class Checkpoint:
    """Arrays by name (`dense_1/kernel`, `bn_1/moving_mean`, `adam/mean/dense_1/kernel`) after `step` steps.

    `seconds` is the time spent in steps so far.
    """

    step: int
    seconds: float
    arrays: dict[str, Floats]


@dataclass(frozen=True)
class LayerRecord:
    """One hidden layer at one moment; norms are Frobenius, `percentiles` as in PERCENTILES."""

    layer: str
    gradient_norm: float
    weight_norm: float
    percentiles: tuple[float, ...]


@dataclass(frozen=True)
class Snapshot:
    """One BN layer at one moment: each of its variables by Keras's name, `[units]` float32."""

    layer: str
    values: dict[str, Floats]


@dataclass(frozen=True)
class Evaluation:
    """Everything measured after `step` steps; `seconds` is the time spent in steps until then."""

    step: int
    seconds: float
    val_loss: float
    val_accuracy: float
    layers: tuple[LayerRecord, ...]
    snapshots: tuple[Snapshot, ...]


@dataclass
class Records:
    """Loss and accuracy of the steps after `first_step`, in order, and the moments among them."""

    first_step: int
    loss: Floats = field(default_factory=lambda: np.empty(0, np.float32))
    accuracy: Floats = field(default_factory=lambda: np.empty(0, np.float32))
    moments: list[Evaluation] = field(default_factory=list)

    def extend(self, later: "Records") -> None:
        """Append what was recorded after these."""
        self.loss = np.concatenate([self.loss, later.loss])
        self.accuracy = np.concatenate([self.accuracy, later.accuracy])
        self.moments += later.moments
