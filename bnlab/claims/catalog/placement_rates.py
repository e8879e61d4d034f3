"""The learning rates at which P1 compares placements: the best of a grid for each network, chosen on other seeds.

A rate that is chosen by the runs that are compared would favor what happened to do well in them. The rates are
therefore chosen by runs of TUNING_SEEDS, which P1 does not compare, and fixed: `python -m bnlab rates FILE` trains
these runs and writes what they reach; RATES_FILE is that file.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from statistics import fmean
from typing import Any

from bnlab.claims.catalog.networks import deep_pair
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec

RATES = (0.03, 0.1, 0.3, 1.0, 3.0)
TUNING_SEEDS = range(100, 102)
KINDS = ("relu", "leaky_relu", "sigmoid", "tanh")
DEPTHS = (2, 10)
PLACEMENTS = ("before_activation", "after_activation")
CHANGES: Mapping[str, Any] = {"train_examples": 8_000, "epochs": 2}
"""The full size of P1, for which the rates are chosen."""
RATES_FILE = files("bnlab.claims") / "data" / "placement_rates.json"

Accuracies = Mapping[str, Mapping[str, list[float]]]
"""The final accuracies in percent, one for each of TUNING_SEEDS, by the network's id and the rate's text."""


def network_id(kind: str, depth: int, placement: str) -> str:
    """The id of a network: `relu_2_before_activation`."""
    return f"{kind}_{depth}_{placement}"


def placement_spec(kind: str, depth: int, placement: str, learning_rate: float) -> RunSpec:
    """`depth` hidden layers of 100 units with BN before or after the activation."""
    without_bn, _ = deep_pair(kind, depth)
    return revise_spec(without_bn, {"placement": placement, "learning_rate": learning_rate})


def tuning_specs() -> dict[str, dict[str, list[RunSpec]]]:
    """The specs of TUNING_SEEDS by the network's id and the rate's text."""
    return {
        network_id(kind, depth, placement): {
            f"{rate:g}": [
                revise_spec(placement_spec(kind, depth, placement, rate), {**CHANGES, "seed": seed})
                for seed in TUNING_SEEDS
            ]
            for rate in RATES
        }
        for kind in KINDS
        for depth in DEPTHS
        for placement in PLACEMENTS
    }


def best_rate(kind: str, depth: int, placement: str) -> float:
    """The rate of RATES with the highest mean accuracy over TUNING_SEEDS, the smaller one of two equal ones."""
    accuracies = _tuned()[network_id(kind, depth, placement)]
    return max(RATES, key=lambda rate: fmean(accuracies[f"{rate:g}"]))


@cache
def _tuned() -> Accuracies:
    tuned: Accuracies = json.loads(RATES_FILE.read_text(encoding="utf-8"))
    return tuned
