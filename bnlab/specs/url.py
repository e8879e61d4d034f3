"""A comparison in an address: the parameters of a URL that mean it, and back.

`preset=notebook&epochs=3` is a preset with fields changed in every variant. Where the variants are somebody's own, each
is a parameter of its own, `v=LABEL~FIELD~VALUE~FIELD~VALUE…`, over the fields that all of them share. Only signs that
need no escaping are used, so that an address can be read.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bnlab.specs.comparison import MAX_VARIANTS, Comparison, Variant
from bnlab.specs.normalizers import FORMER_FIELDS
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import SpecError, did_you_mean, parse_spec, parse_value

Parameters = dict[str, list[str]]
DEFAULT_PRESET = next(iter(PRESETS))
DEFAULTS = RunSpec().model_dump(mode="json")
FIELDS = (*DEFAULTS, *FORMER_FIELDS)
COMPARISON_PARAMETERS = ("preset", "seeds", "v", *FIELDS)


def comparison_from_url(parameters: Mapping[str, Sequence[str]]) -> tuple[Comparison, list[str]]:
    """The comparison that an address means, and one sentence for everything in it that cannot be.

    Where something cannot be, the preset is taken as it is.
    """
    faults: list[str] = []
    name = _last(parameters, "preset", DEFAULT_PRESET)
    if name not in PRESETS:
        faults.append(f"There is no preset {name[:40]!r}; the presets are {', '.join(PRESETS)}.")
        name = DEFAULT_PRESET
    preset = PRESETS[name].comparison
    try:
        return _read(parameters, preset), faults
    except SpecError as error:
        return preset, [*faults, f"{error} {PRESETS[name].title} is shown instead."]


def comparison_to_url(comparison: Comparison) -> Parameters:
    """The shortest parameters that `read_comparison` makes this comparison of."""
    parameters: Parameters = {"seeds": [str(comparison.seeds)]} if comparison.seeds != 1 else {}
    for name, preset in PRESETS.items():
        changes = _shared_changes(comparison, preset.comparison)
        if changes is not None:
            named = {"preset": [name]} if name != DEFAULT_PRESET else {}
            return named | {field: [_text(value)] for field, value in changes.items()} | parameters
    own = [_changed(variant.spec) for variant in comparison.variants]
    shared = {field: value for field, value in own[0].items() if all(o.get(field) == value for o in own)}
    variants = [
        "~".join([v.label, "colour", str(v.colour), *_pairs(fields, shared)])
        for v, fields in zip(comparison.variants, own, strict=True)
    ]
    return {"v": variants} | {field: [_text(value)] for field, value in shared.items()} | parameters


def _read(parameters: Mapping[str, Sequence[str]], preset: Comparison) -> Comparison:
    shared = {field: _field_value(field, _last(parameters, field, "")) for field in FIELDS if field in parameters}
    comparison = Comparison(_variants(parameters["v"], shared)) if "v" in parameters else preset.with_changes(shared)
    seeds = parse_value(_last(parameters, "seeds", "1"))
    if not isinstance(seeds, int) or isinstance(seeds, bool):
        raise SpecError(f"Seeds must be a whole number, but {_last(parameters, 'seeds', '')[:40]!r} was given.")
    return comparison.with_seeds(seeds)


def _variants(texts: Sequence[str], shared: dict[str, Any]) -> tuple[Variant, ...]:
    """Who names no colour gets one that nobody names."""
    given = [_split(text) for text in texts]
    named = {_colour(own["colour"]) for _, own in given if "colour" in own}
    free = (colour for colour in range(MAX_VARIANTS) if colour not in named)
    return tuple(
        _variant(label, own, _colour(own.pop("colour")) if "colour" in own else next(free, 0), shared)
        for label, own in given
    )


def _split(text: str) -> tuple[str, dict[str, str]]:
    label, *pairs = text.split("~")
    if len(pairs) % 2 or not all(pairs[::2]):
        raise SpecError(
            "A variant in the address is its name and then pairs of a field and its value, as in v=Mine~epochs~3, "
            f"but {text[:60]!r} was given."
        )
    return label, dict(zip(pairs[::2], pairs[1::2], strict=True))


def _colour(text: str) -> int:
    colour = parse_value(text)
    if not isinstance(colour, int) or isinstance(colour, bool):
        raise SpecError(f"A variant's colour is a number, but {text[:40]!r} was given.")
    return colour


def _variant(label: str, given: dict[str, str], colour: int, shared: dict[str, Any]) -> Variant:
    fields = {field: _field_value(field, value) for field, value in given.items() if field in FIELDS}
    unknown = [field for field in given if field not in FIELDS][:1]
    faults = [
        f"In {label[:40]!r}, {field[:40]} is not a field of a run{did_you_mean(field, DEFAULTS)}" for field in unknown
    ]
    try:
        variant = Variant(label, parse_spec(shared | fields), colour)
    except SpecError as error:
        raise SpecError(" ".join([*faults, str(error)])) from error
    if faults:
        raise SpecError(faults[0])
    return variant


def _last(parameters: Mapping[str, Sequence[str]], name: str, default: str) -> str:
    given = parameters.get(name)
    return given[-1] if given else default


def _shared_changes(comparison: Comparison, preset: Comparison) -> dict[str, Any] | None:
    """The fields to change in every variant of `preset` to get `comparison`; None if that is not what it is."""
    if [(v.label, v.colour) for v in comparison.variants] != [(v.label, v.colour) for v in preset.variants]:
        return None
    ours = [v.spec.model_dump(mode="json") for v in comparison.variants]
    theirs = [v.spec.model_dump(mode="json") for v in preset.variants]
    differing = [f for f in DEFAULTS if any(o[f] != t[f] for o, t in zip(ours, theirs, strict=True))]
    if any(o[field] != ours[0][field] for field in differing for o in ours):
        return None
    return {field: ours[0][field] for field in differing}


def _changed(spec: RunSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", exclude_defaults=True)


def _pairs(fields: dict[str, Any], shared: dict[str, Any]) -> Iterable[str]:
    for field, value in fields.items():
        if field not in shared:
            yield from (field, _text(value))


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "-".join(str(entry) for entry in value)
    return (
        {True: "true", False: "false", None: "all"}[value]
        if value is None or value is True or value is False
        else str(value)
    )


def _field_value(field: str, text: str) -> Any:
    if field == "hidden_units":
        return [parse_value(entry) for entry in text.replace(",", "-").split("-")]
    return None if field == "train_examples" and text == "all" else parse_value(text)
