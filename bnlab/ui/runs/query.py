"""What the Runs page lists: search, filters, grouping and columns. All of it is in the URL.

`runs-filter=placement~none` wants a value of a field; several values of a field are alternatives, and several fields
must all match. `runs-group=placement`, `runs-columns=epsilon`, `runs-search=...` and `runs-timing=true` are the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from bnlab.runs.run_table import FIELDS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import SpecError, did_you_mean

SEARCH, FILTER, GROUP, COLUMNS, TIMING = "runs-search", "runs-filter", "runs-group", "runs-columns", "runs-timing"
RUNS_PARAMETERS = (SEARCH, FILTER, GROUP, COLUMNS, TIMING)
"""Parameters that the page writes itself."""
OPTIONAL_COLUMNS: dict[str, str] = {
    **{name: str(spec_field.title) for name, spec_field in RunSpec.model_fields.items()},
    "made": "Created",
    "digest": "Digest",
}
"""The titles of the columns that a reader can add; those of fields that differ are there without."""
MAX_SEARCH_LENGTH = 200
BOOLEANS = {"true": True, "false": False}
QUERY = "runs_query"
"""Session key of the query."""


@dataclass(frozen=True)
class RunsQuery:
    """What is listed, and how.

    Attributes:
        search: words that a run's row or spec must contain, all of them.
        filters: by the id of a field, the texts of the wanted values.
        group: the id of the field by which runs are grouped; empty for none.
        columns: additional columns, keys of OPTIONAL_COLUMNS.
        timing: whether columns that were measured with a clock are shown.
    """

    search: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    group: str = ""
    columns: tuple[str, ...] = ()
    timing: bool = False

    @property
    def is_narrowed(self) -> bool:
        """Whether it may leave out runs."""
        return bool(self.search.strip() or self.filters)

    @property
    def shows_states(self) -> bool:
        """Whether what is listed may depend on whether a run waits or trains."""
        return bool(self.search.strip()) or "state" in self.filters or self.group == "state"

    def with_filter(self, name: str, texts: Sequence[str]) -> "RunsQuery":
        """Replace the wanted values of a field; none removes its filter."""
        others = {other: wanted for other, wanted in self.filters.items() if other != name}
        return replace(self, filters=others | ({name: tuple(texts)} if texts else {}))


def runs_query() -> RunsQuery:
    """The session's query, read from the URL when the page is opened first, and written to the URL."""
    if QUERY not in st.session_state:
        parameters = {name: st.query_params.get_all(name) for name in RUNS_PARAMETERS}
        st.session_state[QUERY], _ = query_from_url(parameters)
    query = current_query()
    wanted = query_to_url(query)
    for name in RUNS_PARAMETERS:
        if name in st.query_params and name not in wanted:
            del st.query_params[name]
        elif wanted.get(name, []) != st.query_params.get_all(name):
            st.query_params[name] = wanted[name]
    return query


def current_query() -> RunsQuery:
    """The session's query, for callbacks: the page that drew their controls has read it from the URL."""
    query: RunsQuery = st.session_state[QUERY]
    return query


def change_query(**changes: Any) -> None:
    """Change the session's query, in a callback."""
    st.session_state[QUERY] = replace(current_query(), **changes)


def query_from_url(parameters: Mapping[str, Sequence[str]]) -> tuple[RunsQuery, list[str]]:
    """The query of a URL's parameters, and a sentence for each value that is left out because it is not valid."""
    faults: list[str] = []
    query = RunsQuery(_last(parameters, SEARCH)[:MAX_SEARCH_LENGTH])
    for text in filter(None, parameters.get(FILTER, ())):
        name, _, value = text.partition("~")
        if name not in FIELDS:
            faults.append(f"Runs cannot be filtered by {name[:40]!r}{did_you_mean(name, FIELDS)}")
            continue
        try:
            value = FIELDS[name].parse(value)
        except SpecError as error:
            faults.append(f"The filter of runs is left out: {error}")
            continue
        query = query.with_filter(name, list(dict.fromkeys((*query.filters.get(name, ()), value))))
    if group := _last(parameters, GROUP):
        if group in FIELDS:
            query = replace(query, group=group)
        else:
            faults.append(f"Runs cannot be grouped by {group[:40]!r}{did_you_mean(group, FIELDS)}")
    columns = list(dict.fromkeys(filter(None, parameters.get(COLUMNS, ()))))
    query = replace(query, columns=tuple(name for name in columns if name in OPTIONAL_COLUMNS))
    unknown = [name for name in columns if name not in OPTIONAL_COLUMNS]
    faults += [f"There is no column {name[:40]!r}{did_you_mean(name, OPTIONAL_COLUMNS)}" for name in unknown]
    if timing := _last(parameters, TIMING):
        query = replace(query, timing=BOOLEANS.get(timing.lower(), False))
        if timing.lower() not in BOOLEANS:
            faults.append(f"Timing ({TIMING}) must be true or false, but {timing[:40]!r} was given.")
    return query, faults


def query_to_url(query: RunsQuery) -> dict[str, list[str]]:
    """The parameters that `query_from_url` turns into this query; defaults are left out."""
    values = {
        SEARCH: [query.search] if query.search else [],
        FILTER: [f"{name}~{text}" for name, texts in query.filters.items() for text in texts],
        GROUP: [query.group] if query.group else [],
        COLUMNS: list(query.columns),
        TIMING: ["true"] if query.timing else [],
    }
    return {name: texts for name, texts in values.items() if texts}


def runs_faults(parameters: Mapping[str, Sequence[str]]) -> list[str]:
    """A sentence for each value that the page cannot take."""
    return query_from_url(parameters)[1]


def _last(parameters: Mapping[str, Sequence[str]], name: str) -> str:
    return next(reversed(parameters.get(name, ())), "")
