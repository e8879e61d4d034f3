"""Structures: what specs that share a program have in common."""

from hypothesis import given

from bnlab.spec.run_spec import RunSpec
from bnlab.spec.structure import VALUE_FIELDS, structure_of
from tests.spec_strategies import specs


@given(one=specs(), other=specs())
def test_specs_share_a_structure_if_they_differ_only_in_values(one: RunSpec, other: RunSpec) -> None:
    fixed = [name for name in RunSpec.model_fields if name not in VALUE_FIELDS]
    alike = all(getattr(one, name) == getattr(other, name) for name in fixed)
    assert (structure_of(one) == structure_of(other)) == alike
    mixed = one.model_copy(update={name: getattr(other, name) for name in VALUE_FIELDS})
    assert structure_of(mixed) == structure_of(one)
    assert hash(structure_of(mixed)) == hash(structure_of(one))
