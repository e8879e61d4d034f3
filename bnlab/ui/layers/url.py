"""The Layers page's parameters in the URL, and errors in them; Streamlit's widgets drop invalid values silently."""

import math
from collections.abc import Mapping, Sequence

from bnlab.charts.formatting import escape_markdown
from bnlab.charts.layer_charts import hidden_layer_names
from bnlab.live.layers import EVALUATION, LAYERS, NETWORKS, SEED, VIEW
from bnlab.specs.comparison import Comparison
from bnlab.specs.network import describe_network
from bnlab.specs.validation import did_you_mean, parse_number
from bnlab.ui.layers.choices import VIEW_IDS
from bnlab.ui.layers.depth_profile import EXTRA_STEP, MAX_STEPS, MEASURE, STEPS

LAYERS_PARAMETERS = (
    VIEW,
    SEED,
    EVALUATION,
    NETWORKS,
    *LAYERS.values(),
    MEASURE,
    "layers-xray-steps",
    EXTRA_STEP,
)
"""Parameters that the page's widgets write themselves."""


def layers_faults(parameters: Mapping[str, Sequence[str]], comparison: Comparison) -> list[str]:
    """A sentence for each parameter with a value that its widget cannot take."""
    return [*_unknown_options(parameters, comparison), *_invalid_numbers(parameters)]


def _unknown_options(parameters: Mapping[str, Sequence[str]], comparison: Comparison) -> list[str]:
    faults = []
    for name, (noun, options) in _options(comparison).items():
        unknown = [value for value in parameters.get(name, ()) if value and value not in options]
        if unknown:
            faults.append(f"There is no {noun} {unknown[0][:40]!r}{did_you_mean(unknown[0], options)}")
    return faults


def _options(comparison: Comparison) -> dict[str, tuple[str, Sequence[str]]]:
    """By parameter: a noun for its options, and the options."""
    specs = [variant.spec for variant in comparison.variants]
    normalizations = [layer.name for spec in specs for layer in describe_network(spec).normalizations]
    return {
        "layers-view": ("view", list(VIEW_IDS)),
        "layers-seed": ("seed", [str(specs[0].seed + index) for index in range(comparison.seeds)]),
        # Earlier versions wrote a network's name there as its button shows it.
        NETWORKS: ("network", [*comparison.labels, *map(escape_markdown, comparison.labels)]),
        "layers-normalizations": ("normalization layer", normalizations),
        "layers-hidden": ("hidden layer", [name for spec in specs for name in hidden_layer_names(spec)]),
        "layers-xray-steps": ("step to measure at", [str(step) for step in STEPS]),
    }


def _invalid_numbers(parameters: Mapping[str, Sequence[str]]) -> list[str]:
    bounds = {
        EVALUATION: (0, math.inf, "The evaluation must be an epoch of 0 or more"),
        EXTRA_STEP: (1, MAX_STEPS, f"A step to measure at must be from 1 to {MAX_STEPS:,}"),
    }
    return [
        f"{requirement}, but {text[:40]!r} was given."
        for name, (low, high, requirement) in bounds.items()
        for text in parameters.get(name, ())[-1:]
        if text and not low <= parse_number(text) <= high
    ]
