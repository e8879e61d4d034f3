"""The state of one visitor's page: the comparison, how its curves are shown, and the lesson; all in the address.

Read from the address when a session begins, and written back whenever it has changed, so that copying the address
copies the page.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from pydantic import ValidationError

from bnlab.charts.series import CurveSettings
from bnlab.specs.comparison import Comparison
from bnlab.specs.lesson import Lesson, read_lesson, write_lesson
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.url import COMPARISON_PARAMETERS, comparison_from_url, comparison_to_url
from bnlab.specs.validation import SpecError, closest_name, did_you_mean, explain_errors, parse_value
from bnlab.ui.layers.depth_profile import EXTRA_STEP
from bnlab.ui.layers.evaluation_slider import EVALUATION
from bnlab.ui.layers.url import layers_faults

Parameters = Mapping[str, Sequence[str]]
STATE_KEY = "page_state"
STATE_PARAMETERS = (*COMPARISON_PARAMETERS, *CurveSettings.model_fields, "lock", "hide")
WIDGET_PARAMETERS = (
    "layers-view",
    "layers-seed",
    EVALUATION,
    "layers-networks",
    "layers-normalizations",
    "layers-hidden",
    "layers-xray-steps",
    EXTRA_STEP,
)
"""What the Layers page's widgets keep in the address by themselves."""
TITLES = {
    str(field.title).lower().replace(" ", "_"): name
    for model in (CurveSettings, RunSpec)
    for name, field in model.model_fields.items()
}
"""Each parameter by what its control is called, which is what a reader of the page may write."""
STREAMLIT_PARAMETERS = ("embed", "embed_options")
LINK_NUMBER = "opens"
"""In a link's address: how many links this session has opened, with this one. So each is opened once."""


@dataclasses.dataclass
class PageState:
    """One visitor's comparison, settings and lesson, and what could not be read from their address."""

    comparison: Comparison
    settings: CurveSettings
    lesson: Lesson
    faults: list[str]
    opened: int = 0

    def change(self, comparison: Comparison) -> None:
        """Put another comparison in place; what was wrong with the address is past, and so is a baseline that left."""
        self.comparison, self.faults = comparison, []
        if self.settings.baseline not in comparison.labels:
            self.settings = self.settings.model_copy(update={"baseline": ""})


def page_state() -> PageState:
    """This session's page state, read from the address at first and where a link opens another one."""
    found: PageState | None = st.session_state.get(STATE_KEY)
    opened = found.opened + 1 if found else 0
    if found is None or st.query_params.get(LINK_NUMBER) == str(opened):
        given = {name: st.query_params.get_all(name) for name in st.query_params}
        found = st.session_state[STATE_KEY] = dataclasses.replace(state_from_url(given), opened=opened)
    update_url(found)
    return found


def update_url(state: PageState) -> None:
    """Write what differs from the defaults to the browser's address, and remove what has no meaning there."""
    wanted = state_to_url(state)
    # One by one: what belongs to a widget that is on the page may not be written, not even as it is.
    given = {name: st.query_params.get_all(name) for name in st.query_params if name not in WIDGET_PARAMETERS + STREAMLIT_PARAMETERS}
    for name in given.keys() - wanted.keys():
        del st.query_params[name]
    changed = {name: value for name, value in wanted.items() if given.get(name) != value}
    if changed:
        st.query_params.update(changed)


def state_from_url(parameters: Parameters) -> PageState:
    """The page state of an address; whatever in it is not valid is described in `faults` and left at its default."""
    comparison, faults = comparison_from_url(parameters)
    settings, settings_faults = settings_from_url(parameters)
    lesson, lesson_faults = read_lesson(parameters)
    if settings.baseline and settings.baseline not in comparison.labels:
        settings_faults.append(f"There is no variant {settings.baseline!r} to compare with.")
        settings = settings.model_copy(update={"baseline": ""})
    name_faults = [*_unknown(parameters), *_repeated(parameters)]
    other_faults = [*settings_faults, *lesson_faults, *layers_faults(parameters, comparison)]
    return PageState(comparison, settings, lesson, [*name_faults, *faults, *other_faults])


def _unknown(parameters: Parameters) -> list[str]:
    """One sentence for each name in an address that means nothing there."""
    known = (*STATE_PARAMETERS, *WIDGET_PARAMETERS, *STREAMLIT_PARAMETERS, LINK_NUMBER)
    unknown = [name for name in parameters if name not in known]
    return [f"There is nothing called {name[:40]!r}{did_you_mean(_untitled(name, known), known)}" for name in unknown]


def _untitled(name: str, known: Sequence[str]) -> str:
    """The parameter whose control has the title that a `name` is near to; the name itself where there is none."""
    return TITLES.get(closest_name(name.replace(" ", "_"), (*known, *TITLES)), name)


def _repeated(parameters: Parameters) -> list[str]:
    """One sentence for each name that can have one value and was given several."""
    single = [name for name in STATE_PARAMETERS if name not in ("v", "lock", "hide") and len(set(parameters.get(name, ()))) > 1]
    return [f"{name} is there more than once; the last, {parameters[name][-1][:40]!r}, counts." for name in single]


def state_to_url(state: PageState) -> dict[str, list[str]]:
    """The parameters from which `read_page_state` makes this state."""
    changed = state.settings.model_dump(exclude_defaults=True)
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in changed.items()}
    settings = {name: [text] for name, text in texts.items()}
    return comparison_to_url(state.comparison) | settings | write_lesson(state.lesson)


def link_parameters(state: PageState, comparison: Comparison) -> dict[str, list[str]]:
    """The parameters of a link that shows `comparison`, with the rest of `state`."""
    other = dataclasses.replace(state)
    other.change(comparison)
    return state_to_url(other) | {LINK_NUMBER: [str(state.opened + 1)]}


def settings_from_url(parameters: Parameters) -> tuple[CurveSettings, list[str]]:
    """The settings of an address, and one sentence for each value that is not valid and is left at its default."""
    given: dict[str, Any] = {
        name: parameters[name][-1] if name in ("x", "baseline") else parse_value(parameters[name][-1])
        for name in CurveSettings.model_fields
        if parameters.get(name)
    }
    try:
        return CurveSettings.model_validate(given), []
    except ValidationError as error:
        faulty = {fault["loc"][0] for fault in error.errors()}
        valid = {name: value for name, value in given.items() if name not in faulty}
        return CurveSettings(**valid), explain_errors(error, CurveSettings)


def try_change(state: PageState, change: Callable[[Comparison], Comparison]) -> str:
    """Put a changed comparison in place; returns what was wrong with it, nothing if it could be changed."""
    try:
        state.change(change(state.comparison))
    except SpecError as error:
        return str(error)
    return ""
