"""A difference, applied as static/live_stream.js applies it, turns one document into the other."""

import base64
import copy
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.live.events import difference, encode, event

floats = st.lists(st.floats(width=32), max_size=6).map(lambda values: np.array(values, np.float32))
matrices = st.integers(1, 3).flatmap(
    lambda columns: st.lists(st.lists(st.floats(width=32), min_size=columns, max_size=columns), min_size=1, max_size=4)
).map(lambda values: np.array(values, np.float32))  # fmt: skip
leaves = st.text(max_size=3) | st.integers(-3, 3) | st.lists(st.integers(0, 2), max_size=2) | floats | matrices
documents = st.recursive(
    st.dictionaries(st.sampled_from("abc"), leaves, max_size=3),
    lambda parts: st.dictionaries(st.sampled_from("abc"), leaves | parts, max_size=3),
)


def merge(before: Any, patch: Any) -> Any:
    if isinstance(patch, dict) and "add" in patch:
        keep, tail = patch["add"]
        return np.concatenate([before[:keep], decode(tail).reshape(-1, *before.shape[1:])])
    if isinstance(patch, dict) and "mix" in patch:
        kept, places, others = patch["mix"]
        old, added = before[flags(kept)[: len(before)]], decode(others).reshape(-1, *before.shape[1:])
        values = np.empty((len(old) + len(added), *before.shape[1:]), np.float32)
        is_old = flags(places)[: len(values)]
        values[is_old], values[~is_old] = old, added
        return values
    if not isinstance(patch, dict):
        return patch
    if "f4" in patch:
        return decode(patch["f4"]).reshape(-1, patch["columns"]) if "columns" in patch else decode(patch["f4"])
    if "even" in patch:
        start, step, length = patch["even"]
        return (start + step * np.arange(length)).astype(np.float32)
    result = dict(before) if isinstance(before, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result


def decode(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4")


def flags(text: str) -> np.ndarray:
    return np.unpackbits(np.frombuffer(base64.b64decode(text), np.uint8), bitorder="little").astype(bool)


def sent(value: object) -> Any:
    """What arrives: JSON knows neither NaN nor arrays, so they must not be in it as such."""
    return json.loads(json.dumps(value, allow_nan=False))


def assert_same(received: Any, document: Any) -> None:
    """Evenly spaced values are rounded, all others are exact."""
    if isinstance(document, dict):
        assert received.keys() == document.keys()
        for name, value in document.items():
            assert_same(received[name], value)
    elif isinstance(document, np.ndarray):
        np.testing.assert_allclose(received, document, rtol=1e-3)
    else:
        assert received == document


@given(documents, documents)
def test_a_difference_leads_from_one_document_to_the_other(old: dict, new: dict) -> None:
    received = merge({}, sent(encode(old)))
    assert_same(received, old)
    assert_same(merge(received, sent(difference(old, new))), new)


@given(documents)
def test_equal_documents_have_no_difference(document: dict) -> None:
    assert difference(document, copy.deepcopy(document)) == {}


@pytest.mark.parametrize("values", [[math.nan, 1.5, math.inf], [3e-5, 1, 7]])
def test_values_arrive_bit_by_bit(values: list[float]) -> None:
    array = np.array(values, np.float32)
    np.testing.assert_array_equal(merge({}, sent(encode({"y": array})))["y"], array)


def test_a_grown_array_sends_only_its_new_values() -> None:
    old = {"chart": {"x": np.arange(60.0), "name": "A"}}
    new = {"chart": {"x": np.arange(62.0), "name": "A"}}
    keep, tail = difference(old, new)["chart"]["x"]["add"]
    assert keep == 60
    assert decode(tail).tolist() == [60, 61]


def test_a_changed_end_of_an_array_is_replaced() -> None:
    keep, tail = difference({"y": np.array([1.0, 2.0, 3.0])}, {"y": np.array([1.0, 2.0, 2.5])})["y"]["add"]
    assert (keep, decode(tail).tolist()) == (2, [2.5])


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["kept", "gone", "new"])), max_size=60))
def test_a_curve_that_is_thinned_anew_is_received_as_it_is(course: list[tuple[int, str]]) -> None:
    """Values repeat, as accuracies do."""
    old = np.array([value for value, kind in course if kind != "new"], np.float32)
    new = np.array([value for value, kind in course if kind != "gone"], np.float32)
    received = merge({"y": old}, sent(difference({"y": old}, {"y": new})))
    np.testing.assert_allclose(received["y"], new, rtol=1e-3)


def test_a_curve_that_is_thinned_anew_sends_only_the_values_it_did_not_have() -> None:
    curve = np.random.default_rng(0).normal(size=300).astype(np.float32)
    old, new = curve[:180], np.sort(np.r_[np.arange(0, 180, 2), 181, 183])
    change = difference({"y": old}, {"y": curve[new]})
    _, _, others = change["y"]["mix"]
    assert decode(others).tolist() == curve[[181, 183]].tolist()
    assert merge({"y": old}, sent(change))["y"].tolist() == curve[new].tolist()
    assert len(json.dumps(change)) < len(json.dumps(encode(curve[new]))) / 3


@pytest.mark.parametrize("text", ["one\ntwo", "data: x\n\nid: 7"])
def test_no_text_ends_an_event_early(text: str) -> None:
    sent_event = event("change", "a-1", {"text": text}).decode()
    assert sent_event.endswith("\n\n")
    fields = dict(line.split(": ", 1) for line in sent_event[:-2].split("\n"))
    assert json.loads(fields.pop("data")) == {"text": text}
    assert fields == {"id": "a-1", "event": "change"}
