"""Controls of the Layers page, for the view, the networks, the layers and the evaluation, and the legend below them."""

import math
from collections.abc import Mapping, Sequence

import streamlit as st

from bnlab.charts.formatting import escape_html, escape_markdown
from bnlab.charts.layer_views import LAYER_VIEWS, QUESTIONS, Question
from bnlab.charts.style import Style, sample_svg
from bnlab.live.layers import EVALUATION, NETWORKS, VIEW
from bnlab.runs.folding import has_normalization
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import parse_number
from bnlab.ui.layers.depth_profile import MEASURE
from bnlab.ui.live import live_slider, live_text

QUESTION = "layers-question"
"""Session key of the question; the URL has the view, which belongs to one."""
DEFAULT_VIEW = next(iter(QUESTIONS.values())).views[0]
XRAY_IDS = ("xray", "X-ray")
"""In old links, a view that is now a part of the question on gradients."""
VIEW_IDS: dict[str, str] = {
    **{view: view for question in QUESTIONS.values() for view in question.views},
    **{name: question.views[0] for name, question in QUESTIONS.items()},
    **dict.fromkeys(XRAY_IDS, "gradients"),
    # URLs made by version 0.1 contain titles.
    "Distributions": "distributions",
    "Heat maps": "heatmaps",
    "Histograms": "histograms",
    "Inputs to the activations": "pre-activations",
    "Gradients": "gradients",
    "Tables": "tables",
}
"""The id of the view for each value in a URL, of this version or an earlier one."""
_DEFAULT_NETWORKS = "layers-networks-default"
MAX_LAYERS = 4
"""Networks with more layers get a control to choose some of them; by default the first few."""
DEFAULT_LAYERS = 3
DEFAULT_NORMALIZED = 2
LATEST = math.inf
"""In the session's state the chosen epoch for the last evaluation, which follows training. The URL has none then."""
SLIDER = "layers-evaluation"


def choose_question() -> Question:
    """Draw the choice of a question."""
    if QUESTION not in st.session_state:
        _take_from_url()
    titles = {name: question.title for name, question in QUESTIONS.items()}
    chosen = st.pills(
        "Question",
        list(titles),
        format_func=titles.__getitem__,
        required=True,
        key=QUESTION,
        persist_state="session",
        label_visibility="collapsed",
        wrap=True,
    )
    return QUESTIONS[chosen or next(iter(QUESTIONS))]


def choose_view(question: Question) -> str:
    """Draw the choice of a view of the answer if there are several; returns the view's id."""
    view = question.views[0]
    if len(question.views) > 1:
        if st.session_state.get(VIEW) not in question.views:
            st.session_state[VIEW] = view
        shown = st.segmented_control(
            "Shown as", question.views, format_func=_view_title, required=True, key=VIEW, persist_state="session"
        )
        view = shown or view
    set_query_parameter(VIEW, *() if view == DEFAULT_VIEW else (view,))
    return view


def _take_from_url() -> None:
    """Set the question and the view to those of the URL, or of a session that has a view but no question."""
    requested = st.query_params.get(VIEW, st.session_state.get(VIEW, DEFAULT_VIEW))
    view = VIEW_IDS.get(requested, DEFAULT_VIEW)
    if requested in XRAY_IDS and MEASURE not in st.query_params:
        st.session_state[MEASURE] = True
    st.session_state[QUESTION] = next(name for name, question in QUESTIONS.items() if view in question.views)
    st.session_state[VIEW] = view


def _view_title(view: str) -> str:
    return LAYER_VIEWS[view].title if view in LAYER_VIEWS else "Parameters"


def set_query_parameter(name: str, *values: str) -> None:
    """Write a parameter with `values` to the URL, or remove it if there are none.

    For widgets that are not bound to the URL, because Streamlit would write an option's title there and not its id.
    """
    if list(values) == st.query_params.get_all(name):
        return
    if values:
        st.query_params[name] = values
    else:
        del st.query_params[name]


def choose_networks(specs: Mapping[str, RunSpec], *, prefers_normalized: bool) -> list[str]:
    """The chosen labels of `specs`.

    By default the first two networks with normalization, and to compare with them the first one without, unless the
    question `prefers_normalized` and there are any.
    """
    labels = list(specs)
    plain = [label for label, spec in specs.items() if not has_normalization(spec)]
    normalized = [label for label in labels if label not in plain][:DEFAULT_NORMALIZED]
    compared = [] if prefers_normalized and normalized else plain[:1]
    default = [label for label in labels if label in (*compared, *normalized)]
    st.session_state[NETWORKS] = _networks_to_show(labels, default)
    st.session_state[_DEFAULT_NETWORKS] = default
    chosen = st.pills(
        "Networks",
        labels,
        selection_mode="multi",
        format_func=escape_markdown,
        key=NETWORKS,
        persist_state="session",
    )
    shown = [label for label in labels if label in chosen]
    set_query_parameter(NETWORKS, *() if shown == default else shown or [""])
    return shown


def _networks_to_show(labels: Sequence[str], default: list[str]) -> list[str]:
    """The labels that were chosen; at first those in the URL. `default` as long as it was not changed."""
    if NETWORKS in st.session_state:
        chosen = st.session_state[NETWORKS]
        if chosen == st.session_state.get(_DEFAULT_NETWORKS):  # which depends on what has been trained
            return default
    else:
        chosen = chosen_networks(st.query_params.get_all(NETWORKS), labels)
        if chosen is None:
            return default
    known = [label for label in labels if label in chosen]
    return known if known or not chosen else default


def chosen_networks(values: Sequence[str], labels: Sequence[str]) -> list[str] | None:
    """The labels that the URL's `values` name, [] if they name none on purpose; None if the URL does not say.

    Earlier versions wrote labels as the control shows them, with their signs of Markdown escaped.
    """
    if not values:
        return None
    escaped = {escape_markdown(label): label for label in labels}
    return [value if value in labels else escaped.get(value, value) for value in values if value]


def choose_layers(names: Sequence[str], key: str) -> list[str]:
    """All layers if there are few, else the chosen ones."""
    if len(names) <= MAX_LAYERS:
        return list(names)
    default = list(names[:DEFAULT_LAYERS])
    chosen = st.multiselect("Layers", names, default=default, key=key, bind="query-params")
    return [name for name in names if name in chosen]


def render_answer(text: str) -> None:
    """Draw the answer to a question, `text` until the event stream brings another."""
    live_text("answer", text, key="layers-answer-text")


def render_glossary(question: Question) -> None:
    """Draw the button that explains the words of a question's charts."""
    with st.popover("Glossary", icon=":material/menu_book:"):
        st.markdown("\n".join(f"- **{word}**: {meaning}" for word, meaning in question.glossary.items()))


def render_legend(styles: Sequence[Style], remarks: str) -> None:
    """Draw one legend for all charts, and below it remarks on the networks, which the event stream brings."""
    entries = [f"{sample_svg(style)}{escape_html(style.name)}" for style in styles]
    spans = [f'<span style="display:inline-block;margin-right:1.5em">{entry}</span>' for entry in entries]
    with st.container(key="layers-legend"):
        # Streamlit assumes a paragraph's margin below everything in Markdown.
        st.markdown(f'<div style="margin-bottom:1rem">{"".join(spans)}</div>', unsafe_allow_html=True)
        live_text("remarks", remarks, key="layers-remarks")


def choose_epoch(steps: Sequence[int], steps_per_epoch: int) -> float | None:
    """Draw the slider over `steps` and return the chosen one as an epoch, None for the latest evaluation.

    The session's state has it under the parameter in the URL.
    """
    chosen = st.session_state.get(EVALUATION, _epoch_in_url()) * steps_per_epoch
    nearest = min(steps, key=lambda step: abs(min(chosen, steps[-1]) - step))
    epoch = None if nearest == steps[-1] else nearest / steps_per_epoch
    st.session_state[EVALUATION] = LATEST if epoch is None else epoch
    text = "" if epoch is None else f"{epoch:.6g}"
    set_query_parameter(EVALUATION, *filter(None, [text]))
    live_slider("evaluations", EVALUATION, steps, steps_per_epoch, text, on_choose=_set_epoch, key=SLIDER)
    return epoch


def _epoch_in_url() -> float:
    epoch = parse_number(st.query_params.get(EVALUATION, ""))
    return LATEST if math.isnan(epoch) else epoch


def _set_epoch(text: str) -> None:
    epoch = parse_number(text)
    st.session_state[EVALUATION] = epoch if math.isfinite(epoch) else LATEST
