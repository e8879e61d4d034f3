"""What labelled specs differ in, in people's words."""

import itertools
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bnlab.specs import choices
from bnlab.specs.datasets import DATASETS
from bnlab.specs.network import describe_network
from bnlab.specs.normalizers import NORMALIZER_FIELDS, NORMALIZERS
from bnlab.specs.run_spec import RunSpec

NO_VALUE = "–"
"""Stands for the value of a field that has no effect in a spec."""

REGISTRIES: dict[str, Mapping[str, choices.Choice]] = {
    "normalizer": NORMALIZERS,
    "placement": choices.PLACEMENTS,
    "architecture": choices.ARCHITECTURES,
    "kernel_initializer": choices.INITIALIZERS,
    "activation": choices.ACTIVATIONS,
    "optimizer": choices.OPTIMIZERS,
    "dataset": DATASETS,
    "rescale": choices.RESCALINGS,
    "validation": choices.VALIDATIONS,
}
"""The registry that each field chooses from."""

_HIDDEN_NORMALIZATION = frozenset({"noise"})
_SHORTEST_DECIMAL = 1e-7


def format_value(field_name: str, value: Any) -> str:
    """One field's value as a person reads it: "Leaky ReLU", "yes", "300 · 100", "20 × 100", "0.00001", "all"."""
    if field_name in REGISTRIES:
        return REGISTRIES[field_name][value].title
    if value is None:
        return "all"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _decimal(value)
    return f"{value:,}" if isinstance(value, int) else _widths(value)


def differing_fields(specs: Mapping[str, RunSpec]) -> dict[str, dict[str, str]]:
    """Each field in which the labelled specs differ, by its title and in RunSpec's order: {label: shown value}.

    A field that has no effect in a spec, such as BN's momentum where there is no BN, is shown there as "–" and
    makes a difference only where another spec sets it to something else than the default.
    """
    idle = {label: _idle_fields(spec) for label, spec in specs.items()}
    differing = {}
    for name, field in RunSpec.model_fields.items():
        values = [field.default if name in idle[label] else getattr(spec, name) for label, spec in specs.items()]
        if len(set(values)) > 1:
            differing[str(field.title)] = {
                label: NO_VALUE if name in idle[label] else format_value(name, getattr(spec, name))
                for label, spec in specs.items()
            }
    return differing


def _idle_fields(spec: RunSpec) -> frozenset[str]:
    """The fields that change nothing in the training of `spec`."""
    taken = {"normalizer", *NORMALIZERS[spec.normalizer].fields.values()}
    unused = (NORMALIZER_FIELDS | {"normalizer"}) - (taken if describe_network(spec).normalizations else set())
    unused |= frozenset() if spec.placement != "none" else _HIDDEN_NORMALIZATION
    takes_stddev = choices.INITIALIZERS[spec.kernel_initializer].takes_stddev
    return unused if takes_stddev else unused | {"initializer_stddev"}


def _decimal(value: float) -> str:
    """All of the value's digits, without an exponent unless it is tiny."""
    text = repr(value) if 0 < value < _SHORTEST_DECIMAL else f"{Decimal(repr(value)):f}"
    return text.removesuffix(".0")


def _widths(units: Sequence[int]) -> str:
    """The layers' widths; from three equal ones in a row on, how many there are."""
    runs = [(width, len(list(run))) for width, run in itertools.groupby(units)]
    return " · ".join(f"{n} × {width}" if n > 2 else " · ".join([str(width)] * n) for width, n in runs)
