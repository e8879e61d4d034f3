"""The menu in which the note and the tags of chosen runs are written."""

from collections.abc import Iterable, Sequence
from typing import Any

import streamlit as st

from bnlab.runs.annotations import MAX_NOTE_LENGTH, MAX_TAG_LENGTH, MAX_TAGS
from bnlab.runs.rights import Rights
from bnlab.runs.run import Run
from bnlab.ui import services
from bnlab.ui.store_errors import callback
from bnlab.ui.visitor import changeable

TAGS, NOTE = "runs-tags", "runs-note"
"""How the keys of the fields begin."""
COMMON = "runs-common-tags"
"""How the session keys of the tags begin that a menu showed as those of all its runs."""


def render_annotate(chosen: Sequence[Run], known_tags: Iterable[str], rights: Rights) -> None:
    """Draw the menu: tags and note of one run; of several, the tags that all of them have.

    `known_tags` are offered.
    """
    refusals = list(filter(None, map(rights.why_not_change, chosen)))
    allowed = [run for run in chosen if not rights.why_not_change(run)]
    common = set.intersection(*(set(run.tags) for run in allowed)) if allowed else set()
    # The key contains what is stored, so that the menu is a new, closed one after it was changed.
    key = hash(tuple((run.digest, run.note, run.tags) for run in chosen))
    is_one = len(chosen) == 1
    with (
        st.popover(
            "Tags and note" if is_one else "Tags",
            icon=":material/sell:",
            disabled=not allowed,
            help=refusals[0] if refusals and not allowed else None,
            key=f"runs-annotate-{key}",
        ),
        st.form("annotate", border=False),
    ):
        st.multiselect(
            "Tags",
            sorted({*known_tags, *common}, key=str.casefold),
            default=sorted(common, key=str.casefold),
            accept_new_options=True,
            max_selections=MAX_TAGS,
            placeholder="none; type to add one",
            help=f"Up to {MAX_TAGS}, each of at most {MAX_TAG_LENGTH} characters.",
            key=f"{TAGS}-{key}",
        )
        if is_one:
            st.text_area("Note", chosen[0].note, max_chars=MAX_NOTE_LENGTH, key=f"{NOTE}-{key}")
        elif refusals:
            st.caption(f"{len(refusals)} stay{'s' if len(refusals) == 1 else ''} as before: {refusals[0]}")
        digests = tuple(run.digest for run in allowed)
        st.session_state[f"{COMMON}-{key}"] = common
        arguments: dict[str, Any] = {"on_click": _save, "args": (digests, key)}
        st.form_submit_button("Save", key="runs-annotate", type="primary", **arguments)


@callback
def _save(digests: Sequence[str], key: int) -> None:
    """Store what the menu shows, for the runs among `digests` that may be changed. A callback of its button."""
    tags, common = st.session_state.get(f"{TAGS}-{key}"), st.session_state.get(f"{COMMON}-{key}")
    if tags is None or common is None:
        return
    store, allowed, note = services.scheduler().store, changeable(digests), st.session_state.get(f"{NOTE}-{key}")
    if note is None:  # several runs: tags that only some of them have stay
        store.change_tags(allowed, add=tags, remove=common - set(tags))
    elif allowed:
        store.annotate(allowed[0], note, tags)
    st.rerun()
