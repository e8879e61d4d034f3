"""Parsing of user input and its error messages."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import SpecError, allowed_values, parse_spec, revise_spec
from tests.spec_strategies import PROPERTIES

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def error_for(**values: Any) -> str:
    with pytest.raises(SpecError) as raised:
        parse_spec(values)
    return str(raised.value)


def test_parse_valid_values() -> None:
    assert parse_spec({"epochs": 3, "hidden_units": [8, 4]}) == RunSpec(epochs=3, hidden_units=(8, 4))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"epochs": 0}, "Epochs must be a whole number from 1 to 1,000, but 0 was given."),
        ({"epochs": 2.5}, "Epochs must be a whole number from 1 to 1,000, but 2.5 was given."),
        (
            {"seed": 2**31},
            "Seed must be a whole number from 0 to 2,147,483,647, but 2147483648 was given.",
        ),
        ({"learning_rate": 0}, "Learning rate must be a number above 0 and at most 100, but 0 was given."),
        ({"learning_rate": "fast"}, "Learning rate must be a number above 0 and at most 100, but 'fast' was given."),
        ({"momentum": 1.0}, "BN momentum (momentum) must be a number at least 0 and below 1, but 1 was given."),
        ({"center": "maybe"}, "Center must be true or false, but 'maybe' was given."),
        (
            {"placement": "within"},
            "Placement must be one of none, before_activation, after_activation, but 'within' was given.",
        ),
        ({"dataset": None}, "Dataset must be one of mnist, fashion_mnist, cifar10, but nothing was given."),
        (
            {"hidden_units": [8, 0, -1]},
            "Hidden units must be a list of 1 to 50 entries, each a whole number from 1 to 2,048, "
            "as in 300-100 or 10x100, but an entry of 0 was given.",
        ),
        (
            {"hidden_units": 8},
            "Hidden units must be a list of 1 to 50 entries, each a whole number from 1 to 2,048, "
            "as in 300-100 or 10x100, but 8 was given.",
        ),
        (
            {"train_examples": 0},
            "Training examples (train_examples) must be a whole number at least 1 or nothing, "
            "as in 5000 or all, but 0 was given.",
        ),
        (
            {"train_examples": 55_001},
            "Training examples (train_examples) must be at most 55,000, all that MNIST has for training, "
            "but 55001 was given.",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_error_message(values: dict[str, Any], sentence: str) -> None:
    assert error_for(**values) == sentence


def test_unknown_field() -> None:
    message = error_for(epoch=3)
    assert message.startswith("epoch is not a field of a run; the fields are placement, ")
    assert all(name in message for name in RunSpec.model_fields)


def test_one_sentence_per_invalid_field() -> None:
    message = error_for(epochs=0, hidden_units=[0, 0], seed=-1)
    assert message.count(" was given.") == 3
    assert [message.count(f"{name} must be") for name in ("Epochs", "Hidden units", "Seed")] == [1, 1, 1]


def test_long_value_is_shortened() -> None:
    assert "but " + "'" + "x" * 56 + "... was given" in error_for(placement="x" * 1_000)


def test_unknown_dataset_is_the_only_error() -> None:
    assert "train_examples" not in error_for(dataset="imagenet", train_examples=1_000_000)


@pytest.mark.parametrize("junk", [None, 3, "epochs", ["epochs"]])
def test_input_that_is_no_mapping(junk: Any) -> None:
    with pytest.raises(SpecError, match=r"^A run is described by its fields, but .* was given\.$"):
        parse_spec(junk)


@pytest.mark.parametrize("name", RunSpec.model_fields)
def test_allowed_values_of_every_field(name: str) -> None:
    assert allowed_values(name)
    assert allowed_values(name) in error_for(**{name: {"not": "this"}})


@given(values=st.dictionaries(st.sampled_from(list(PROPERTIES)) | st.text(max_size=8), JUNK, max_size=4) | JUNK)
def test_any_input_gives_a_spec_or_a_sentence(values: Any) -> None:
    try:
        spec = parse_spec(values)
    except SpecError as error:
        message = str(error)
    else:
        assert parse_spec(spec.model_dump()) == spec
        return
    assert message.endswith(".")


def test_revise_keeps_other_fields() -> None:
    spec = RunSpec(placement="before_activation", seed=4)
    assert revise_spec(spec, {"epochs": 2}) == RunSpec(placement="before_activation", seed=4, epochs=2)
    assert spec.epochs == 10


def test_revise_validates() -> None:
    with pytest.raises(SpecError, match="at most 45,000, all that CIFAR-10 has"):
        revise_spec(RunSpec(train_examples=50_000), {"dataset": "cifar10"})
    with pytest.raises(SpecError, match="Epochs must be"):
        revise_spec(RunSpec(), {"epochs": "ten"})
