"""Comparisons: their specs, bounds and changed copies."""

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
    """Variants with these labels, the first colours and different seeds."""
    variants = [Variant(label, RunSpec(seed=index), index) for index, label in enumerate(labels)]
    return Comparison(tuple(variants), seeds=seeds)


def colours(comparison: Comparison) -> dict[str, int]:
    return {variant.label: variant.colour for variant in comparison.variants}


def test_specs_without_changes() -> None:
    variants = PRESETS["notebook"].variants
    specs = comparison_specs(variants)
    assert list(specs) == [v.label for v in variants]
    assert list(specs.values()) == [[v.spec] for v in variants]


def test_changes_apply_to_every_variant() -> None:
    assert comparison_specs(VARIANTS, {"epochs": 2}) == {
        "A": [RunSpec(seed=5, epochs=2)],
        "B": [RunSpec(placement="before_activation", epochs=2)],
    }


def test_seeds_count_up_from_the_variants_seed() -> None:
    specs = comparison_specs(VARIANTS, seeds=3)
    seeds = {label: [spec.seed for spec in seed_specs] for label, seed_specs in specs.items()}
    assert seeds == {"A": [5, 6, 7], "B": [0, 1, 2]}
    assert comparison_specs(VARIANTS, {"seed": 9}, seeds=2)["A"] == [RunSpec(seed=9), RunSpec(seed=10)]


def test_seed_out_of_bounds() -> None:
    assert comparison_specs(VARIANTS, {"seed": LAST_SEED})["A"][0].seed == LAST_SEED
    with pytest.raises(SpecError, match="Seed must be a whole number"):
        comparison_specs(VARIANTS, {"seed": LAST_SEED}, seeds=2)


def test_invalid_change() -> None:
    with pytest.raises(SpecError, match="Epochs must be"):
        comparison_specs(VARIANTS, {"epochs": 0})


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_comparison(name: str) -> None:
    comparison = PRESETS[name].comparison
    assert comparison.specs() == comparison_specs(PRESETS[name].variants)
    assert len(set(colours(comparison).values())) == len(comparison.variants)


def test_variant_by_label() -> None:
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
    ("variants", "seeds", "message"),
    [
        ((), 1, "A comparison has 1 to 8 variants, but 0 were given."),
        (tuple(Variant(str(i), RunSpec()) for i in range(9)), 1, "A comparison has 1 to 8 variants, but 9 were given."),
        (VARIANTS, 0, "Seeds must be a whole number from 1 to 20, but 0 was given."),
        (VARIANTS, 21, "Seeds must be a whole number from 1 to 20, but 21 was given."),
        ((VARIANTS[0], VARIANTS[0]), 1, "Two variants of a comparison cannot have the same name."),
        ((Variant("A", RunSpec(), 8),), 1, "A variant's color is a number from 0 to 7."),
        ((Variant("A", RunSpec(), -1),), 1, "A variant's color is a number from 0 to 7."),
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
def test_invalid_comparison(variants: tuple[Variant, ...], seeds: int, message: str) -> None:
    with pytest.raises(SpecError) as raised:
        Comparison(variants, seeds)
    assert message in str(raised.value)


def test_bounds_are_inclusive() -> None:
    labels = ["x" * MAX_LABEL_LENGTH, *map(str, range(MAX_VARIANTS - 1))]
    assert len(comparison_of(*labels, seeds=MAX_SEEDS).specs()) == MAX_VARIANTS
    last = Comparison((Variant("A", RunSpec(seed=LAST_SEED - 1)),), seeds=2)
    assert last.specs()["A"][-1].seed == LAST_SEED
    with pytest.raises(SpecError, match="Seed must be"):
        last.with_seeds(3)
    with pytest.raises(SpecError, match="Seed must be"):
        last.with_changes({"seed": LAST_SEED})


def test_change_in_one_variant_or_in_all() -> None:
    comparison = comparison_of("A", "B", seeds=2)
    one_changed = comparison.with_changes({"epochs": 3}, "B")
    assert [variant.spec.epochs for variant in one_changed.variants] == [10, 3]
    all_changed = one_changed.with_changes({"epochs": 4, "batch_size": 64})
    assert [(variant.spec.epochs, variant.spec.batch_size) for variant in all_changed.variants] == [(4, 64)] * 2
    assert (all_changed.labels, all_changed.seeds, colours(all_changed)) == (["A", "B"], 2, {"A": 0, "B": 1})
    assert comparison == comparison_of("A", "B", seeds=2), "the original is unchanged"
    with pytest.raises(SpecError, match="Epochs must be"):
        comparison.with_changes({"epochs": 0}, "A")


@pytest.mark.parametrize("name", ["👩\u200d🏫 class", "می\u200cخواهم", "A\u00adB"])
def test_label_may_contain_joining_characters(name: str) -> None:
    assert comparison_of("A", "B").with_label("B", name).labels == ["A", name]


def test_spaces_in_labels_are_normalized() -> None:
    assert comparison_of("A", "B").with_label("B", "\xa0With\xa0BN\u202f2 ").labels == ["A", "With BN 2"]


def test_rename_a_variant() -> None:
    assert comparison_of("A", "B").with_label("B", "  With BN ").labels == ["A", "With BN"]
    for name in ("A", "", "x" * 41):
        with pytest.raises(SpecError):
            comparison_of("A", "B").with_label("B", name)


def test_colour_in_use_is_swapped() -> None:
    comparison = comparison_of("A", "B", "C")
    assert colours(comparison.with_colour("A", 5)) == {"A": 5, "B": 1, "C": 2}
    assert colours(comparison.with_colour("A", 2)) == {"A": 2, "B": 1, "C": 0}
    assert comparison.with_colour("A", 0) == comparison


def test_shared_colour_is_not_swapped() -> None:
    same = Comparison((Variant("A", RunSpec(), 3), Variant("B", RunSpec(), 3)))
    assert colours(same.with_colour("A", 4)) == {"A": 4, "B": 3}


def test_added_variant_gets_an_unused_label_and_colour() -> None:
    comparison = comparison_of("A", "B").without_variant("A").with_variant(Variant("B", RunSpec(epochs=3), 1))
    assert comparison.with_variant(Variant("B", RunSpec(), 1)).labels == ["B", "B (copy)", "B (copy 2)"]
    assert colours(comparison) == {"B": 1, "B (copy)": 0}
    assert comparison["B (copy)"].spec.epochs == 3


def test_labels_of_copies_of_copies() -> None:
    label = "x" * MAX_LABEL_LENGTH
    comparison = comparison_of("A (as described)")
    for _ in range(2):
        comparison = comparison.with_variant(comparison.variants[-1])
    assert comparison.labels == ["A (as described)", "A (as described) (copy)", "A (as described) (copy 2)"]
    _, copy = comparison_of(label).with_variant(Variant(label, RunSpec())).labels
    assert copy == f"{'x' * 33} (copy)"
    assert comparison_of(label, copy).with_variant(Variant(copy, RunSpec())).labels[-1] == f"{'x' * 31} (copy 2)"


def test_number_of_variants_is_bounded() -> None:
    with pytest.raises(SpecError, match="0 were given"):
        comparison_of("A").without_variant("A")
    with pytest.raises(SpecError, match="9 were given"):
        comparison_of(*"ABCDEFGH").with_variant(Variant("I", RunSpec()))


@given(
    st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="~"), min_size=1, max_size=MAX_LABEL_LENGTH)
)
def test_any_variant_can_be_added_up_to_the_limit(label: str) -> None:
    variant = Variant(label, RunSpec())
    comparison = Comparison((variant,))
    for _ in range(MAX_VARIANTS - 1):
        comparison = comparison.with_variant(variant)
    assert len(set(comparison.labels)) == MAX_VARIANTS
    assert sorted(colours(comparison).values()) == list(range(MAX_VARIANTS))


def test_change_the_number_of_seeds() -> None:
    comparison = comparison_of("A", "B")
    assert comparison.with_seeds(3) == dataclasses.replace(comparison, seeds=3)
