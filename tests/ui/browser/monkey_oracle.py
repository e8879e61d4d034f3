"""What the presses of Train should have trained, by what the page showed then, and how that differs from the launches.

A launch must be of what the page showed at a press before it, and a press must launch all that it showed. One thing is
allowed: a value sent within `MERGED_SECONDS` after a press may count for it or not. Streamlit merges a value into a
request that is still pending, so the server cannot tell whether the value was entered before the press or after it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bnlab.specs.comparison import Comparison
from bnlab.specs.diff import REGISTRIES, format_value
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import SpecError, revise_spec
from bnlab.ui.compare.form import PROPERTIES, field_value, parse_integer
from bnlab.ui.state import PageState, state_from_url

TRAIN = ("train", "shortcut")
"""The presses that train all variants: of the button, and of Ctrl + Enter."""
EDIT = "edit"
IN_DIALOG = ("field-", "name-")
"""How the keys of the dialog's fields begin."""
MERGED_SECONDS = 2.0
"""Within which a press is handled on a busy machine."""
HANDLED_SECONDS = 10.0
"""How long after a press its runs may be launched."""

Shown = dict[str, Any]
"""A page as monkey.js reports it: address, fields, state of Train, and presses whose effect is not shown yet."""
Launches = Mapping[tuple[str, float], RunSpec]
"""By digest and time of each launch."""


@dataclass(frozen=True)
class Press:
    """A press of a button that trains, or an "edit", values that were sent, and what the page showed at that moment.

    `number` counts the actions until then; `time` is in seconds since the epoch, as the times of runs; `is_left` says
    that the document may have been left before the press was sent.
    """

    button: str
    shown: Shown
    number: int
    time: float
    is_left: bool = False

    @cached_property
    def specs(self) -> set[RunSpec]:
        """The specs that the press may train."""
        return set(chain.from_iterable(map(_specs, shown_comparisons(self.shown))))

    @property
    def required(self) -> set[RunSpec]:
        """The specs that it must have trained: none if it is uncertain that the press arrived, or what was shown."""
        is_uncertain = self.is_left or self.shown["dialog"] or self.shown["pending"]
        if self.button not in TRAIN or self.shown["train"] != "enabled" or is_uncertain:
            return set()
        comparisons = shown_comparisons(self.shown)
        return set(_specs(comparisons[0])) if len(comparisons) == 1 else set()


def faults(presses: Sequence[Press], launches: Launches) -> list[str]:
    """A sentence for each launch that no press explains, and for each press that did not train what was shown."""
    unexplained: dict[float, list[RunSpec]] = {}
    for (_, seconds), spec in launches.items():
        if not _is_explained(spec, seconds, presses):
            unexplained.setdefault(round(seconds, 1), []).append(spec)
    missing = {
        press.time: _missing(press, presses, _launched_until(press.time + HANDLED_SECONDS, launches))
        for press in presses
    }
    return [
        *_sentences("trained, but not shown when a button was pressed", unexplained),
        *_sentences("shown when Train was pressed, but not trained", missing),
    ]


def _sentences(fault: str, specs_by_time: Mapping[float, Collection[RunSpec]]) -> list[str]:
    return [
        f"at {seconds:.2f}: {fault}: {next(iter(specs)).model_dump(mode='json', exclude_defaults=True)}"
        + (f" and {len(specs) - 1} more" if len(specs) > 1 else "")
        for seconds, specs in specs_by_time.items()
        if specs
    ]


def _missing(press: Press, presses: Sequence[Press], launched: set[RunSpec]) -> set[RunSpec]:
    """What the press should have launched: nothing if what was sent soon after it was launched, or is refused."""
    later = [p for p in presses if p.time > press.time and _is_soon_after(p, press)]  # these send values, too
    alternatives = [[set(_specs(comparison)) for comparison in shown_comparisons(p.shown)] for p in later]
    if any(not specs or any(s <= launched for s in specs) for specs in alternatives):
        return set()
    return press.required - launched


def _launched_until(seconds: float, launches: Launches) -> set[RunSpec]:
    return {spec for (_, queued_at), spec in launches.items() if queued_at <= seconds}


def _is_explained(spec: RunSpec, seconds: float, presses: Sequence[Press]) -> bool:
    """Whether `spec`, launched at `seconds`, is what a press showed, or was sent soon after one."""
    recent = [press for press in presses if 0 <= seconds - press.time <= HANDLED_SECONDS]
    return any(
        press.button == "runs-continue" or spec in press.specs
        for press in recent
        if press.button != EDIT or any(p.button != EDIT and _is_soon_after(press, p) for p in recent)
    )


def _is_soon_after(later: Press, press: Press) -> bool:
    return 0 <= later.time - press.time < MERGED_SECONDS


def _specs(comparison: Comparison) -> list[RunSpec]:
    return [spec for specs in comparison.specs().values() for spec in specs]


def shown_comparisons(shown: Shown) -> list[Comparison]:
    """The comparisons that the page may be said to show: none if it shows a value that is refused.

    More than one only if a button was pressed whose effect is not shown yet, or if a field and the address differ
    although nothing was entered in the field.
    """
    state = state_from_url(parse_qs(urlsplit(shown["address"]).query, keep_blank_values=True))
    found: dict[Comparison, None] = {}
    for comparison in _with_pending(state, shown["pending"]):
        edited = {key: field for key, field in shown["fields"].items() if field["edited"]}
        try:
            candidates = [
                _with_fields(comparison, fields, is_dialog=shown["dialog"]) for fields in (shown["fields"], edited)
            ]
        except SpecError:
            continue
        found |= dict.fromkeys(candidates)
    return list(found)


def _with_pending(state: PageState, keys: Sequence[str]) -> Iterator[Comparison]:
    """The comparison as it is, and after each of the buttons that were pressed."""
    comparison = state.comparison
    yield comparison
    for key in keys:
        kind, _, rest = key.partition("-")
        if kind == "show":
            comparison = PRESETS[rest].comparison
        elif kind == "add":
            preset, _, index = rest.rpartition("-")
            variant = PRESETS[preset].variants[int(index)]
            common = {f: {getattr(v.spec, f) for v in comparison.variants} for f in ("epochs", "train_examples")}
            changes = {field: values.pop() for field, values in common.items() if len(values) == 1}
            try:
                comparison = comparison.with_variant(replace(variant, spec=revise_spec(variant.spec, changes)))
            except SpecError:
                continue
        yield comparison


def _with_fields(comparison: Comparison, fields: Mapping[str, Mapping[str, Any]], *, is_dialog: bool) -> Comparison:
    """The comparison with the values in the fields.

    The dialog's count only while it is open, after those that were entered in the toolbar as it opened.
    """
    for key, field in sorted(fields.items(), key=lambda item: item[0].startswith(IN_DIALOG)):
        text = field["text"]
        if key.startswith(IN_DIALOG):
            _, index, *name = key.split("-", 2)
            if is_dialog and int(index) < len(comparison.variants):
                label = comparison.labels[int(index)]
                if name:
                    changes = {name[0]: _value(name[0], text)}
                    comparison = comparison.with_changes(changes, label)
                else:
                    comparison = comparison.with_label(label, text)
        elif is_dialog and not field["edited"]:
            continue
        elif key.startswith("all-") and (text or not field["mixed"]):
            name_ = key.removeprefix("all-")
            comparison = comparison.with_changes({name_: _value(name_, text)})
        elif key == "seeds":
            comparison = comparison.with_seeds(parse_integer(float(text or 0)))  # an empty one is sent as 0
    return comparison


def _value(name: str, text: Any) -> Any:
    """The value of a control of the field `name` that shows `text`."""
    if name in REGISTRIES:
        return next((value for value in REGISTRIES[name] if format_value(name, value) == text), text)
    if isinstance(text, bool):
        return text
    options = PROPERTIES[name].get("anyOf", [PROPERTIES[name]])
    if any(option.get("type") == "integer" for option in options):
        return field_value(name, float(text) if text else None)
    return field_value(name, text)
