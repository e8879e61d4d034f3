"""What can be done with the runs chosen on the Runs page."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.runs.run import Run
from bnlab.runs.scheduler import Scheduler
from bnlab.specs.comparison import (
    MAX_LABEL_LENGTH,
    MAX_VARIANTS,
    Comparison,
    Variant,
    is_label_character,
    is_visible,
    normalize_spaces,
)
from bnlab.specs.lesson import Lesson
from bnlab.ui.components import render_compare_link
from bnlab.ui.runs.table import state_title
from bnlab.ui.state import PageState


def render_actions(lab: Scheduler, state: PageState, chosen: Sequence[Run]) -> None:
    """Draw the buttons for the `chosen` runs that the lesson leaves; with none chosen, say how to choose."""
    lesson = state.lesson
    if not chosen:
        st.caption(
            f"Choose runs by the boxes at the left of the table to {_ways(lesson)} them. "
            "By keyboard: Shift + Space chooses, End and then Tab leads to the buttons."
        )
        return
    with st.container(horizontal=True):
        if not lesson.keeps_networks():
            _render_open(state, chosen)
        if not lesson.hides("training"):
            _render_training(lab, chosen)
        if not lesson.is_given():  # a class's link is not for making away with runs
            if len(chosen) == 1:
                _render_rename(lab, chosen[0])
            _render_delete(lab, chosen)


def _ways(lesson: Lesson) -> str:
    if not lesson.is_given():
        return "open them in Compare, export, rename or delete"
    return "export" if lesson.keeps_networks() else "open them in Compare or export"


def _render_open(state: PageState, chosen: Sequence[Run]) -> None:
    several = len(chosen) > MAX_VARIANTS
    render_compare_link(
        "Open in Compare",
        state,
        None if several else comparison_of(chosen),
        key="runs",
        icon=":material/stacked_line_chart:",
        why_not=f"Compare shows at most {MAX_VARIANTS} at once." if several else None,
    )


def _render_training(lab: Scheduler, chosen: Sequence[Run]) -> None:
    active = [run.digest for run in chosen if not run.state.is_finished()]
    again = [run for run in chosen if run.state.can_continue()]
    if active:
        st.button("Stop", icon=":material/stop:", on_click=lab.stop, args=(active,), key="runs-stop")
    if again:
        st.button("Continue", icon=":material/play_arrow:", on_click=_continue, args=(lab, again), key="runs-go-on")


def comparison_of(runs: Sequence[Run]) -> Comparison:
    """The runs as variants of one comparison; where several have one name, what tells them apart is added to it."""
    first, *others = map(Variant, _labels(runs), [run.spec for run in runs])
    comparison = Comparison((first,))
    for variant in others:
        comparison = comparison.added(variant)
    return comparison


def _labels(runs: Sequence[Run]) -> list[str]:
    """Each run's name: with its seed where the runs of that name differ in theirs, and a number where that is equal."""
    names = [_label(run) for run in runs]
    seeds = [{run.spec.seed for run, other in zip(runs, names, strict=True) if other == name} for name in names]
    tails = [f", seed {run.spec.seed}" if len(own) > 1 else "" for run, own in zip(runs, seeds, strict=True)]
    labels: list[str] = []
    before: Counter[tuple[str, str]] = Counter()
    for name, tail in zip(names, tails, strict=True):
        before[name, tail] += 1
        number = before[name, tail]
        told = f"{tail}, run {number}" if number > 1 else tail
        labels.append(name[: MAX_LABEL_LENGTH - len(told)] + told)
    return labels


def _label(run: Run) -> str:
    text = normalize_spaces("".join(filter(is_label_character, run.label))).strip()[:MAX_LABEL_LENGTH]
    return text if is_visible(text) else run.digest


def _continue(lab: Scheduler, runs: Sequence[Run]) -> None:
    lab.launch_runs([(run.spec, run.label) for run in runs])


def _render_rename(lab: Scheduler, run: Run) -> None:
    # A run of another name has another menu, which is closed: Enter or the button is the end of it.
    with (
        st.popover("Rename", icon=":material/edit:", key=f"runs-rename-{hash((run.digest, run.label))}"),
        st.form("rename", border=False),
    ):
        name = st.text_input("Name", run.label, max_chars=MAX_LABEL_LENGTH, key=f"name-of-{run.digest}").strip()
        submitted = st.form_submit_button("Rename", key="rename-it", type="primary")
        if not name:  # said as long as it is so, not only until the page's next tick
            st.error("A run needs a name.")
        elif submitted:
            lab.store.rename(run.digest, name)
            st.rerun()


def _render_delete(lab: Scheduler, chosen: Sequence[Run]) -> None:
    ended = [run for run in chosen if run.state.is_finished()]
    help_ = "Stop them first." if not ended else None
    with st.popover("Delete", icon=":material/delete:", disabled=not ended, help=help_, key="runs-delete"):
        st.markdown(f"Delete {_named(ended)} with all curves and layers? This cannot be undone.")
        if stays := len(chosen) - len(ended):
            st.caption(f"{stays} still {'waits or trains, and stays' if stays == 1 else 'wait or train, and stay'}.")
        if any(run.recorded for run in ended):
            st.caption("Recorded runs come back when the app is started again.")
        if st.button("Delete for good", type="primary", key="delete-it"):
            lab.store.delete(run.digest for run in ended)
            st.rerun()


def _named(runs: Sequence[Run]) -> str:
    """One run by its name; of several, how many there are of each state."""
    if len(runs) == 1:
        return f"“{escape_markdown(runs[0].label)}”"
    states = Counter(state_title(run).lower() for run in runs)
    return f"these {len(runs)} runs ({', '.join(f'{count} {word}' for word, count in states.items())})"
