"""Comparisons in URLs: round trips, errors, arbitrary parameters, and links of version 0.1."""

from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.specs.comparison import MAX_SEEDS, MAX_VARIANTS, Comparison, Variant
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.url import COMPARISON_PARAMETERS, comparison_from_url, comparison_to_url, preset_of
from tests.old_store import DESCRIPTION
from tests.spec_strategies import specs

LABELS = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="~"), min_size=1, max_size=40)
COMPARISONS = st.lists(LABELS, min_size=1, max_size=MAX_VARIANTS, unique=True).flatmap(
    lambda labels: st.builds(
        lambda drawn_specs, colours, seeds: Comparison(
            tuple(
                Variant(label, spec.model_copy(update={"seed": spec.seed % 1000}), colour)
                for label, spec, colour in zip(labels, drawn_specs, colours, strict=True)
            ),
            seeds,
        ),
        st.lists(specs(), min_size=len(labels), max_size=len(labels)),
        st.permutations(range(MAX_VARIANTS)).map(lambda order: order[: len(labels)]),
        st.integers(1, MAX_SEEDS),
    )
)


@given(COMPARISONS)
def test_round_trip(comparison: Comparison) -> None:
    query = urlencode(comparison_to_url(comparison), doseq=True)
    assert comparison_from_url(parse_qs(query, keep_blank_values=True)) == (comparison, [])


@pytest.mark.parametrize("name", PRESETS)
def test_preset_is_named(name: str) -> None:
    own = PRESETS[name].recorded_comparison if PRESETS[name].question else PRESETS[name].comparison
    assert comparison_from_url({"preset": [name]}) == (own, [])
    for seeds in (1, 2, 3):
        comparison = own.with_seeds(seeds)
        parameters = comparison_to_url(comparison)
        assert parameters in ({}, {"preset": [name]}, {"preset": [name], "seeds": [str(seeds)]})
        assert comparison_from_url(parameters) == (comparison, [])


def test_the_preset_of_a_question_has_the_seeds_of_its_recording_unless_the_link_says_otherwise() -> None:
    bias, notebook = PRESETS["bias"].comparison, PRESETS["notebook"].comparison
    assert comparison_from_url({"preset": ["bias"], "x": ["step"]}) == (bias.with_seeds(3), [])
    assert comparison_from_url({"preset": ["bias"], "seeds": ["1"]}) == (bias, [])
    assert comparison_to_url(bias) == {"preset": ["bias"], "seeds": ["1"]}
    changed = bias.with_changes({"epochs": 3})
    assert comparison_from_url({"preset": ["bias"], "epochs": ["3"]}) == (changed, []), "nothing of it is recorded"
    assert comparison_to_url(changed) == {"preset": ["bias"], "epochs": ["3"]}
    assert comparison_from_url({"preset": ["notebook"]}) == (notebook, []), "as in links of earlier versions"


def test_an_address_without_parameters_is_the_first_preset_with_its_recorded_seeds() -> None:
    default = next(iter(PRESETS.values())).recorded_comparison
    assert comparison_from_url({}) == comparison_from_url({"x": ["step"]}) == (default, [])
    assert comparison_to_url(default) == {}
    assert default.seeds == 3


def test_an_address_that_names_no_preset_changes_the_notebooks() -> None:
    """So links of version 0.1 mean what they meant."""
    expected = PRESETS["notebook"].comparison.with_changes({"epochs": 3})
    assert comparison_from_url({"epochs": ["3"]}) == (expected, [])


@pytest.mark.parametrize("name", PRESETS)
def test_the_preset_of_a_comparison_is_known_whatever_its_seeds(name: str) -> None:
    comparison = PRESETS[name].recorded_comparison
    assert preset_of(comparison) == preset_of(comparison.with_seeds(5)) == name
    assert preset_of(comparison.with_changes({"epochs": 77})) is None


def test_changes_shared_by_all_variants_of_a_preset() -> None:
    comparison = PRESETS["notebook"].comparison.with_changes({"epochs": 3, "hidden_units": [20, 10]}).with_seeds(2)
    parameters = comparison_to_url(comparison)
    assert parameters == {"preset": ["notebook"], "hidden_units": ["20-10"], "epochs": ["3"], "seeds": ["2"]}
    assert comparison_from_url(parameters) == (comparison, [])


def test_other_variants_and_their_shared_fields() -> None:
    comparison = Comparison((Variant("A", RunSpec(epochs=3)), Variant("B", RunSpec(epochs=3, use_bias=False), 5)))
    assert comparison_to_url(comparison) == {"v": ["A~colour~0", "B~colour~5~use_bias~false"], "epochs": ["3"]}


def test_variants_without_colour_get_unused_ones() -> None:
    comparison, errors = comparison_from_url({"v": ["A", "B~colour~0", "C", "D~colour~2"]})
    assert errors == []
    assert [variant.colour for variant in comparison.variants] == [1, 0, 3, 2]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"preset": ["no"]}, "There is no preset 'no'; the presets are placement, notebook"),
        ({"epochs": ["0"]}, "Epochs must be a whole number from 1 to 1,000, but 0 was given."),
        ({"epochs": ["many"]}, "but 'many' was given."),
        ({"learning_rate": ["NaN"]}, "Learning rate must be a number above 0"),
        ({"seeds": ["0"]}, "Seeds must be a whole number from 1 to 20, but 0 was given."),
        ({"seeds": ["x"]}, "Seeds must be a whole number, but 'x' was given."),
        (
            {"v": ["A~epochs"]},
            "A variant in the address is its name and then pairs of a field and its value, as in",
        ),
        ({"v": ["A~colour~red"]}, "A variant's color is a number"),
        ({"v": ["A~speed~9"]}, "In 'A', speed is not a field of a run; did you mean seed? The notebook's"),
        ({"v": ["eyJ~a~b"]}, "In 'eyJ', a is not a field of a run. The notebook's"),
        ({"v": ["A~~"]}, "pairs of a field and its value, as in v=Mine~epochs~3, but 'A~~' was given."),
        ({"v": ["A", "A"]}, "cannot have the same name"),
        ({"v": [""]}, "A variant needs a name."),
        ({"v": ["A"] * 9}, "A comparison has 1 to 8 variants, but 9 were given."),
    ],
)
def test_invalid_parameters_give_the_preset_and_an_error(parameters: dict[str, list[str]], message: str) -> None:
    comparison, errors = comparison_from_url(parameters)
    assert comparison == PRESETS["notebook"].comparison
    assert len(errors) == 1
    assert message in errors[0]


@given(
    st.dictionaries(
        st.sampled_from([*COMPARISON_PARAMETERS, "other"]), st.lists(st.text(max_size=30), max_size=3), max_size=6
    )
)
def test_any_parameters_give_a_comparison(parameters: dict[str, list[str]]) -> None:
    comparison, errors = comparison_from_url(parameters)
    assert comparison.specs()
    assert all(error.strip() for error in errors)


OLD_LINKS = [link for link in DESCRIPTION["links"] if link["query"] and not link["renorm"]]
"""Links of version 0.1 that name anything, without those to batch renormalization, which trains differently now."""


@pytest.mark.parametrize("link", OLD_LINKS, ids=lambda link: link["query"][:40] or "(empty)")
def test_links_of_version_0_1_give_the_same_runs(link: dict[str, Any]) -> None:
    comparison, errors = comparison_from_url(parse_qs(link["query"], keep_blank_values=True))
    specs = comparison.specs()
    # The presets of questions have been recorded with more seeds since; those of the link are the first of them.
    asks = PRESETS[preset_of(comparison) or "notebook"].question and "seeds=" not in link["query"]
    assert (comparison.seeds, len(errors)) == (3 if asks else link["seeds"], link["faults"])
    assert [
        {"label": v.label, "colour": v.colour, "digests": [spec.digest for spec in specs[v.label][: link["seeds"]]]}
        for v in comparison.variants
    ] == link["variants"]
