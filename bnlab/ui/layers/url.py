"""What an address cannot say of the Layers page, whose widgets drop without a word what they do not know."""

import math
from collections.abc import Mapping, Sequence

from bnlab.charts.layer_charts import hidden_layer_names
from bnlab.specs.comparison import Comparison
from bnlab.specs.network import describe_network
from bnlab.specs.validation import did_you_mean, parse_number
from bnlab.ui.layers.depth_profile import MAX_STEPS, EXTRA_STEP, STEPS
from bnlab.ui.layers.evaluation_slider import EVALUATION
from bnlab.ui.layers.views import VIEWS, VIEWS_BY_TITLE


def layers_faults(parameters: Mapping[str, Sequence[str]], comparison: Comparison) -> list[str]:
    """One sentence for each parameter whose value is none of those that the page's widget can take."""
    return [*_unknown(parameters, comparison), *_no_numbers(parameters)]


def _unknown(parameters: Mapping[str, Sequence[str]], comparison: Comparison) -> list[str]:
    faults = []
    for name, (what, known) in _choices(comparison).items():
        others = [value for value in parameters.get(name, ()) if value and value not in known]
        if others:
            faults.append(f"There is no {what} {others[0][:40]!r}{did_you_mean(others[0], known)}")
    return faults


def _choices(comparison: Comparison) -> dict[str, tuple[str, Sequence[str]]]:
    """What is chosen among by each parameter, and what there is of it."""
    specs = [variant.spec for variant in comparison.variants]
    normalizations = [layer.name for spec in specs for layer in describe_network(spec).normalizations]
    return {
        "layers-view": ("view", [*VIEWS, *VIEWS_BY_TITLE]),
        "layers-seed": ("seed", [str(specs[0].seed + place) for place in range(comparison.seeds)]),
        "layers-networks": ("network", comparison.labels),
        "layers-normalizations": ("normalization layer", normalizations),
        "layers-hidden": ("hidden layer", [name for spec in specs for name in hidden_layer_names(spec)]),
        "layers-xray-steps": ("step for the X-ray", [str(step) for step in STEPS]),
    }


def _no_numbers(parameters: Mapping[str, Sequence[str]]) -> list[str]:
    bounds = {
        EVALUATION: (0, math.inf, "The moment of training must be an epoch of 0 or more"),
        EXTRA_STEP: (1, MAX_STEPS, f"Another step for the X-ray must be from 1 to {MAX_STEPS:,}"),
    }
    return [
        f"{must}, but {given[:40]!r} was given."
        for name, (low, high, must) in bounds.items()
        for given in parameters.get(name, ())[-1:]
        if given and not low <= parse_number(given) <= high
    ]
