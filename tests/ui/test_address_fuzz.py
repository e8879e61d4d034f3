"""Any address is a page: it is read without an exception, and what it becomes is an address that means the same."""

from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnlab.charts.curve_settings import CurveSettings
from bnlab.specs.lesson import ALL_FIELDS, PARTS
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.state import PAGE_PARAMETERS, STATE_PARAMETERS, link_parameters, state_from_url, state_to_url
from tests.ui.hostile_names import HOSTILE_NAMES

FIELDS = [*RunSpec.model_fields, "renorm", "colour"]
VALUES = [
    "0",
    "1",
    "2",
    "-1",
    "1e999",
    "nan",
    "true",
    "null",
    "all",
    "[]",
    "{}",
    "300-100",
    "10x100",
    "relu",
    "none",
    "~",
]

texts = st.text(max_size=30) | st.sampled_from([*VALUES, *HOSTILE_NAMES, *PRESETS, *PARTS, ALL_FIELDS])
fields = st.lists(st.tuples(st.sampled_from(FIELDS) | texts, texts), max_size=3)
variants = st.builds(lambda name, pairs: "~".join([name, *(part for pair in pairs for part in pair)]), texts, fields)
names = st.sampled_from([*STATE_PARAMETERS, *PAGE_PARAMETERS, *CurveSettings.model_fields, "opens", "embed"]) | texts
addresses = st.builds(
    lambda parameters, shown: parameters | ({"v": shown} if shown else {}),
    st.dictionaries(names, st.lists(texts, max_size=2), max_size=6),
    st.lists(variants, max_size=9),
)


def check_address(parameters: dict[str, list[str]]) -> None:
    state = state_from_url(parameters)
    assert all(fault[-1] in ".?" and "\n" not in fault and "Traceback" not in fault for fault in state.faults)
    query = urlencode(state_to_url(state), doseq=True, errors="strict")
    again = state_from_url(parse_qs(query, keep_blank_values=True))
    assert (again.comparison, again.settings, again.lesson) == (state.comparison, state.settings, state.lesson)
    assert again.faults == []
    assert link_parameters(state, state.comparison)["opens"] == ["1"]


@given(addresses)
def test_any_address_is_a_page(parameters: dict[str, list[str]]) -> None:
    check_address(parameters)


@pytest.mark.slow
@settings(max_examples=2_000)  # with the texts of fields and the labels, 10,000 cases
@given(addresses)
def test_thousands_of_addresses_are_pages(parameters: dict[str, list[str]]) -> None:
    check_address(parameters)
