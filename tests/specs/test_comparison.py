"""A comparison's specs over its variants and seeds, and everything that can be done with it."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.specs.comparison import MAX_LABEL_LENGTH, MAX_SEEDS, MAX_VARIANTS, Comparison, Variant, comparison_specs
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import SpecError

VARIANTS = (Variant("A", RunSpec(seed=5)), Variant("B", RunSpec(placement="before_activation")))
LAST_SEED = 2**31 - 1


def comparison_of(*labels: str, seeds: int = 1) -> Comparison:
    """Variants of these names in the first colours, each with a seed of its own."""
    return Comparison(
        tuple(Variant(label, RunSpec(seed=place), place) for place, label in enumerate(labels)), seeds=seeds
    )


def colours(comparison: Comparison) -> dict[str, int]:
    return {variant.label: variant.colour for variant in comparison.variants}


def test_without_changes_the_variants_own_specs() -> None:
    variants = PRESETS["notebook"].variants
    specs = comparison_specs(variants)
    assert list(specs) == [v.label for v in variants]
    assert list(specs.values()) == [[v.spec] for v in variants]


def test_a_change_is_made_in_every_variant() -> None:
    assert comparison_specs(VARIANTS, {"epochs": 2}) == {
        "A": [RunSpec(seed=5, epochs=2)],
        "B": [RunSpec(placement="before_activation", epochs=2)],
    }


def test_seeds_count_up_from_the_variants_own() -> None:
    specs = comparison_specs(VARIANTS, seeds=3)
    assert {label: [spec.seed for spec in own] for label, own in specs.items()} == {"A": [5, 6, 7], "B": [0, 1, 2]}
    assert comparison_specs(VARIANTS, {"seed": 9}, seeds=2)["A"] == [RunSpec(seed=9), RunSpec(seed=10)]


def test_a_seed_beyond_its_bound_is_refused() -> None:
    assert comparison_specs(VARIANTS, {"seed": LAST_SEED})["A"][0].seed == LAST_SEED
    with pytest.raises(SpecError, match="Seed must be a whole number"):
        comparison_specs(VARIANTS, {"seed": LAST_SEED}, seeds=2)


def test_a_faulty_change_is_told_in_words() -> None:
    with pytest.raises(SpecError, match="Epochs must be"):
        comparison_specs(VARIANTS, {"epochs": 0})


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_comparison(name: str) -> None:
    comparison = PRESETS[name].comparison
    assert comparison.specs() == comparison_specs(PRESETS[name].variants)
    assert len(set(colours(comparison).values())) == len(comparison.variants)


def test_a_variant_is_found_by_its_name() -> None:
    comparison = comparison_of("A", "B")
    assert comparison.labels == ["A", "B"]
    assert comparison["B"] == Variant("B", RunSpec(seed=1), 1)
    with pytest.raises(KeyError, match="C"):
        comparison["C"]


def test_its_specs_are_its_variants_over_the_seeds() -> None:
    assert comparison_of("A", "B", seeds=2).specs() == {
        "A": [RunSpec(seed=0), RunSpec(seed=1)],
        "B": [RunSpec(seed=1), RunSpec(seed=2)],
    }


@pytest.mark.parametrize(
    ("variants", "seeds", "says"),
    [
        ((), 1, "A comparison has 1 to 8 variants, but 0 were given."),
        (tuple(Variant(str(i), RunSpec()) for i in range(9)), 1, "A comparison has 1 to 8 variants, but 9 were given."),
        (VARIANTS, 0, "Seeds must be a whole number from 1 to 20, but 0 was given."),
        (VARIANTS, 21, "Seeds must be a whole number from 1 to 20, but 21 was given."),
        ((VARIANTS[0], VARIANTS[0]), 1, "Two variants of a comparison cannot have the same name."),
        ((Variant("A", RunSpec(), 8),), 1, "A variant's colour is a number from 0 to 7."),
        ((Variant("A", RunSpec(), -1),), 1, "A variant's colour is a number from 0 to 7."),
        ((Variant("", RunSpec()),), 1, "A variant needs a name."),
        ((Variant(" ", RunSpec()),), 1, "A variant needs a name."),
        ((Variant("x" * 41, RunSpec()),), 1, "name has at most 40 characters; 'xxxxxxxxxxxxxxxxxxxx'… has 41."),
        ((Variant("A~B", RunSpec()),), 1, "name is one line without control characters and the sign ~, but 'A~B' was"),
        ((Variant("A\u2028B", RunSpec()),), 1, "is one line without control characters"),
        ((Variant("A\x07B", RunSpec()),), 1, "is one line without control characters"),
        ((Variant("\u200b\xa0", RunSpec()),), 1, "A variant needs a name."),
        ((Variant("A\nB", RunSpec()),), 1, "without control characters and the sign ~, but 'A\\nB' was given."),
        ((Variant("A", RunSpec(seed=LAST_SEED)),), 2, "Seed must be a whole number from 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused_in_words(variants: tuple[Variant, ...], seeds: int, says: str) -> None:
    with pytest.raises(SpecError) as refused:
        Comparison(variants, seeds)
    assert says in str(refused.value)


def test_the_bounds_belong_to_it() -> None:
    labels = ["x" * MAX_LABEL_LENGTH, *map(str, range(MAX_VARIANTS - 1))]
    assert len(comparison_of(*labels, seeds=MAX_SEEDS).specs()) == MAX_VARIANTS
    last = Comparison((Variant("A", RunSpec(seed=LAST_SEED - 1)),), seeds=2)
    assert last.specs()["A"][-1].seed == LAST_SEED
    for beyond in (lambda: last.with_seeds(3), lambda: last.with_changes({"seed": LAST_SEED})):
        with pytest.raises(SpecError, match="Seed must be"):
            beyond()


def test_a_change_is_made_in_one_or_in_all() -> None:
    comparison = comparison_of("A", "B", seeds=2)
    one = comparison.with_changes({"epochs": 3}, "B")
    assert [variant.spec.epochs for variant in one.variants] == [10, 3]
    every = one.with_changes({"epochs": 4, "batch_size": 64})
    assert [(variant.spec.epochs, variant.spec.batch_size) for variant in every.variants] == [(4, 64)] * 2
    assert (every.labels, every.seeds, colours(every)) == (["A", "B"], 2, {"A": 0, "B": 1})
    assert comparison == comparison_of("A", "B", seeds=2), "every change makes a new one"
    with pytest.raises(SpecError, match="Epochs must be"):
        comparison.with_changes({"epochs": 0}, "A")


@pytest.mark.parametrize("name", ["👩\u200d🏫 class", "می\u200cخواهم", "A\u00adB"])
def test_a_name_may_have_signs_that_only_join_others(name: str) -> None:
    assert comparison_of("A", "B").with_label("B", name).labels == ["A", name]


def test_every_space_pasted_into_a_name_is_a_usual_one() -> None:
    assert comparison_of("A", "B").with_label("B", "\xa0With\xa0BN\u202f2 ").labels == ["A", "With BN 2"]


def test_a_variant_gets_another_name() -> None:
    assert comparison_of("A", "B").with_label("B", "  With BN ").labels == ["A", "With BN"]
    for name in ("A", "", "x" * 41):
        with pytest.raises(SpecError):
            comparison_of("A", "B").with_label("B", name)


def test_a_colour_that_is_taken_is_swapped() -> None:
    comparison = comparison_of("A", "B", "C")
    assert colours(comparison.with_colour("A", 5)) == {"A": 5, "B": 1, "C": 2}
    assert colours(comparison.with_colour("A", 2)) == {"A": 2, "B": 1, "C": 0}
    assert comparison.with_colour("A", 0) == comparison


def test_variants_of_one_colour_can_be_told_apart_again() -> None:
    same = Comparison((Variant("A", RunSpec(), 3), Variant("B", RunSpec(), 3)))
    assert colours(same.with_colour("A", 4)) == {"A": 4, "B": 3}


def test_one_more_gets_a_name_and_a_colour_that_are_free() -> None:
    comparison = comparison_of("A", "B").without_variant("A").with_variant(Variant("B", RunSpec(epochs=3), 1))
    assert comparison.with_variant(Variant("B", RunSpec(), 1)).labels == ["B", "B (copy)", "B (copy 2)"]
    assert colours(comparison) == {"B": 1, "B (copy)": 0}
    assert comparison["B (copy)"].spec.epochs == 3


def test_a_copy_of_a_copy_is_a_copy_of_the_first() -> None:
    label = "x" * MAX_LABEL_LENGTH
    comparison = comparison_of("A (as described)")
    for _ in range(2):
        comparison = comparison.with_variant(comparison.variants[-1])
    assert comparison.labels == ["A (as described)", "A (as described) (copy)", "A (as described) (copy 2)"]
    (_, first), again = comparison_of(label).with_variant(Variant(label, RunSpec())).labels, f"{'x' * 31} (copy 2)"
    assert first == f"{'x' * 33} (copy)"
    assert comparison_of(label, first).with_variant(Variant(first, RunSpec())).labels[-1] == again


def test_the_last_variant_stays_and_a_ninth_does_not_come() -> None:
    with pytest.raises(SpecError, match="0 were given"):
        comparison_of("A").without_variant("A")
    with pytest.raises(SpecError, match="9 were given"):
        comparison_of(*"ABCDEFGH").with_variant(Variant("I", RunSpec()))


@given(
    st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="~"), min_size=1, max_size=MAX_LABEL_LENGTH)
)
def test_any_variant_can_be_added_until_it_is_full(label: str) -> None:
    variant = Variant(label, RunSpec())
    comparison = Comparison((variant,))
    for _ in range(MAX_VARIANTS - 1):
        comparison = comparison.with_variant(variant)
    assert len(set(comparison.labels)) == MAX_VARIANTS
    assert sorted(colours(comparison).values()) == list(range(MAX_VARIANTS))


def test_other_seeds_leave_the_rest() -> None:
    comparison = comparison_of("A", "B")
    assert comparison.with_seeds(3) == dataclasses.replace(comparison, seeds=3)
