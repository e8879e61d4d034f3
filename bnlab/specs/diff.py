"""The differences between labelled specs, with values formatted for users."""

import itertools
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from bnlab.specs import choices
from bnlab.specs.datasets import DATASETS
from bnlab.specs.network import describe_network
from bnlab.specs.normalizers import NORMALIZER_FIELDS, NORMALIZERS
from bnlab.specs.run_spec import RunSpec

NO_VALUE = "–"
"""Shown for a field that has no effect in a spec."""

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
    "evaluate_with": choices.EVALUATION_METHODS,
}
"""The registry that each field chooses from, by the field's name."""

EVALUATION_FIELDS = frozenset({"evaluate_with"})
"""The fields that decide how a run is evaluated and change nothing of its training."""

_SMALLEST_WITHOUT_EXPONENT = 1e-7


def format_value(field_name: str, value: Any) -> str:
    """Format a field's value for users: "Leaky ReLU", "yes", "300 · 100", "20 × 100", "0.00001", "all"."""
    if field_name in REGISTRIES:
        return REGISTRIES[field_name][value].title
    if value is None:
        return "all"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _format_float(value)
    return f"{value:,}" if isinstance(value, int) else _format_widths(value)


def differing_fields(specs: Mapping[str, RunSpec]) -> dict[str, dict[str, str]]:
    """The fields in which the specs differ: `{title: {label: formatted value}}`, in RunSpec's order.

    A field that has no effect in a spec, such as BN's momentum without BN, has `NO_VALUE` there. It is compared as its
    default, so it is a difference only if another spec sets it to another value.
    """
    unused = {label: unused_fields(spec) for label, spec in specs.items()}
    differing = {}
    for name, field in RunSpec.model_fields.items():
        values = [field.default if name in unused[label] else getattr(spec, name) for label, spec in specs.items()]
        if len(set(values)) > 1:
            differing[str(field.title)] = {
                label: NO_VALUE if name in unused[label] else format_value(name, getattr(spec, name))
                for label, spec in specs.items()
            }
    return differing


def differing_values(specs: Mapping[str, RunSpec]) -> dict[str, list[str]]:
    """For each label, in what its spec differs from any of the others: "After the activation", "Use bias: no".

    A choice is named by its title alone unless that is "None"; a field without effect is left out.
    """
    choice_titles = {choice.title for registry in REGISTRIES.values() for choice in registry.values()} - {"None"}
    differing = differing_fields(specs)
    return {
        label: [
            values[label] if values[label] in choice_titles else f"{title}: {values[label]}"
            for title, values in differing.items()
            if values[label] != NO_VALUE
        ]
        for label in specs
    }


def confounded_settings(specs: Mapping[str, RunSpec]) -> list[str]:
    """The titles of the fields in which the trainings differ, if their effects cannot be told apart; otherwise none.

    They can be if changes of one field at a time lead from each spec to every other, over specs that are there too.
    """
    labels = list(specs)
    reached, unvisited = set(labels[:1]), labels[:1]
    while unvisited:
        label = unvisited.pop()
        new = {o for o in labels if o not in reached and len(differing_settings(specs, label, o)) <= 1}
        reached |= new
        unvisited += new
    return [] if len(reached) == len(labels) else differing_training(specs)


def differing_settings(specs: Mapping[str, RunSpec], first: str, second: str) -> list[str]:
    """The titles of the fields in which the trainings of two labels differ."""
    return differing_training({label: specs[label] for label in (first, second)})


def differing_training(specs: Mapping[str, RunSpec]) -> list[str]:
    """The titles of `differing_fields` without `EVALUATION_FIELDS`: what can explain other results."""
    ignored = {RunSpec.model_fields[name].title for name in EVALUATION_FIELDS}
    return [title for title in differing_fields(specs) if title not in ignored]


def unused_fields(spec: RunSpec) -> frozenset[str]:
    """The fields that have no effect on the training of `spec`."""
    return _unused_fields(spec.placement, spec.input_normalization, spec.normalizer, spec.kernel_initializer)


@cache  # thousands of runs are listed, and have few combinations of these
def _unused_fields(placement: str, input_normalization: bool, normalizer: str, initializer: str) -> frozenset[str]:
    spec = RunSpec(placement=placement, input_normalization=input_normalization, normalizer=normalizer)
    unused = {"normalizer", *NORMALIZER_FIELDS}
    if describe_network(spec).normalizations:
        unused -= {"normalizer", *NORMALIZERS[normalizer].fields.values()}
    if placement == "none":
        unused.add("noise")
    if not choices.INITIALIZERS[initializer].takes_stddev:
        unused.add("initializer_stddev")
    return frozenset(unused)


def _format_float(value: float) -> str:
    """All digits of the value, without an exponent unless it is tiny."""
    text = repr(value) if 0 < value < _SMALLEST_WITHOUT_EXPONENT else f"{Decimal(repr(value)):f}"
    return text.removesuffix(".0")


def _format_widths(units: Sequence[int]) -> str:
    """The layers' widths; three or more equal widths in a row are written as "3 × 100"."""
    groups = [(width, len(list(group))) for width, group in itertools.groupby(units)]
    return " · ".join(
        f"{count} × {width}" if count > 2 else " · ".join([str(width)] * count) for width, count in groups
    )
