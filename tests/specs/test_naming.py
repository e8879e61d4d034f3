"""Names of variants that follow what differs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.specs.comparison import MAX_LABEL_LENGTH, Comparison
from bnlab.specs.naming import generated_labels, with_current_labels
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.url import comparison_from_url, comparison_to_url, preset_of
from tests.spec_strategies import specs

PLACEMENT = PRESETS["placement"].comparison


def changed(comparison: Comparison, label: str | None = None, **changes: object) -> Comparison:
    return with_current_labels(comparison, comparison.with_changes(dict(changes), label))


def test_names_say_what_differs() -> None:
    assert generated_labels([variant.spec for variant in PLACEMENT.variants]) == PLACEMENT.labels
    rates = [RunSpec(learning_rate=rate) for rate in (0.1, 1.0)]
    assert generated_labels(rates) == ["learning rate 0.1", "learning rate 1"]
    biased = [RunSpec(placement="before_activation", use_bias=bias) for bias in (True, False)]
    assert generated_labels(biased) == ["BN before ReLU", "use bias: no"]
    assert generated_labels(biased[:1]) == ["BN before ReLU"], "alone it differs from nothing"
    layer = RunSpec(placement="after_activation", normalizer="layer_normalization")
    assert generated_labels([layer, RunSpec()])[0].endswith("after ReLU")


def test_a_name_follows_the_activation() -> None:
    """A network with tanh was called "BN after ReLU"."""
    tanh = changed(PLACEMENT, activation="tanh")
    assert tanh.labels == ["No BN", "BN after Tanh", "BN before Tanh"]
    assert changed(tanh, activation="relu") == PLACEMENT
    assert comparison_from_url(comparison_to_url(tanh)) == (tanh, [])
    one = changed(PLACEMENT, "BN after ReLU", activation="tanh")
    assert one.labels == ["No BN", "BN after Tanh", "BN before ReLU"]


def test_a_typed_name_stays() -> None:
    typed = PLACEMENT.with_label("BN after ReLU", "Mine")
    assert changed(typed, activation="tanh").labels == ["No BN", "Mine", "BN before Tanh"]


def test_a_presets_names_stay_while_they_are_true() -> None:
    notebook = PRESETS["notebook"].comparison
    assert changed(notebook, epochs=3).labels == notebook.labels
    placed = changed(notebook, "Approach 2", placement="none")
    assert placed.labels[:2] == notebook.labels[:2]
    assert placed.labels[3] != "Approach 2"
    assert preset_of(changed(placed, placed.labels[3], placement="before_activation")) == "notebook"


def test_equal_networks_have_numbers() -> None:
    rates = PRESETS["learning_rates"].comparison
    names = changed(rates, learning_rate=0.5).labels
    assert len(set(names)) == 4
    assert {name.removesuffix(" (2)") for name in names} == {"No BN", "BN before ReLU"}
    copy = PLACEMENT.with_variant(PLACEMENT.variants[1])
    assert changed(copy, copy.labels[-1], epochs=3).labels[-1] == "BN after ReLU, epochs 3"


@given(st.lists(specs(), min_size=1, max_size=8), st.sampled_from(list(PRESETS)))
def test_every_name_is_valid(some: list[RunSpec], preset: str) -> None:
    labels = generated_labels(some)
    assert all(0 < len(label) < MAX_LABEL_LENGTH for label in labels)
    comparison = PRESETS[preset].comparison
    fields = some[0].model_dump(exclude={"seed"})
    named = changed(comparison, **fields)
    assert len(set(named.labels)) == len(comparison.labels)
    assert comparison_from_url(comparison_to_url(named)) == (named, [])


@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_changes_by_itself(name: str) -> None:
    comparison = PRESETS[name].comparison
    assert with_current_labels(comparison, comparison) == comparison
