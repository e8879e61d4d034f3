"""What the Runs page lists: to the address and back."""

from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.runs.run_table import FIELDS, STATES
from bnlab.ui.runs.query import (
    MAX_SEARCH_LENGTH,
    OPTIONAL_COLUMNS,
    RUNS_PARAMETERS,
    RunsQuery,
    query_from_url,
    query_to_url,
)

filters = st.dictionaries(st.just("label"), st.lists(st.text(), min_size=1, max_size=3, unique=True).map(tuple)) | (
    st.fixed_dictionaries({"state": st.sampled_from([*STATES]).map(lambda state: (state,)), "epochs": st.just(("3",))})
)
queries = st.builds(
    RunsQuery,
    search=st.text(max_size=MAX_SEARCH_LENGTH),
    filters=filters,
    group=st.sampled_from(["", *FIELDS]),
    columns=st.lists(st.sampled_from([*OPTIONAL_COLUMNS]), unique=True, max_size=3).map(tuple),
    timing=st.booleans(),
)


@given(queries)
def test_an_address_restores_what_is_listed(query: RunsQuery) -> None:
    text = urlencode(query_to_url(query), doseq=True)
    assert query_from_url(parse_qs(text, keep_blank_values=True)) == (query, [])


@given(st.dictionaries(st.sampled_from(RUNS_PARAMETERS), st.lists(st.text(max_size=30), max_size=3)))
def test_any_address_lists_something(parameters: dict[str, list[str]]) -> None:
    query, faults = query_from_url(parameters)
    assert all(fault.strip() for fault in faults)
    assert query_from_url(query_to_url(query)) == (query, [])


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"runs-filter": ["placement~nowhere"]}, ("Placement", "'nowhere'")),
        ({"runs-filter": ["epochs~many"]}, ("Epochs", "'many'")),
        ({"runs-filter": ["state~stoped"]}, ("'stoped'", "did you mean STOPPED?")),
        ({"runs-filter": ["lerning_rate~1"]}, ("'lerning_rate'", "did you mean learning_rate?")),
        ({"runs-group": ["optimiser"]}, ("'optimiser'", "did you mean optimizer?")),
        ({"runs-columns": ["epoch"]}, ("'epoch'", "did you mean epochs?")),
        ({"runs-timing": ["perhaps"]}, ("true or false", "'perhaps'")),
    ],
)
def test_what_cannot_be_listed_is_said_and_left_out(parameters: dict[str, list[str]], words: tuple[str, ...]) -> None:
    query, (fault,) = query_from_url({"runs-search": ["x"]} | parameters)
    assert query == RunsQuery(search="x")
    assert all(word in fault for word in words)


def test_values_of_one_field_are_read_together() -> None:
    query, _ = query_from_url({"runs-filter": ["seed~1", "placement~none", "seed~2", "seed~1", "momentum~unused"]})
    assert query.filters == {"seed": ("1", "2"), "placement": ("none",), "momentum": ("unused",)}
    assert query.with_filter("seed", []).filters == {"placement": ("none",), "momentum": ("unused",)}
