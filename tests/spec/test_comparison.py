"""A comparison's specs over its variants and seeds."""

import pytest

from bnlab.spec.comparison import comparison_specs
from bnlab.spec.parse import SpecError
from bnlab.spec.presets import PRESETS, Variant
from bnlab.spec.run_spec import RunSpec

VARIANTS = (Variant("A", RunSpec(seed=5)), Variant("B", RunSpec(placement="before_activation")))


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
    last = 2**31 - 1
    assert comparison_specs(VARIANTS, {"seed": last})["A"][0].seed == last
    with pytest.raises(SpecError, match="seed must be a whole number"):
        comparison_specs(VARIANTS, {"seed": last}, seeds=2)


def test_a_faulty_change_is_told_in_words() -> None:
    with pytest.raises(SpecError, match="epochs must be"):
        comparison_specs(VARIANTS, {"epochs": 0})
