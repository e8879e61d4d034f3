"""Buttons for the runs chosen on the Runs page: open in Compare, stop, continue, rename, tag and delete."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.runs.rights import Rights, others_text
from bnlab.runs.run import Run
from bnlab.runs.run_table import state_title
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
from bnlab.ui import services
from bnlab.ui.components import render_compare_link
from bnlab.ui.launching import needs_confirmation, render_confirmation
from bnlab.ui.runs.annotate import render_annotate
from bnlab.ui.runs.table import chosen_digests, selected_digests
from bnlab.ui.state import PageState
from bnlab.ui.store_errors import callback
from bnlab.ui.visitor import changeable, current_visitor, rights_on, stopping_visitor

RUNS = "runs"
"""The place of the confirmation of what this page launches, and the key of its link to Compare."""


def render_actions(state: PageState, chosen: Sequence[Run], known_tags: Iterable[str]) -> None:
    """Draw the buttons that the lesson allows; if no run is chosen, an explanation of how to choose.

    `known_tags` are those of all runs, which are offered for others.
    """
    lesson = state.lesson
    if not chosen:
        st.caption(
            f"Select runs with the checkboxes on the left to {_actions_text(lesson)} them. "
            "Keyboard: Shift + Space selects; End, then Tab, moves to the buttons."
        )
        return
    rights = rights_on(chosen, is_finished=True)
    with st.container(horizontal=True):
        if not lesson.protects_variants():
            _render_open(state, chosen)
        if not lesson.hides("training"):
            _render_training(chosen, rights)
        if not lesson.is_active():
            if len(chosen) == 1:
                _render_rename(chosen[0], rights.why_not_change(chosen[0]))
            render_annotate(chosen, known_tags, rights)
            _render_delete(chosen, rights)
    render_confirmation(RUNS, _continue_selected)


def _actions_text(lesson: Lesson) -> str:
    if not lesson.is_active():
        return "open them in Compare, export, rename, tag or delete"
    return "export" if lesson.protects_variants() else "open them in Compare or export"


def _render_open(state: PageState, chosen: Sequence[Run]) -> None:
    too_many = len(chosen) > MAX_VARIANTS
    render_compare_link(
        "Open in Compare",
        state,
        RUNS,
        _selected_comparison,
        icon=":material/stacked_line_chart:",
        why_not=f"Compare shows at most {MAX_VARIANTS} at once." if too_many else None,
    )


def _selected_comparison() -> Comparison | None:
    digests = chosen_digests()
    runs = sorted(services.scheduler().store.runs(digests), key=lambda run: digests.index(run.digest))
    return comparison_of(runs) if 0 < len(runs) <= MAX_VARIANTS else None


def _render_training(chosen: Sequence[Run], rights: Rights) -> None:
    active = [run for run in chosen if not run.state.is_finished()]
    if active:
        st.button(
            "Stop",
            icon=":material/stop:",
            help=others_text(rights.others(active)) or None,
            disabled=not any(map(rights.may_stop, active)),
            on_click=_stop_selected,
            key="runs-stop",
        )
    if any(run.state.can_continue() for run in chosen):
        st.button("Continue", icon=":material/play_arrow:", on_click=_continue_selected, key="runs-continue")


@callback
def _stop_selected() -> None:
    services.scheduler().stop(selected_digests(), stopping_visitor())


@callback
def _continue_selected(is_confirmed: bool = False) -> None:
    scheduler = services.scheduler()
    runs = [run for run in scheduler.store.runs(selected_digests()) if run.state.can_continue()]
    subject = frozenset(run.digest for run in runs)
    if not needs_confirmation(RUNS, subject, [run.spec for run in runs], is_confirmed=is_confirmed):
        scheduler.launch_runs([(run.spec, run.label) for run in runs], current_visitor())


def comparison_of(runs: Sequence[Run]) -> Comparison:
    """The runs as variants of one comparison, with distinct labels."""
    first, *others = map(Variant, _distinct_labels(runs), [run.spec for run in runs])
    comparison = Comparison((first,))
    for variant in others:
        comparison = comparison.with_variant(variant)
    return comparison


def _distinct_labels(runs: Sequence[Run]) -> list[str]:
    """The runs' labels. Equal ones get the seed as suffix if their seeds differ, and a number if needed."""
    labels = [_valid_label(run) for run in runs]
    seeds: dict[str, set[int]] = {label: set() for label in labels}
    for run, label in zip(runs, labels, strict=True):
        seeds[label].add(run.spec.seed)
    counts: Counter[tuple[str, str]] = Counter()
    distinct: list[str] = []
    for run, label in zip(runs, labels, strict=True):
        suffix = f", seed {run.spec.seed}" if len(seeds[label]) > 1 else ""
        counts[label, suffix] += 1
        if (number := counts[label, suffix]) > 1:
            suffix = f"{suffix}, run {number}"
        distinct.append(label[: MAX_LABEL_LENGTH - len(suffix)] + suffix)
    return distinct


def _valid_label(run: Run) -> str:
    """The run's label without characters that a variant's must not contain; its digest if nothing visible is left."""
    label = normalize_spaces("".join(filter(is_label_character, run.label))).strip()[:MAX_LABEL_LENGTH]
    return label if is_visible(label) else run.digest


def _render_rename(run: Run, why_not: str) -> None:
    # The key contains the label, so that the menu is a new, closed one after a run was renamed.
    with (
        st.popover(
            "Rename",
            icon=":material/edit:",
            disabled=bool(why_not),
            help=why_not or None,
            key=f"runs-rename-{hash((run.digest, run.label))}",
        ),
        st.form("rename", border=False),
    ):
        name = st.text_input("Name", run.label, max_chars=MAX_LABEL_LENGTH, key=_name_key(run.digest)).strip()
        arguments: dict[str, Any] = {"on_click": _rename, "args": (run.digest,)}
        st.form_submit_button("Rename", key="runs-rename", type="primary", **arguments)
        if not name:  # also without a press, or the error would disappear with the page's next tick
            st.error("A run needs a name.")


def _name_key(digest: str) -> str:
    return f"runs-name-{digest}"


@callback
def _rename(digest: str) -> None:
    if (name := st.session_state.get(_name_key(digest), "").strip()) and changeable([digest]):
        services.scheduler().store.rename(digest, name)
        st.rerun()


def _render_delete(chosen: Sequence[Run], rights: Rights) -> None:
    ended = [run for run in chosen if run.state.is_finished()]
    refusals = list(filter(None, map(rights.why_not_change, ended)))
    finished = [run for run in ended if not rights.why_not_change(run)]
    help_ = None if finished else refusals[0] if refusals else "Stop them first."
    with st.popover("Delete", icon=":material/delete:", disabled=not finished, help=help_, key="runs-delete-menu"):
        come_back = [run for run in finished if run.recorded]
        warning = "" if come_back == finished else " This cannot be undone."
        st.markdown(f"Delete {_runs_text(finished)} with all curves and layers?{warning}")
        if finished and refusals:
            st.caption(f"{len(refusals)} stay{'s' if len(refusals) == 1 else ''}: {refusals[0]}")
        if active := len(chosen) - len(ended):
            st.caption(f"{active} still {'waits or trains, and stays' if active == 1 else 'wait or train, and stay'}.")
        if come_back:
            st.caption("Recorded runs come back when the app is started again.")
        # What is deleted is what the sentence above says, whatever has been selected or has finished since.
        digests = [run.digest for run in finished]
        st.button(
            "Delete permanently" if warning else "Delete recorded runs",
            type="primary",
            on_click=_delete,
            args=(digests,),
            key="runs-delete",
        )


@callback
def _delete(digests: Sequence[str]) -> None:
    services.scheduler().store.delete(changeable(digests))
    st.rerun()


def _runs_text(runs: Sequence[Run]) -> str:
    """The label of a single run; of several, their number in each state."""
    if len(runs) == 1:
        return f"“{escape_markdown(runs[0].label)}”"
    counts = Counter(state_title(run).lower() for run in runs)
    return f"these {len(runs)} runs ({', '.join(f'{count} {state}' for state, count in counts.items())})"
