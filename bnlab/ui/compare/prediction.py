"""A lesson's question and prediction: learners choose what they expect, the teacher reveals results and the tally."""

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from bnlab.charts.formatting import escape_markdown, keep_percents
from bnlab.claims.answer import Winner, find_winner, variant_results
from bnlab.runs.predictions import (
    PredictionError,
    count_predictions,
    predictions_text,
    read_predictions,
    reveal_results,
    save_prediction,
    visitors_prediction,
)
from bnlab.runs.run import Run
from bnlab.runs.store import Store
from bnlab.specs.lesson import Lesson
from bnlab.specs.prediction import (
    NO_DIFFERENCE,
    NO_DIFFERENCE_TITLE,
    SIZES,
    LearnerPrediction,
    Tally,
    size_of,
    tally_predictions,
)
from bnlab.specs.run_spec import RunSpec
from bnlab.ui import services
from bnlab.ui.live import live_text
from bnlab.ui.state import PageState, current_state
from bnlab.ui.store_errors import callback
from bnlab.ui.visitor import current_visitor

CHOICE, SIZE = "prediction-choice", "prediction-size"
"""Session keys of what is chosen."""
FAULT = "prediction-fault"
"""Session key of why the last prediction was not taken."""
WHICH = "Which network will end with the highest validation accuracy?"
HOW_MUCH = "By how much, compared with the next best?"


def render_lesson_texts(lesson: Lesson) -> None:
    """Draw the lesson's title and question, which are plain text."""
    parts = [f"<h2>{escape(lesson.title)}</h2>"] if lesson.title else []
    parts += [f"<p>{escape(lesson.question)}</p>"] if lesson.question else []
    if parts:
        st.html(f'<div class="lesson">{"".join(parts)}</div>')


def render_prediction(
    store: Store,
    state: PageState,
    specs: Mapping[str, Sequence[RunSpec]],
    runs: Mapping[str, Run],
    *,
    is_hidden: bool,
) -> None:
    """Draw the form while results are hidden, and the tally when they are revealed; nothing without a prediction."""
    lesson = state.lesson
    if not lesson.predict:
        return
    with st.container(key="prediction", gap="small"):
        if is_hidden:
            if lesson.reveal:
                _render_reveal()
            else:
                _render_form(store, lesson, state.comparison.labels)
            live_text("predictions", predictions_text(count_predictions(store, lesson.predict)), key="predictions")
        else:
            tally = tally_predictions(read_predictions(store, lesson.predict), state.comparison.labels)
            own = visitors_prediction(store, lesson.predict, current_visitor())
            st.html(tally_html(tally, find_winner(variant_results(store, specs, runs)), own))


def _render_form(store: Store, lesson: Lesson, labels: Sequence[str]) -> None:
    own = visitors_prediction(store, lesson.predict, current_visitor())
    options, sizes = [*labels, NO_DIFFERENCE], list(SIZES)
    st.radio(
        WHICH,
        options,
        format_func=lambda label: escape_markdown(label) or NO_DIFFERENCE_TITLE,
        index=options.index(own.choice) if own and own.choice in options else None,
        key=CHOICE,
        horizontal=True,
    )
    st.radio(
        HOW_MUCH,
        sizes,
        format_func=lambda name: SIZES[name].title,
        index=sizes.index(own.size) if own and own.size in sizes else None,
        key=SIZE,
        horizontal=True,
        disabled=st.session_state.get(CHOICE) == NO_DIFFERENCE,
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        text = "Change prediction" if own else "Save prediction"
        st.button(text, type="secondary" if own else "primary", on_click=_save, key="save-prediction")
        st.html(f'<p role="status">{escape(_status(own))}</p>', width="content")
    if fault := st.session_state.get(FAULT):
        st.error(fault, icon=":material/rule:")


def _status(own: LearnerPrediction | None) -> str:
    if own is None:
        return "Results stay hidden until your teacher reveals them."
    return f"Saved: {prediction_text(own)}. You can change it until your teacher reveals the results."


def prediction_text(prediction: LearnerPrediction) -> str:
    """A prediction in words: "BN before ReLU, 0.5 to 2 points"."""
    if prediction.choice == NO_DIFFERENCE:
        return NO_DIFFERENCE_TITLE
    size = SIZES.get(prediction.size)
    return f"{prediction.choice}, {size.title}" if size else prediction.choice


@callback
def _save() -> None:
    """Store what is chosen. A callback of the button."""
    state = current_state()
    choice, size = st.session_state.get(CHOICE), st.session_state.get(SIZE)
    st.session_state[FAULT] = ""
    if choice not in (*state.comparison.labels, NO_DIFFERENCE):
        st.session_state[FAULT] = "Choose a network, or that there is no difference."
    elif choice != NO_DIFFERENCE and size not in SIZES:
        st.session_state[FAULT] = "Choose by how much it will be ahead."
    else:
        prediction = LearnerPrediction(choice, "" if choice == NO_DIFFERENCE else str(size))
        try:
            save_prediction(services.scheduler().store, state.lesson.predict, current_visitor(), prediction)
        except PredictionError as error:
            st.session_state[FAULT] = str(error)


def _render_reveal() -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Reveal results",
            icon=":material/visibility:",
            type="primary",
            help="Shows the results to everybody with a link of this lesson, and closes predictions.",
            on_click=_reveal,
            key="reveal-results",
        )
        st.markdown("Results are hidden from everybody, on this page as well.", width="content")


@callback
def _reveal() -> None:
    """Show the results to everybody. A callback of the button."""
    reveal_results(services.scheduler().store, current_state().lesson.predict)


def tally_html(tally: Tally, winner: Winner, own: LearnerPrediction | None = None) -> str:
    """The counts as a table with bars, what the results support marked, and the sentence that says so."""
    supported = (winner.label or NO_DIFFERENCE) if winner.is_decided else None
    size = size_of(winner.margin) if winner.label and winner.margin is not None else None
    choices = [
        _row(
            label or NO_DIFFERENCE_TITLE,
            number,
            tally.total,
            label == supported,
            own is not None and own.choice == label,
        )
        for label, number in tally.choices.items()
    ]
    sized = sum(tally.sizes.values())
    sizes = [
        _row(SIZES[name].title, number, sized, name == size, own is not None and own.size == name)
        for name, number in tally.sizes.items()
    ]
    caption = f"{tally.total or 'No'} prediction{'' if tally.total == 1 else 's'}"
    tables = [(f"{caption}: which network", choices), ("By how much", sizes)]
    html = "".join(f"<table><caption>{title}</caption>{''.join(rows)}</table>" for title, rows in tables)
    return f'<div class="tally" role="status"><div>{html}</div><p>{keep_percents(escape(winner.sentence))}</p></div>'


def _row(title: str, number: int, total: int, is_supported: bool, is_own: bool) -> str:
    remarks = [text for text, applies in (("supported", is_supported), ("your prediction", is_own)) if applies]
    name = f' class="{"supported" if is_supported else ""}"'
    bar = f'<progress aria-hidden="true" max="{max(total, 1)}" value="{number}"></progress>'
    return (
        f'<tr{name}><th scope="row">{escape(title)}</th><td>{bar}</td><td class="number">{number}</td>'
        f'<td class="remark">{"✓ " if is_supported else ""}{", ".join(remarks)}</td></tr>'
    )
