"""Names of variants from what differs between them, which follow every change until somebody types a name."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from bnlab.specs.choices import ACTIVATIONS, PLACEMENTS
from bnlab.specs.comparison import MAX_LABEL_LENGTH, Comparison, Variant, is_label_character
from bnlab.specs.diff import NO_VALUE, REGISTRIES, differing_fields, differing_values, format_value
from bnlab.specs.normalizers import NORMALIZERS
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec

_TITLES = {name: str(field.title) for name, field in RunSpec.model_fields.items()}
_NUMBER = re.compile(r" \((copy( [0-9])?|[0-9])\)$")
_PRESET_LABELS = {variant.label for preset in PRESETS.values() for variant in preset.variants}


def generated_labels(specs: Sequence[RunSpec]) -> list[str]:
    """A name for each spec, of what differs: "BN before ReLU, learning rate 0.1"; equal specs have equal names."""
    differing = differing_fields({str(index): spec for index, spec in enumerate(specs)})
    return [
        _label(spec, {title: values[str(index)] for title, values in differing.items()})
        for index, spec in enumerate(specs)
    ]


def with_current_labels(before: Comparison, after: Comparison) -> Comparison:
    """`after`, which has the variants of `before` with changed fields, with names that are still true.

    A name that was generated is generated again. A preset's name is kept while its variant differs from the others in
    the same. Names that somebody typed stay.
    """
    old_labels, new_labels = generated_labels([variant.spec for variant in before.variants]), _labels(after)
    old_values, new_values = (list(differing_values(_by_index(c)).values()) for c in (before, after))
    is_outdated = [
        old.spec != new.spec
        and (
            _base(old.label) == old_labels[i] or (_base(old.label) in _PRESET_LABELS and old_values[i] != new_values[i])
        )
        for i, (old, new) in enumerate(zip(before.variants, after.variants, strict=True))
    ]
    taken = {variant.label for variant, outdated in zip(after.variants, is_outdated, strict=True) if not outdated}
    variants: list[Variant] = []
    for variant, outdated, label in zip(after.variants, is_outdated, new_labels, strict=True):
        name = _free(label, taken) if outdated else variant.label
        taken.add(name)
        variants.append(replace(variant, label=name))
    return replace(after, variants=tuple(variants))


def _labels(comparison: Comparison) -> list[str]:
    """The names that the variants have if none was typed: those of the preset with these specs, or generated."""
    specs = [variant.spec for variant in comparison.variants]
    for preset in PRESETS.values():
        if specs == [variant.spec for variant in preset.variants]:
            return [variant.label for variant in preset.variants]
    return generated_labels(specs)


def _by_index(comparison: Comparison) -> dict[str, RunSpec]:
    return {str(index): variant.spec for index, variant in enumerate(comparison.variants)}


def _label(spec: RunSpec, values: dict[str, str]) -> str:
    """The name of a spec, which has these formatted `values` of the fields that differ, by their titles."""
    normalization = _normalization(spec)
    parts = []
    if values.keys() & {_TITLES["placement"], _TITLES["normalizer"]}:
        parts.append(normalization)
    said = {_TITLES["placement"], _TITLES["normalizer"]}
    if parts and ACTIVATIONS[spec.activation].title in normalization:
        said.add(_TITLES["activation"])
    parts += [_part(title, value) for title, value in values.items() if title not in said and value != NO_VALUE]
    parts = list(filter(None, parts))
    return _shorten(parts or [normalization])


def _normalization(spec: RunSpec) -> str:
    """For example "No BN" or "BN before ReLU"."""
    short, activation = NORMALIZERS[spec.normalizer].short, ACTIVATIONS[spec.activation]
    if spec.placement == "none":
        return "No BN"
    placement = PLACEMENTS[spec.placement].title.lower()
    return f"{short} {placement.replace('the activation', activation.title) if activation.layer else placement}"


def _part(title: str, value: str) -> str:
    """For example "Tanh", "learning rate 0.1" or "use bias: no"; nothing for a switch that stands as by default."""
    name = next(name for name, known in _TITLES.items() if known == title)
    if name in REGISTRIES and value != "None":
        return value
    title = title if title[:2].isupper() else title[0].lower() + title[1:]
    default = RunSpec.model_fields[name].default
    if not isinstance(default, bool):
        return f"{title} {value}"
    if value == format_value(name, default):
        return ""
    return f"{title}: {value}" if default else title


def _shorten(parts: Sequence[str]) -> str:
    """The parts that fit into a name, and how many do not."""
    parts = ["".join(filter(is_label_character, part)) for part in parts]  # a dataset is named by its file
    for shown in range(len(parts), 0, -1):
        others = f" +{len(parts) - shown}" if shown < len(parts) else ""
        text = ", ".join(parts[:shown]) + others
        if len(text) <= MAX_LABEL_LENGTH - len(" (9)"):
            return text
    return parts[0][: MAX_LABEL_LENGTH - len(" (9)")].strip() or "Network"


def _base(label: str) -> str:
    """The label without the number of a copy."""
    return _NUMBER.sub("", label)


def _free(label: str, taken: Collection[str]) -> str:
    """The label, or "label (2)", "label (3)" … where that is taken."""
    return next(text for text in (label, *(f"{label} ({number})" for number in range(2, 10))) if text not in taken)
