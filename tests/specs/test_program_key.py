"""Structures: what specs that share a program have in common."""

from hypothesis import given

from bnlab.specs.run_spec import RUNTIME_FIELDS, RunSpec, program_key
from tests.spec_strategies import specs


@given(one=specs(), other=specs())
def test_specs_share_a_structure_if_they_differ_only_in_values(one: RunSpec, other: RunSpec) -> None:
    fixed = [name for name in RunSpec.model_fields if name not in RUNTIME_FIELDS]
    alike = all(getattr(one, name) == getattr(other, name) for name in fixed)
    assert (program_key(one) == program_key(other)) == alike
    mixed = one.model_copy(update={name: getattr(other, name) for name in RUNTIME_FIELDS})
    assert program_key(mixed) == program_key(one)
    assert hash(program_key(mixed)) == hash(program_key(one))
