"""Pairs of networks of one width and any depth, one with BN and one without."""

from bnlab.spec.parse import revise_spec
from bnlab.spec.run_spec import RunSpec

KINDS = {"ReLU": ("relu", "he_normal"), "sigmoid": ("sigmoid", "glorot_normal"), "tanh": ("tanh", "glorot_normal")}
"""Activations with the initializer that suits them: gradients keep their size through ReLUs and vanish in sigmoids."""


def deep_pair(kind: str, depth: int) -> tuple[RunSpec, RunSpec]:
    """Without and with BN: `depth` hidden layers of 100 units."""
    activation, initializer = KINDS[kind]
    without = RunSpec(hidden_units=(100,) * depth, activation=activation, kernel_initializer=initializer)
    return without, revise_spec(without, {"placement": "before_activation"})


def counted_layers(kind: str, depth: int) -> str:
    """As `20 ReLU layers`."""
    return f"{depth} {kind} layer{'' if depth == 1 else 's'}"
