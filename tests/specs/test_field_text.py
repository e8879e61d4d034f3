"""The grammar of a field's text: what it accepts, round trips, and that every entrance uses it."""

from collections.abc import Callable
from typing import Any

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnlab.cli.commands import _parse_setting, compare
from bnlab.specs.field_text import format_field, parse_field
from bnlab.specs.normalizers import FORMER_FIELDS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.url import comparison_from_url
from bnlab.specs.validation import SpecError, parse_spec
from bnlab.ui.compare.form import field_value
from tests.spec_strategies import specs

FIELDS = st.sampled_from([*RunSpec.model_fields, *FORMER_FIELDS, "speed"])
PIECES = st.sampled_from([*'0123456789-+.,;x× []()eE~="·１', "300", "10x100", "all", "true", "null", "relu"])
TEXTS = st.text(max_size=20) | st.lists(PIECES, max_size=8).map("".join)


def from_variant(name: str, text: str) -> RunSpec:
    comparison, errors = comparison_from_url({"v": [f"A~{name}~{text}"]})
    if errors:
        raise SpecError(errors[0])
    return comparison.variants[0].spec


def from_shared_parameter(name: str, text: str) -> RunSpec:
    comparison, errors = comparison_from_url({"v": ["A"], name: [text]})
    if errors:
        raise SpecError(errors[0])
    return comparison.variants[0].spec


def from_set(name: str, text: str) -> RunSpec:
    return parse_spec(dict([_parse_setting(f"{name}={text}")]))


def from_form(name: str, text: str) -> RunSpec:
    return parse_spec({name: field_value(name, text)})


ENTRANCES = [from_variant, from_shared_parameter, from_set, from_form]


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("hidden_units", "64", (64,)),
        ("hidden_units", "300-100", (300, 100)),
        ("hidden_units", "300,100", (300, 100)),
        ("hidden_units", "[300,100]", (300, 100)),
        ("hidden_units", "[300, 100]", (300, 100)),
        ("hidden_units", "300 100", (300, 100)),
        ("hidden_units", "(64)", (64,)),
        ("hidden_units", "10x100", (100,) * 10),
        ("hidden_units", "10 x 100", (100,) * 10),
        ("hidden_units", "2x50-3X20", (50, 50, 20, 20, 20)),
        ("hidden_units", "[2×50, 7]", (50, 50, 7)),
        ("train_examples", "all", None),
        ("train_examples", "", None),
        ("train_examples", "500", 500),
        ("learning_rate", "1e-3", 1e-3),
        ("learning_rate", "0,5", 0.5),
        ("use_bias", "false", False),
        ("epochs", "3", 3),
        ("placement", "before_activation", "before_activation"),
    ],
)
def test_accepted(entrance: Callable[[str, str], RunSpec], name: str, text: str, value: Any) -> None:
    assert getattr(entrance(name, text), name) == value


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize(
    ("name", "text", "given", "example"),
    [
        ("hidden_units", "0x100", "'0×100'", "300-100 or 10x100"),
        ("hidden_units", "300--100", "'300--100'", "300-100 or 10x100"),
        ("hidden_units", "wide", "'wide'", "300-100 or 10x100"),
        ("hidden_units", "", "nothing", "300-100 or 10x100"),
        ("hidden_units", "51x10", "[10, 10", "300-100 or 10x100"),
        ("train_examples", "5,000", "'5,000'", "5000 or all"),
        ("train_examples", "many", "'many'", "5000 or all"),
    ],
)
def test_refused_with_an_example(
    entrance: Callable[[str, str], RunSpec], name: str, text: str, given: str, example: str
) -> None:
    with pytest.raises(SpecError) as raised:
        entrance(name, text)
    assert given in str(raised.value)
    assert f"as in {example}" in str(raised.value)


def test_setting_without_a_value_is_refused_with_an_example() -> None:
    with pytest.raises(click.UsageError, match="as in --set hidden_units=300-100, but 'epochs' was given"):
        _parse_setting("epochs")


def test_the_help_explains_the_grammar() -> None:
    (help_text,) = [str(p.help) for p in compare.params if isinstance(p, click.Option) and p.name == "settings"]
    for text in ("300-100", "[300,100]", "10x100", "train_examples=all"):
        assert text in help_text


def check_round_trip(spec: RunSpec) -> None:
    values = spec.model_dump(mode="json")
    assert parse_spec({name: parse_field(name, format_field(value)) for name, value in values.items()}) == spec


def check_any_text(name: str, text: str) -> None:
    """All entrances agree on the spec, or all refuse with a sentence."""
    results: list[RunSpec | None] = []
    sentences: list[str] = []
    for entrance in ENTRANCES if name in RunSpec.model_fields else (from_set, from_variant):
        try:
            results.append(entrance(name, text))
        except SpecError as error:
            results.append(None)
            sentences.append(str(error))
    assert results == results[:1] * len(results)
    assert all(sentence.endswith(".") for sentence in sentences)


@given(specs())
def test_round_trip(spec: RunSpec) -> None:
    check_round_trip(spec)


@given(FIELDS, TEXTS)
def test_any_text_is_a_value_or_refused_everywhere(name: str, text: str) -> None:
    check_any_text(name, text)


@pytest.mark.slow
@settings(max_examples=1_000)  # with four texts each, since generating a spec takes longer than checking it
@given(specs(), st.lists(st.tuples(FIELDS, TEXTS), min_size=4, max_size=4))
def test_thousands_of_texts_and_round_trips(spec: RunSpec, texts: list[tuple[str, str]]) -> None:
    check_round_trip(spec)
    for name, text in texts:
        check_any_text(name, text)
