"""The state of one visitor's pages: comparison, settings of the curves, and lesson. All of it is in the URL.

Read from the URL when a session starts and written back on every change, so a copied URL opens the same page.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from bnlab.charts.curve_settings import CurveSettings, settings_from_url, settings_to_url
from bnlab.live.layers import VIEW
from bnlab.specs.comparison import Comparison
from bnlab.specs.lesson import HIDE, LESSON_PARAMETERS, PREDICT, Lesson, lesson_from_url, lesson_to_url
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.url import COMPARISON_PARAMETERS, comparison_from_url, comparison_to_url
from bnlab.specs.validation import SpecError, closest_name, did_you_mean
from bnlab.ui.claims.url import CLAIMS_PARAMETERS, claims_faults
from bnlab.ui.how_it_works.sections import CONTROLS
from bnlab.ui.layers.choices import QUESTION
from bnlab.ui.layers.url import LAYERS_PARAMETERS, layers_faults
from bnlab.ui.runs.query import RUNS_PARAMETERS, runs_faults

Parameters = Mapping[str, Sequence[str]]
STATE_KEY = "page_state"
STATE_PARAMETERS = (*COMPARISON_PARAMETERS, *CurveSettings.model_fields, *LESSON_PARAMETERS)
PAGE_PARAMETERS = (*LAYERS_PARAMETERS, *CLAIMS_PARAMETERS, *RUNS_PARAMETERS, *CONTROLS)
"""Parameters that belong to one page, which writes them itself."""
STREAMLIT_PARAMETERS = ("embed", "embed_options")
LINK_NUMBER = "opens"
"""The parameter with a link's number in its session: each link to Compare changes the comparison once."""
LINKED = "linked"
"""The parameter with the key of a link to what the reader has chosen on its page, also after it was drawn."""
LINK_TARGETS = "link-targets"
"""Session key of the functions that say to what such links lead, with their arguments, by the links' keys."""
_NAMES_BY_TITLE = {
    str(field.title).lower().replace(" ", "_"): name
    for model in (CurveSettings, RunSpec)
    for name, field in model.model_fields.items()
}
"""Parameters by the titles of their controls, to suggest the parameter to a reader who writes a title."""


@dataclasses.dataclass
class PageState:
    """One visitor's comparison, settings and lesson.

    `faults` are sentences about the parts of the URL that are not valid; `links_opened` counts the links to Compare
    that this session has followed. `renamed` has the next label of each one that is gone.
    """

    comparison: Comparison
    settings: CurveSettings
    lesson: Lesson
    faults: list[str]
    links_opened: int = 0
    renamed: dict[str, str] = dataclasses.field(default_factory=dict, compare=False)

    def change(self, comparison: Comparison, *, keeps_variants: bool = False) -> None:
        """Replace the comparison. Clears `faults`, and the baseline if its variant is no longer there.

        With `keeps_variants` they are the same ones in the same order, changed or renamed, and so is the baseline.
        """
        if keeps_variants:
            pairs = zip(self.comparison.labels, comparison.labels, strict=True)
            gone = {old: new for old, new in pairs if old not in comparison.labels}
            self.renamed = {old: new for old, new in self.renamed.items() if old not in comparison.labels} | gone
        if keeps_variants and self.settings.baseline in self.comparison.labels:
            baseline = comparison.labels[self.comparison.labels.index(self.settings.baseline)]
            self.settings = self.settings.model_copy(update={"baseline": baseline})
        self.comparison, self.faults = comparison, []
        if self.settings.baseline not in comparison.labels:
            self.settings = self.settings.model_copy(update={"baseline": ""})

    def current_label(self, label: str) -> str:
        """The label of the variant for which a button was drawn with `label`: it may have been renamed just before."""
        while label not in self.comparison.labels and label in self.renamed:
            label = self.renamed[label]
        return label


def page_state() -> PageState:
    """The session's state, read from the URL at the start of a session and when a link to Compare is followed."""
    state: PageState | None = st.session_state.get(STATE_KEY)
    link_number = state.links_opened + 1 if state else 0
    if state is None or st.query_params.get(LINK_NUMBER) == str(link_number):
        parameters = {name: st.query_params.get_all(name) for name in st.query_params}
        linked = dataclasses.replace(state_from_url(parameters), links_opened=link_number)
        if state is not None:  # what has been set and chosen since the link was drawn counts
            state.change(_link_target(st.query_params.get(LINKED, "")) or linked.comparison)
            linked = dataclasses.replace(state, faults=linked.faults, links_opened=link_number)
        state = linked
        st.session_state[STATE_KEY] = state
        if link_number and VIEW in st.query_params:  # the link chooses what Layers shows
            for name in (QUESTION, *LAYERS_PARAMETERS):
                st.session_state.pop(name, None)
    update_url(state)
    return state


def _link_target(key: str) -> Comparison | None:
    function, *identifiers = st.session_state.get(LINK_TARGETS, {}).get(key, (lambda: None,))
    target: Comparison | None = function(*identifiers)
    return target


def current_state() -> PageState:
    """The session's state, for callbacks: the page that drew their controls has read it from the URL."""
    state: PageState = st.session_state[STATE_KEY]
    return state


def update_url(state: PageState) -> None:
    """Write the state to the browser's URL and remove unknown parameters from it."""
    wanted = state_to_url(state)
    # One by one, because a parameter that is bound to a widget on the page must not be written, even unchanged.
    managed_elsewhere = PAGE_PARAMETERS + STREAMLIT_PARAMETERS
    current = {name: st.query_params.get_all(name) for name in st.query_params if name not in managed_elsewhere}
    for name in current.keys() - wanted.keys():
        del st.query_params[name]
    changed = {name: values for name, values in wanted.items() if current.get(name) != values}
    if changed:
        st.query_params.update(changed)


def try_change(state: PageState, change: Callable[[Comparison], Comparison], *, keeps_variants: bool = False) -> str:
    """Apply `change` to the state's comparison. Returns the error if the result is not valid, else ``""``."""
    try:
        state.change(change(state.comparison), keeps_variants=keeps_variants)
    except SpecError as error:
        return str(error)
    return ""


def state_from_url(parameters: Parameters) -> PageState:
    """The state of a URL's parameters. Invalid values get a sentence in `faults` and keep their defaults."""
    comparison, comparison_faults = comparison_from_url(parameters)
    settings, settings_faults = settings_from_url(parameters, comparison)
    lesson, lesson_faults = lesson_from_url(parameters)
    faults = [
        *_unknown_names(parameters),
        *_repeated_names(parameters),
        *comparison_faults,
        *settings_faults,
        *lesson_faults,
        *layers_faults(parameters, comparison),
        *claims_faults(parameters),
        *runs_faults(parameters),
        *_figures_faults(parameters),
    ]
    return PageState(comparison, settings, lesson, faults)


def state_to_url(state: PageState) -> dict[str, list[str]]:
    """The parameters that `state_from_url` turns into this state; defaults are left out."""
    return comparison_to_url(state.comparison) | settings_to_url(state.settings) | lesson_to_url(state.lesson)


def view_to_url(state: PageState) -> dict[str, list[str]]:
    """The parameters of the comparison, the settings and a lesson's results: what a page's event stream depends on."""
    lesson = {PREDICT: [state.lesson.predict]} if state.lesson.predict else {}
    lesson |= {HIDE: ["results"]} if state.lesson.hides("results") else {}
    return comparison_to_url(state.comparison) | settings_to_url(state.settings) | lesson


def link_parameters(state: PageState, comparison: Comparison) -> dict[str, list[str]]:
    """The parameters of a link to Compare that shows `comparison` and keeps the rest of `state`."""
    linked = dataclasses.replace(state)
    linked.change(comparison)
    return state_to_url(linked) | {LINK_NUMBER: [str(state.links_opened + 1)]}


def target_parameters(
    state: PageState, key: str, target: Callable[..., Comparison | None], *identifiers: object
) -> dict[str, list[str]] | None:
    """The parameters of a link to the comparison that `target` returns, called with `identifiers`; None without one.

    It is called again when the link is followed, as the reader may have chosen something else since. It has to be in
    the address as well, for links that are opened in another tab or copied.
    """
    st.session_state.setdefault(LINK_TARGETS, {})[key] = (target, *identifiers)
    comparison = target(*identifiers)
    return link_parameters(state, comparison) | {LINKED: [key]} if comparison else None


def _unknown_names(parameters: Parameters) -> list[str]:
    """A sentence for each parameter that does not exist."""
    known = (*STATE_PARAMETERS, *PAGE_PARAMETERS, *STREAMLIT_PARAMETERS, LINK_NUMBER, LINKED)
    unknown = [name for name in parameters if name not in known]
    return [f"Unknown parameter {name[:40]!r}{did_you_mean(_intended(name, known), known)}" for name in unknown]


def _figures_faults(parameters: Parameters) -> list[str]:
    """A sentence for each setting of a figure of How it works that its control cannot take."""
    last = {name: values[-1] for name, values in parameters.items() if name in CONTROLS and values}
    return [fault for name, text in last.items() if text and (fault := CONTROLS[name].fault(text))]


def _intended(name: str, known: Sequence[str]) -> str:
    """The parameter whose control has a title close to `name`; `name` itself if there is none."""
    return _NAMES_BY_TITLE.get(closest_name(name.replace(" ", "_"), (*known, *_NAMES_BY_TITLE)), name)


def _repeated_names(parameters: Parameters) -> list[str]:
    """A sentence for each parameter that takes one value and has several different ones."""
    single = [name for name in STATE_PARAMETERS if name not in ("v", "lock", "hide")]
    repeated = [name for name in single if len(set(parameters.get(name, ()))) > 1]
    return [f"{name} is there more than once; the last, {parameters[name][-1][:40]!r}, counts." for name in repeated]
