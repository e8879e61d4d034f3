"""Differences between specs, and formatted values."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bnlab.specs.diff import (
    NO_VALUE,
    REGISTRIES,
    confounded_settings,
    differing_fields,
    differing_settings,
    differing_values,
    format_value,
)
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec
from tests.spec_strategies import PROPERTIES, specs

NORMALIZED = RunSpec(placement="before_activation")


def test_differences_of_the_notebooks_networks() -> None:
    specs_by_label = {v.label: v.spec for v in PRESETS["notebook"].variants[1::2]}
    printed, second = specs_by_label
    assert differing_fields(specs_by_label) == {
        "Placement": {printed: "After the activation", second: "Before the activation"},
        "Use bias": {printed: "yes", second: "no"},
        "Initializer": {printed: "He normal", second: "Glorot uniform"},
        "Activation": {printed: "Linear (none)", second: "ReLU"},
    }


def test_values_that_differ_are_named_with_their_field_unless_they_are_choices() -> None:
    specs_by_label = {v.label: v.spec for v in PRESETS["notebook"].variants[:2]}
    plain, printed = specs_by_label
    assert differing_values(specs_by_label) == {
        plain: ["Placement: None", "Normalize the input: no", "Leaky ReLU"],
        printed: ["After the activation", "Normalize the input: yes", "Linear (none)"],
    }
    assert differing_values({"A": NORMALIZED, "B": RunSpec()}) == {
        "A": ["Before the activation"],
        "B": ["Placement: None"],
    }
    slow = revise_spec(NORMALIZED, {"momentum": 0.999, "use_bias": False, "hidden_units": (16,)})
    assert differing_values({"A": NORMALIZED, "B": slow})["B"] == [
        "Use bias: no",
        "Hidden units: 16",
        "BN momentum: 0.999",
    ]
    assert differing_values({"A": slow}) == {"A": []}


def test_settings_are_confounded_unless_they_change_one_at_a_time() -> None:
    plain, before = RunSpec(), NORMALIZED
    rate = revise_spec(before, {"learning_rate": 1.0})
    assert differing_settings({"a": plain, "b": rate}, "a", "b") == ["Placement", "Learning rate"]
    assert confounded_settings({"a": plain, "b": rate}) == ["Placement", "Learning rate"]
    assert confounded_settings({"a": plain, "b": rate, "c": before}) == [], "c differs in one setting from each"
    assert confounded_settings({"a": plain, "same": plain}) == []
    measured = revise_spec(before, {"evaluate_with": "all"})
    assert confounded_settings({"a": plain, "measured": measured}) == [], "how a run is evaluated changes no weight"
    assert differing_settings({"a": plain, "measured": measured}, "a", "measured") == ["Placement"]
    assert list(differing_fields({"a": plain, "measured": measured})) == ["Placement", "Evaluate with"]
    both = revise_spec(rate, {"evaluate_with": "all"})
    assert confounded_settings({"a": plain, "both": both}) == ["Placement", "Learning rate"]
    notebook = {variant.label: variant.spec for variant in PRESETS["notebook"].variants}
    assert confounded_settings(notebook) == [
        "Placement",
        "Normalize the input",
        "Use bias",
        "Initializer",
        "Activation",
    ]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("placement", "none", "None"),
        ("dataset", "fashion_mnist", "Fashion-MNIST"),
        ("input_normalization", True, "yes"),
        ("use_bias", False, "no"),
        ("normalizer", "layer_normalization", "Layer normalization"),
        ("train_examples", None, "all"),
        ("train_examples", 55_000, "55,000"),
        ("epochs", 10, "10"),
        ("hidden_units", (300, 100), "300 · 100"),
        ("hidden_units", (7,), "7"),
        ("hidden_units", [100] * 20, "20 × 100"),
        ("hidden_units", (300, 50, 50, 50, 10, 10), "300 · 3 × 50 · 10 · 10"),
        ("learning_rate", 0.01, "0.01"),
        ("learning_rate", 1e-5, "0.00001"),
        ("learning_rate", 0.1234567891, "0.1234567891"),
        ("learning_rate", 100.0, "100"),
        ("learning_rate", 5e-324, "5e-324"),
        ("momentum", 0.0, "0"),
        ("epsilon", 1, "1"),
    ],
)
def test_format_value(name: str, value: Any, text: str) -> None:
    assert format_value(name, value) == text


def test_every_choice_has_its_registry() -> None:
    chosen = {name: schema["enum"] for name, schema in PROPERTIES.items() if "enum" in schema}
    assert chosen == {name: list(registry) for name, registry in REGISTRIES.items()}


def test_equal_specs_have_no_differences() -> None:
    assert differing_fields({}) == {}
    assert differing_fields({"A": RunSpec(), "B": RunSpec()}) == {}


def test_bn_fields_have_no_effect_without_bn() -> None:
    without = RunSpec(momentum=0.5)
    assert differing_fields({"A": without, "B": RunSpec(momentum=0.9)}) == {}
    assert list(differing_fields({"A": without, "B": NORMALIZED})) == ["Placement"]
    slow = revise_spec(NORMALIZED, {"momentum": 0.999})
    assert differing_fields({"A": without, "B": slow})["BN momentum"] == {"A": NO_VALUE, "B": "0.999"}
    both = differing_fields({"A": without, "B": slow, "C": NORMALIZED})
    assert both["BN momentum"] == {"A": NO_VALUE, "B": "0.999", "C": "0.99"}


def test_bn_fields_have_an_effect_with_input_normalization() -> None:
    specs_by_label = {"A": RunSpec(input_normalization=True), "B": RunSpec(input_normalization=True, epsilon=1e-5)}
    assert differing_fields(specs_by_label) == {"Epsilon": {"A": "0.001", "B": "0.00001"}}


def test_only_fields_of_the_normalizer_have_an_effect() -> None:
    layer = revise_spec(NORMALIZED, {"normalizer": "layer_normalization"})
    assert differing_fields({"A": NORMALIZED, "B": layer}) == {
        "Normalizer": {"A": "Batch normalization", "B": "Layer normalization"}
    }
    assert differing_fields({"A": layer, "B": revise_spec(layer, {"momentum": 0.5})}) == {}
    assert differing_fields({"A": RunSpec(), "B": RunSpec(normalizer="layer_normalization")}) == {}


def test_noise_has_an_effect_only_in_hidden_layers() -> None:
    without = RunSpec(input_normalization=True)
    assert differing_fields({"A": without, "B": revise_spec(without, {"noise": True})}) == {}
    both = differing_fields({"A": NORMALIZED, "B": revise_spec(NORMALIZED, {"noise": True})})
    assert both == {"Noise after normalization": {"A": "no", "B": "yes"}}


def test_stddev_has_an_effect_only_for_random_normal() -> None:
    he, normal = (
        RunSpec(kernel_initializer="he_normal", initializer_stddev=3),
        RunSpec(kernel_initializer="random_normal"),
    )
    assert list(differing_fields({"A": he, "B": revise_spec(he, {"initializer_stddev": 1})})) == []
    assert list(differing_fields({"A": he, "B": normal})) == ["Initializer"]
    large = revise_spec(normal, {"initializer_stddev": 5})
    assert differing_fields({"A": he, "B": large})["Initializer's stddev"] == {"A": NO_VALUE, "B": "5"}


@given(st.lists(specs(), max_size=4))
def test_differences_have_every_label_and_runspecs_order(spec_list: list[RunSpec]) -> None:
    differing = differing_fields({str(i): spec for i, spec in enumerate(spec_list)})
    titles = [field.title for field in RunSpec.model_fields.values()]
    assert list(differing) == [title for title in titles if title in differing]
    for values in differing.values():
        assert list(values) == [str(i) for i in range(len(spec_list))]
        assert len(set(values.values())) > 1


@given(
    specs(placement="before_activation", normalizer="batch_normalization", kernel_initializer="random_normal"),
    specs(),
    st.data(),
)
def test_one_change_is_one_difference(spec: RunSpec, other: RunSpec, data: st.DataObject) -> None:
    fields = set(RunSpec.model_fields) - {"placement", "normalizer", "kernel_initializer", "dataset", "train_examples"}
    name = data.draw(st.sampled_from(sorted(fields)))
    assume(getattr(spec, name) != getattr(other, name))
    changed = revise_spec(spec, {name: getattr(other, name)})
    assert differing_fields({"A": spec, "B": changed}) == {
        RunSpec.model_fields[name].title: {
            "A": format_value(name, getattr(spec, name)),
            "B": format_value(name, getattr(other, name)),
        }
    }
