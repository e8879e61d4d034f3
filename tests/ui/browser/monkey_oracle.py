"""What the presses of Train should have trained, by what the page showed then, and how that differs from the launches.

A launch must be of what the page showed at a press, and a press must launch all that it showed. Presses are compared
in bursts, at whose ends all presses have been handled, and not by the time, which would depend on the machine. One
thing is allowed within a burst: a value sent after a press may count for it or not. Streamlit merges a value into a
request that is still pending, so the server cannot tell whether the value was entered before the press or after it.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bnlab.specs.comparison import Comparison
from bnlab.specs.diff import REGISTRIES, format_value
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import SpecError
from bnlab.ui.compare.form import DEPTH, PROPERTIES, changed_fields, field_value, parse_integer
from bnlab.ui.state import state_from_url

TRAIN = ("train", "shortcut")
"""The presses that train all variants: of the button, and of Ctrl + Enter."""
EDIT, LEAVE, CONTINUE_SELECTED = "edit", "leave", "runs-continue"
"""What else is reported: a value that was sent, that the document is left, and a press that continues any runs."""
MAX_UNCONFIRMED = 300_000
"""Training examples, counted in each epoch, that no machine takes half an hour for, so that nothing is confirmed."""
OF_ONE = ("field-", "name-")
"""How the keys of the fields of one variant begin."""

Shown = dict[str, Any]
"""A page as monkey.js reports it: address, fields, state of Train, and presses whose effect is not shown yet."""


@dataclass(frozen=True)
class Press:
    """A press of a button that trains, or one of the other reports, and what the page showed at that moment."""

    button: str
    shown: Shown

    @cached_property
    def specs(self) -> set[RunSpec]:
        """The specs that the press may train."""
        return set(chain.from_iterable(map(_specs, shown_comparisons(self.shown))))

    @property
    def explains_all(self) -> bool:
        """Whether it may train anything: what it continues, or what is coming, is not shown."""
        return self.button == CONTINUE_SELECTED or (self.button not in (EDIT, LEAVE) and bool(self.shown["pending"]))

    @property
    def required(self) -> set[RunSpec]:
        """The specs that it must train: none if it is uncertain what was shown, or if they may have to be confirmed."""
        if self.button not in TRAIN or not self.shown["train"] or self.shown["one"] or self.shown["pending"]:
            return set()
        comparisons = shown_comparisons(self.shown)
        is_certain = len(comparisons) == 1 and not shows_refused(self.shown)
        specs = set(_specs(comparisons[0])) if is_certain else set()
        return specs if sum(spec.examples * spec.epochs for spec in specs) <= MAX_UNCONFIRMED else set()


def unexplained(presses: Sequence[Press], launched: Set[RunSpec]) -> set[RunSpec]:
    """Those of the specs `launched` since the first of `presses` that none of them explains.

    The values sent after a press may have counted for it.
    """
    first = next((index for index, press in enumerate(presses) if press.button not in (EDIT, LEAVE)), len(presses))
    possible = [press for press in presses[first:] if press.button != LEAVE]
    if any(press.explains_all for press in possible):
        return set()
    return set(launched) - set().union(*(press.specs for press in possible))


def missing(presses: Sequence[Press], launched: Set[RunSpec]) -> list[set[RunSpec]]:
    """What each of `presses` should have launched and did not, given all that has ever been launched."""
    found = [_missing(press, presses[index + 1 :], launched) for index, press in enumerate(presses)]
    return [specs for specs in found if specs]


def _missing(press: Press, later: Sequence[Press], launched: Set[RunSpec]) -> set[RunSpec]:
    """None if the document was left, or if what was sent after the press was launched, or is refused."""
    if any(other.button == LEAVE for other in later):
        return set()
    alternatives = [set(_specs(comparison)) for other in later for comparison in shown_comparisons(other.shown)]
    is_refused = any(shows_refused(other.shown) for other in later)
    if is_refused or any(specs <= launched for specs in alternatives):
        return set()
    return press.required - launched


def _specs(comparison: Comparison) -> list[RunSpec]:
    return [spec for specs in comparison.specs().values() for spec in specs]


def shown_comparisons(shown: Shown) -> list[Comparison]:
    """The comparisons that the page may be said to show: none if a value was entered that is refused.

    More than one only if a field and the address differ although nothing was entered in the field. A field that was
    just drawn is empty or 0 until Streamlit sets its value, so what is refused counts only where it was entered.
    """
    as_shown, as_entered = _readings(shown)
    if as_entered is None:
        return []
    return [as_entered] if as_shown is None else list(dict.fromkeys([as_shown, as_entered]))


def shows_refused(shown: Shown) -> bool:
    """Whether a field shows what is refused, entered or not."""
    return None in _readings(shown)


def _readings(shown: Shown) -> list[Comparison | None]:
    """The comparison by all fields, and by those in which something was entered; None where a value is refused."""
    state = state_from_url(parse_qs(urlsplit(shown["address"]).query, keep_blank_values=True))
    edited = {key: field for key, field in shown["fields"].items() if field["edited"]}
    readings: list[Comparison | None] = []
    for fields in (shown["fields"], edited):
        try:
            readings.append(_with_fields(state.comparison, fields, is_one=shown["one"]))
        except SpecError:
            readings.append(None)
    return readings


def _with_fields(comparison: Comparison, fields: Mapping[str, Mapping[str, Any]], *, is_one: bool) -> Comparison:
    """The comparison with the values in the fields.

    Those of one variant count only while they are shown, after those of all that were entered just before. The number
    of layers counts if it was entered, after the units.
    """
    for key, field in sorted(fields.items(), key=lambda item: (item[0].startswith(OF_ONE), item[0].endswith(DEPTH))):
        if key.startswith(OF_ONE):
            kind, index, *name = key.split("-", 2)
            if is_one and int(index) < len(comparison.variants):
                label = comparison.labels[int(index)]
                if kind == "name":
                    comparison = comparison.with_label(label, field["text"])
                else:
                    comparison = _with_field(comparison, [label], name[0], field)
        elif is_one and not field["edited"]:
            continue
        elif key == "seeds":
            # an empty one is sent as 0
            comparison = comparison.with_seeds(parse_integer(float(field["text"] or 0)))
        else:
            comparison = _with_field(comparison, comparison.labels, key.removeprefix("all-"), field)
    return comparison


def _with_field(comparison: Comparison, labels: Sequence[str], name: str, field: Mapping[str, Any]) -> Comparison:
    """The comparison with the value in one field, of the variants `labels`."""
    text = field["text"]
    if name == DEPTH:
        if field["edited"] and (text or not field["mixed"]):  # an emptied one of several depths says nothing
            depth = float(text) if text else None
            for label in labels:
                comparison = comparison.with_changes(changed_fields(DEPTH, depth, comparison[label].spec), label)
    elif text != "" or not field["mixed"]:
        for label in labels:
            comparison = comparison.with_changes({name: _value(name, text)}, label)
    return comparison


def _value(name: str, text: Any) -> Any:
    """The value of a control of the field `name` that shows `text`."""
    if name in REGISTRIES:
        return next((value for value in REGISTRIES[name] if format_value(name, value) == text), text)
    if isinstance(text, bool):
        return text
    if PROPERTIES[name].get("type") == "boolean":
        return text == "on"
    options = PROPERTIES[name].get("anyOf", [PROPERTIES[name]])
    if any(option.get("type") == "integer" for option in options):
        return field_value(name, float(text) if text else None)
    return field_value(name, text)
