"""The registry of normalizers, the former field `renorm`, and that no other module names a normalizer."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.specs.advice import advise
from bnlab.specs.normalizers import MAX_GROUPS, MIN_GROUP_SIZE, NORMALIZERS, VARIABLES, Normalizer, Ramp, count_groups
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.url import comparison_from_url, comparison_to_url
from bnlab.specs.validation import SpecError, parse_spec, revise_spec

ROOT = Path(__file__).parents[2]
BN = "batch_normalization"
BRN = "batch_renormalization"


@pytest.mark.parametrize("normalizer", NORMALIZERS.values(), ids=NORMALIZERS)
def test_properties_of_an_entry_are_consistent(normalizer: Normalizer) -> None:
    assert normalizer.foldable == normalizer.keeps_moving_statistics == normalizer.uses_batch_statistics
    assert normalizer.uses_batch_statistics or not normalizer.needs_large_batches
    names = [variable.name for variable in normalizer.variables]
    assert len(set(names)) == len(names)
    assert set(normalizer.fields.values()) <= set(RunSpec.model_fields)
    assert {v.field for v in normalizer.variables if v.field} <= set(normalizer.fields.values())
    assert set(normalizer.fields) <= set(normalizer.defaults)


def test_variables_of_one_name_are_equal() -> None:
    for normalizer in NORMALIZERS.values():
        for variable in normalizer.shown_variables:
            assert VARIABLES[variable.name] == variable


@pytest.mark.parametrize(
    ("units", "groups"),
    [(784, 28), (300, 15), (100, 5), (64, 4), (32, 2), (31, 1), (16, 1), (10, 1), (1, 1), (101, 1), (2048, 32)],
)
def test_count_groups(units: int, groups: int) -> None:
    assert count_groups(units) == groups


@given(st.integers(1, 4096))
def test_groups_are_equal_and_large_enough(units: int) -> None:
    groups = count_groups(units)
    assert units % groups == 0
    assert 1 <= groups <= MAX_GROUPS
    assert groups == 1 or units // groups >= MIN_GROUP_SIZE


@pytest.mark.parametrize(("step", "value"), [(0, 1), (500, 1), (2250, 2), (4000, 3), (10**6, 3)])
def test_ramp_is_linear_between_its_ends(step: int, value: float) -> None:
    assert Ramp(1, 3, 500, 4000).at(step) == pytest.approx(value)


def test_former_field_is_translated() -> None:
    assert RunSpec.model_validate({"renorm": True}) == RunSpec(normalizer=BRN)
    assert RunSpec.model_validate({"renorm": False}) == RunSpec()
    assert RunSpec.model_validate_json('{"renorm": true}').normalizer == BRN
    assert revise_spec(RunSpec(), {"renorm": True}).normalizer == BRN
    assert RunSpec.model_validate({"renorm": False, "normalizer": BRN}).normalizer == BRN
    assert (
        RunSpec.model_validate({"renorm": True, "normalizer": "layer_normalization"}).normalizer
        == "layer_normalization"
    )
    with pytest.raises(SpecError, match="renorm is not a field of a run"):
        parse_spec({"renorm": "maybe"})


def test_digests_of_specs_with_the_former_field() -> None:
    """The digests are those of version 0.1."""
    assert RunSpec.model_validate({"placement": "before_activation", "renorm": False}).digest == "564a9511741e74867801"
    assert RunSpec.model_validate({"placement": "before_activation", "renorm": True}).digest != "27f597a0e560ea147832"


def test_links_with_the_former_field_open() -> None:
    shared, errors = comparison_from_url({"preset": ["placement"], "renorm": ["true"]})
    assert not errors
    assert {variant.spec.normalizer for variant in shared.variants} == {BRN}
    assert comparison_to_url(shared) == {"preset": ["placement"], "normalizer": [BRN]}
    variants, errors = comparison_from_url({"v": ["A~renorm~true", "B~renorm~false"]})
    assert not errors
    assert [variant.spec.normalizer for variant in variants.variants] == [BRN, BN]


@pytest.mark.parametrize("name", NORMALIZERS)
def test_normalizer_in_links(name: str) -> None:
    comparison, errors = comparison_from_url({"normalizer": [name]})
    assert not errors
    assert {variant.spec.normalizer for variant in comparison.variants} == {name}
    assert comparison_from_url(comparison_to_url(comparison)) == (comparison, [])


@pytest.mark.parametrize("name", [name for name, entry in NORMALIZERS.items() if not entry.uses_batch_statistics])
def test_no_batch_advice_without_batch_statistics(name: str) -> None:
    changes: dict[str, Any] = {"placement": "before_activation", "input_normalization": True, "train_examples": 3}
    spec = RunSpec(normalizer=name, batch_size=1, epochs=1, epsilon=1.0, use_bias=True, **changes)
    assert advise(spec) == ()


def test_advice_on_a_single_channel() -> None:
    spec = RunSpec(normalizer="layer_normalization", architecture="conv", input_normalization=True)
    assert [advice.title for advice in advise(spec)] == ["One value to normalize"]
    assert advise(revise_spec(spec, {"normalizer": "group_normalization"})) == ()


def test_advice_on_renormalization_of_one_example() -> None:
    spec = RunSpec(normalizer=BRN, placement="before_activation", use_bias=False, batch_size=1)
    assert [advice.title for advice in advise(spec)] == ["No gradient through the normalization"]


NAMES = re.compile(
    r"BatchNormalization|LayerNormalization|GroupNormalization|RMSNormalization|rms_normalization|renorm|moving_mean"
)
ALLOWED = {
    "bnlab/specs/normalizers.py": "the registry itself",
    "bnlab/model/training_step.py": "sets Keras's argument renorm_clipping by step",
}
EXEMPT_FOLDERS = ("bnlab/ui/how_it_works/", "bnlab/claims/", "bnlab/runs/migrations/")
"""Explanations and claims are about batch normalization; migrations rewrite the former field `renorm`."""


def test_only_the_registry_names_normalizers() -> None:
    listed = subprocess.run(["git", "ls-files", "bnlab", "pages"], cwd=ROOT, capture_output=True, text=True, check=True)
    mentions = []
    for name in listed.stdout.split():
        if not name.endswith(".py") or name in ALLOWED or name.startswith(EXEMPT_FOLDERS):
            continue
        code = _without_docstrings((ROOT / name).read_text())
        mentions += [f"{name}: {mention}" for mention in NAMES.findall(code)]
    assert mentions == []


def _without_docstrings(code: str) -> str:
    return re.sub(r'"""[\s\S]*?"""', "", code)


@pytest.mark.parametrize("name", NORMALIZERS)
def test_normalizer_is_documented(name: str) -> None:
    entry = NORMALIZERS[name]
    rows = [line for line in (ROOT / "docs" / "normalizers.md").read_text().splitlines() if line.startswith("|")]
    (row,) = [row for row in rows if f"`{name}`" in row]
    assert entry.title in row
    assert f"`{entry.keras_class}`" in row
    for variable in entry.shown_variables:
        assert f"`{variable.name}`" in row
