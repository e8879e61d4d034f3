"""What one visitor has before them: the comparison, how it is looked at, and the lesson; all of it in the address.

Read from the address when a session begins, and written back whenever it has changed, so that copying the address
copies the page.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from pydantic import ValidationError

from bnlab.charts.view import View
from bnlab.spec.address import OWN_PARAMETERS, read_comparison, write_comparison
from bnlab.spec.comparison import Comparison
from bnlab.spec.parse import SpecError, explain, meant, nearest, parse_value
from bnlab.spec.run_spec import RunSpec
from bnlab.ui.layer_moments import MOMENT
from bnlab.ui.layers_address import layers_faults
from bnlab.ui.lesson import Lesson, read_lesson, write_lesson
from bnlab.ui.xray import OWN_STEP

Parameters = Mapping[str, Sequence[str]]
KEY = "desk"
ADDRESS = (*OWN_PARAMETERS, *View.model_fields, "lock", "hide")
WIDGETS = (
    "layers-view",
    "layers-seed",
    MOMENT,
    "layers-networks",
    "layers-normalizations",
    "layers-hidden",
    "layers-xray-steps",
    OWN_STEP,
)
"""What the Layers page's widgets keep in the address by themselves."""
TITLES = {
    str(field.title).lower().replace(" ", "_"): name
    for model in (View, RunSpec)
    for name, field in model.model_fields.items()
}
"""Each parameter by what its control is called, which is what a reader of the page may write."""
STREAMLITS = ("embed", "embed_options")
OPENS = "opens"
"""In a link's address: how many desks this session has opened by links, with this one. So each is opened once."""


@dataclasses.dataclass
class Desk:
    """One visitor's comparison, view and lesson, and what could not be read from their address."""

    comparison: Comparison
    view: View
    lesson: Lesson
    faults: list[str]
    opened: int = 0

    def change(self, comparison: Comparison) -> None:
        """Put another comparison in place; what was wrong with the address is past, and so is a baseline that left."""
        self.comparison, self.faults = comparison, []
        if self.view.baseline not in comparison.labels:
            self.view = self.view.model_copy(update={"baseline": ""})


def desk() -> Desk:
    """This session's desk, read from the address at first and where a link opens another; every page begins with it."""
    found: Desk | None = st.session_state.get(KEY)
    opened = found.opened + 1 if found else 0
    if found is None or st.query_params.get(OPENS) == str(opened):
        given = {name: st.query_params.get_all(name) for name in st.query_params}
        found = st.session_state[KEY] = dataclasses.replace(read_desk(given), opened=opened)
    write_address(found)
    return found


def write_address(desk: Desk) -> None:
    """Let the browser's address say what is on the desk, and nothing that means nothing."""
    wanted = address_of(desk)
    # One by one: what belongs to a widget that is on the page may not be written, not even as it is.
    given = {name: st.query_params.get_all(name) for name in st.query_params if name not in WIDGETS + STREAMLITS}
    for name in given.keys() - wanted.keys():
        del st.query_params[name]
    changed = {name: value for name, value in wanted.items() if given.get(name) != value}
    if changed:
        st.query_params.update(changed)


def read_desk(parameters: Parameters) -> Desk:
    """The desk that an address means; whatever in it cannot be is told in `faults` and left at its default."""
    comparison, faults = read_comparison(parameters)
    view, of_view = read_view(parameters)
    lesson, of_lesson = read_lesson(parameters)
    if view.baseline and view.baseline not in comparison.labels:
        of_view.append(f"There is no variant {view.baseline!r} to compare with.")
        view = view.model_copy(update={"baseline": ""})
    of_names = [*_unknown(parameters), *_repeated(parameters)]
    of_layers = layers_faults(parameters, comparison)
    return Desk(comparison, view, lesson, [*of_names, *faults, *of_view, *of_lesson, *of_layers])


def _unknown(parameters: Parameters) -> list[str]:
    """One sentence for each name in an address that means nothing there."""
    known = (*ADDRESS, *WIDGETS, *STREAMLITS, OPENS)
    unknown = [name for name in parameters if name not in known]
    return [f"There is nothing called {name[:40]!r}{meant(_untitled(name, known), known)}" for name in unknown]


def _untitled(name: str, known: Sequence[str]) -> str:
    """The parameter whose control has the title that a `name` is near to; the name itself where there is none."""
    return TITLES.get(nearest(name.replace(" ", "_"), (*known, *TITLES)), name)


def _repeated(parameters: Parameters) -> list[str]:
    """One sentence for each name that can have one value and was given several."""
    single = [name for name in ADDRESS if name not in ("v", "lock", "hide") and len(set(parameters.get(name, ()))) > 1]
    return [f"{name} is there more than once; the last, {parameters[name][-1][:40]!r}, counts." for name in single]


def address_of(desk: Desk) -> dict[str, list[str]]:
    """The parameters that `read_desk` makes this desk of."""
    changed = desk.view.model_dump(exclude_defaults=True)
    view = {name: [str(value).lower() if isinstance(value, bool) else str(value)] for name, value in changed.items()}
    return write_comparison(desk.comparison) | view | write_lesson(desk.lesson)


def opening_address(desk: Desk, comparison: Comparison) -> dict[str, list[str]]:
    """The parameters of a link that puts `comparison` on this `desk`, or on a new one in another tab."""
    other = dataclasses.replace(desk)
    other.change(comparison)
    return address_of(other) | {OPENS: [str(desk.opened + 1)]}


def read_view(parameters: Parameters) -> tuple[View, list[str]]:
    """The view of an address, and one sentence for each value that cannot be and is left at its default."""
    given: dict[str, Any] = {
        name: parameters[name][-1] if name in ("x", "baseline") else parse_value(parameters[name][-1])
        for name in View.model_fields
        if parameters.get(name)
    }
    try:
        return View.model_validate(given), []
    except ValidationError as error:
        faulty = {fault["loc"][0] for fault in error.errors()}
        return View(**{name: value for name, value in given.items() if name not in faulty}), explain(error, View)


def attempt(desk: Desk, change: Callable[[Comparison], Comparison]) -> str:
    """Put a changed comparison in place; returns what was wrong with it, nothing if it could be changed."""
    try:
        desk.change(change(desk.comparison))
    except SpecError as error:
        return str(error)
    return ""
