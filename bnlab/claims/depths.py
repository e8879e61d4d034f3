"""Pairs of networks of one width and any depth, one with BN and one without."""

from dataclasses import dataclass

from bnlab.spec.parse import revise_spec
from bnlab.spec.run_spec import RunSpec


@dataclass(frozen=True)
class Kind:
    """An activation, with the initializer that suits it."""

    title: str
    activation: str
    kernel_initializer: str


KINDS = {
    "relu": Kind("ReLU", "relu", "he_normal"),
    "sigmoid": Kind("sigmoid", "sigmoid", "glorot_normal"),
    "tanh": Kind("tanh", "tanh", "glorot_normal"),
}
"""By id. Without BN, gradients keep their size through the ReLUs and vanish in the sigmoids."""


def deep_pair(kind: str, depth: int) -> tuple[RunSpec, RunSpec]:
    """Without and with BN: `depth` hidden layers of 100 units."""
    activation, initializer = KINDS[kind].activation, KINDS[kind].kernel_initializer
    without = RunSpec(hidden_units=(100,) * depth, activation=activation, kernel_initializer=initializer)
    return without, revise_spec(without, {"placement": "before_activation"})


def counted_layers(kind: str, depth: int) -> str:
    """As `20 ReLU layers`."""
    return f"{depth} {KINDS[kind].title} layer{'' if depth == 1 else 's'}"
