"""Deep networks in pairs that differ in BN alone."""

import pytest

from bnlab.claims.catalog.networks import ACTIVATION_KINDS, depth_text, deep_pair
from bnlab.specs.network import describe_network


@pytest.mark.parametrize("kind", ACTIVATION_KINDS)
@pytest.mark.parametrize("depth", [1, 20])
def test_a_pair_differs_in_bn_alone(kind: str, depth: int) -> None:
    without, normalized = deep_pair(kind, depth)
    assert without.hidden_units == (100,) * depth
    assert without == normalized.model_copy(update={"placement": "none"})
    assert len(describe_network(normalized).normalizations) == depth
    assert describe_network(without).normalizations == ()


def test_layers_are_counted_in_words() -> None:
    assert (depth_text("relu", 1), depth_text("tanh", 5)) == ("1 ReLU layer", "5 tanh layers")
