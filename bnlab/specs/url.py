"""Comparisons as query parameters of a URL.

A URL without any of these parameters is the default: the first preset with its recorded seeds.
`preset=bias` is a preset with its own seeds: those recorded if it has a question, otherwise one.
`preset=bias&epochs=3` has fields changed in every variant, and one seed unless `seeds` names another number. Other
comparisons have one parameter per variant, `v=LABEL~FIELD~VALUE~FIELD~VALUE…`, and one for each field
that all variants share. No character in them needs escaping, so URLs stay readable.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bnlab.specs.comparison import MAX_VARIANTS, Comparison, Variant
from bnlab.specs.field_text import format_field, parse_field
from bnlab.specs.naming import with_current_labels
from bnlab.specs.normalizers import FORMER_FIELDS
from bnlab.specs.presets import PRESETS, Preset
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import SpecError, did_you_mean, parse_spec, parse_value

Parameters = dict[str, list[str]]

UNNAMED_PRESET = "notebook"
"""The preset of a URL with changed fields or seeds and no preset: links of version 0.1 leave its name out."""

_DEFAULTS = RunSpec().model_dump(mode="json")
_FIELDS = (*_DEFAULTS, *FORMER_FIELDS)

COMPARISON_PARAMETERS = ("preset", "seeds", "v", *_FIELDS)


def default_comparison() -> Comparison:
    """The comparison of a URL without parameters."""
    return next(iter(PRESETS.values())).recorded_comparison


def preset_of(comparison: Comparison) -> str | None:
    """The name of the preset whose variants these are; None if they are changed in any way."""
    return next((name for name, preset in PRESETS.items() if preset.variants == comparison.variants), None)


def comparison_from_url(parameters: Mapping[str, Sequence[str]]) -> tuple[Comparison, list[str]]:
    """Read the comparison from the query parameters of a URL.

    Returns:
        The comparison, and one sentence for the user per error; if there is one, the comparison is the preset.
    """
    if not any(parameters.get(name) for name in COMPARISON_PARAMETERS):
        return default_comparison(), []
    errors: list[str] = []
    name = _last_value(parameters, "preset", UNNAMED_PRESET)
    if name not in PRESETS:
        errors.append(f"There is no preset {name[:40]!r}; the presets are {', '.join(PRESETS)}.")
        name = UNNAMED_PRESET
    preset = PRESETS[name]
    try:
        return _read_comparison(parameters, preset), errors
    except SpecError as error:
        return preset.linked_comparison, [*errors, f"{error} {preset.title} is shown instead."]


def comparison_to_url(comparison: Comparison) -> Parameters:
    """The shortest query parameters from which `comparison_from_url` reads this comparison."""
    if comparison == default_comparison():
        return {}
    for name, preset in PRESETS.items():
        changes = _shared_changes(comparison, preset.comparison)
        if changes is not None:
            seeds = _format_seeds(comparison, 1 if changes else preset.linked_comparison.seeds)
            return {"preset": [name]} | _format_fields(changes) | seeds
    changes_by_variant = [
        variant.spec.model_dump(mode="json", exclude_defaults=True) for variant in comparison.variants
    ]
    shared = {
        field: value
        for field, value in changes_by_variant[0].items()
        if all(changes.get(field) == value for changes in changes_by_variant)
    }
    variants = [
        _format_variant(variant, {field: value for field, value in changes.items() if field not in shared})
        for variant, changes in zip(comparison.variants, changes_by_variant, strict=True)
    ]
    return {"v": variants} | _format_fields(shared) | _format_seeds(comparison, 1)


def _read_comparison(parameters: Mapping[str, Sequence[str]], preset: Preset) -> Comparison:
    shared = {field: parse_field(field, _last_value(parameters, field, "")) for field in _FIELDS if field in parameters}
    if "v" in parameters:
        comparison = Comparison(_read_variants(parameters["v"], shared))
    elif shared:
        comparison = with_current_labels(preset.comparison, preset.comparison.with_changes(shared))
    else:
        comparison = preset.linked_comparison
    if not parameters.get("seeds"):
        return comparison
    seeds = parse_value(parameters["seeds"][-1])
    if not isinstance(seeds, int) or isinstance(seeds, bool):
        raise SpecError(f"Seeds must be a whole number, but {parameters['seeds'][-1][:40]!r} was given.")
    return comparison.with_seeds(seeds)


def _read_variants(texts: Sequence[str], shared: dict[str, Any]) -> tuple[Variant, ...]:
    """Read the parameters `v`; a variant without a colour gets the first one that no other variant names."""
    labelled_fields = [_split_variant(text) for text in texts]
    named_colours = {_parse_colour(fields["colour"]) for _, fields in labelled_fields if "colour" in fields}
    free_colours = (colour for colour in range(MAX_VARIANTS) if colour not in named_colours)
    variants = []
    for label, fields in labelled_fields:
        colour = _parse_colour(fields.pop("colour")) if "colour" in fields else next(free_colours, 0)
        variants.append(_parse_variant(label, fields, colour, shared))
    return tuple(variants)


def _split_variant(text: str) -> tuple[str, dict[str, str]]:
    label, *pairs = text.split("~")
    if len(pairs) % 2 or not all(pairs[::2]):
        raise SpecError(
            "A variant in the address is its name and then pairs of a field and its value, as in v=Mine~epochs~3, "
            f"but {text[:60]!r} was given."
        )
    return label, dict(zip(pairs[::2], pairs[1::2], strict=True))


def _parse_colour(text: str) -> int:
    colour = parse_value(text)
    if not isinstance(colour, int) or isinstance(colour, bool):
        raise SpecError(f"A variant's color is a number, but {text[:40]!r} was given.")
    return colour


def _parse_variant(label: str, texts: dict[str, str], colour: int, shared: dict[str, Any]) -> Variant:
    """A variant from its fields' texts. Reports an unknown field and the errors of the others together."""
    fields = {field: parse_field(field, text) for field, text in texts.items() if field in _FIELDS}
    unknown = next((field for field in texts if field not in _FIELDS), None)
    errors = []
    if unknown is not None:
        quoted = unknown[:40] if unknown.isprintable() else repr(unknown[:40])
        errors.append(f"In {label[:40]!r}, {quoted} is not a field of a run{did_you_mean(unknown, _DEFAULTS)}")
    try:
        variant = Variant(label, parse_spec(shared | fields), colour)
    except SpecError as error:
        raise SpecError(" ".join([*errors, str(error)])) from error
    if errors:
        raise SpecError(errors[0])
    return variant


def _last_value(parameters: Mapping[str, Sequence[str]], name: str, default: str) -> str:
    values = parameters.get(name)
    return values[-1] if values else default


def _shared_changes(comparison: Comparison, preset: Comparison) -> dict[str, Any] | None:
    """The fields to change in every variant of `preset` to get `comparison`; None if it is no such comparison."""
    if [v.colour for v in comparison.variants] != [v.colour for v in preset.variants]:
        return None
    specs = [v.spec.model_dump(mode="json") for v in comparison.variants]
    preset_specs = [v.spec.model_dump(mode="json") for v in preset.variants]
    changed = [f for f in _DEFAULTS if any(s[f] != p[f] for s, p in zip(specs, preset_specs, strict=True))]
    if any(spec[field] != specs[0][field] for field in changed for spec in specs):
        return None
    changes = {field: specs[0][field] for field in changed}
    named = with_current_labels(preset, preset.with_changes(changes))
    return changes if named.labels == comparison.labels else None


def _format_variant(variant: Variant, fields: dict[str, Any]) -> str:
    pairs = (text for field, value in fields.items() for text in (field, format_field(value)))
    return "~".join([variant.label, "colour", str(variant.colour), *pairs])


def _format_seeds(comparison: Comparison, default: int) -> Parameters:
    return {} if comparison.seeds == default else {"seeds": [str(comparison.seeds)]}


def _format_fields(fields: dict[str, Any]) -> Parameters:
    return {field: [format_field(value)] for field, value in fields.items()}
