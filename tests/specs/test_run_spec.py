"""RunSpec: bounds, JSON, digest and program key."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from bnlab.specs.datasets import DATASETS
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RUNTIME_FIELDS, RunSpec, program_key
from tests.spec_strategies import PROPERTIES, spec_values, specs

NOTEBOOK_DIGESTS = {
    "Baseline": "21238dd87338d14919d6",
    "Approach 1 (as printed)": "4be459defff710db0111",
    "Approach 1 (as described)": "3076c6719bfad275316b",
    "Approach 2": "51c211194cb875c5351a",
}

EDGES: dict[str, tuple[list[Any], list[Any]]] = {
    "initializer_stddev": ([0, 100], [-1e-9, 100.001]),
    "hidden_units": ([[1], [2048], [1] * 50], [[], [0], [2049], [1] * 51, [8, 0], "8", 8]),
    "learning_rate": ([5e-324, 100], [0, -0.1, 100.001]),
    "batch_size": ([1, 4096], [0, 4097, 1.5]),
    "epochs": ([1, 1000], [0, 1001, 1.5]),
    "seed": ([0, 2**31 - 1], [-1, 2**31]),
    "momentum": ([0, 0.9999], [-0.01, 1]),
    "epsilon": ([1e-9, 1], [0, 1.001]),
    "train_examples": ([None, 1, 54_999], [0, -1, 55_001, "many"]),
}

ANOTHER_VALUE: dict[str, Any] = {
    "placement": "before_activation", "input_normalization": True, "use_bias": False,
    "kernel_initializer": "he_normal", "initializer_stddev": 0.1, "activation": "tanh", "hidden_units": (100, 300),
    "optimizer": "adam", "learning_rate": 0.02, "batch_size": 64, "epochs": 11, "seed": 1, "momentum": 0.9,
    "epsilon": 1e-5, "center": False, "scale": False, "noise": True, "architecture": "conv",
    "normalizer": "layer_normalization",
    "dataset": "fashion_mnist", "train_examples": 100, "rescale": "raw", "validation": "holdout",
    "evaluate_with": "all",
}  # fmt: skip


def test_digests_of_the_notebooks_networks() -> None:
    assert {v.label: v.spec.digest for v in PRESETS["notebook"].variants} == NOTEBOOK_DIGESTS


def test_digest_is_the_same_in_another_process() -> None:
    program = "import sys, bnlab.specs.run_spec as r; print(r.RunSpec.model_validate_json(sys.stdin.read()).digest)"
    spec = RunSpec(**ANOTHER_VALUE)
    digests = {
        subprocess.run(
            [sys.executable, "-c", program], input=spec.model_dump_json(), text=True, capture_output=True, check=True,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
        ).stdout.strip()
        for hash_seed in ("1", "2")
    }  # fmt: skip
    assert digests == {spec.digest}


def test_every_field_changes_the_digest() -> None:
    assert ANOTHER_VALUE.keys() == RunSpec.model_fields.keys()
    changed = {name: RunSpec(**{name: value}).digest for name, value in ANOTHER_VALUE.items()}
    assert len({RunSpec().digest, *changed.values()}) == len(RunSpec.model_fields) + 1


def test_explicit_defaults_do_not_change_the_digest() -> None:
    spec = RunSpec(learning_rate=0.01, hidden_units=[300, 100], seed=0)
    assert spec == RunSpec()
    assert spec.digest == RunSpec().digest


def test_equal_numbers_have_one_digest() -> None:
    assert RunSpec(learning_rate=1).digest == RunSpec(learning_rate=1.0).digest
    assert RunSpec(momentum=-0.0).digest == RunSpec(momentum=0).digest
    assert RunSpec(initializer_stddev=-0.0).digest == RunSpec(initializer_stddev=0).digest


@given(values=spec_values())
def test_any_valid_values_survive_json(values: dict[str, Any]) -> None:
    spec = RunSpec(**values)
    for copy in (
        RunSpec.model_validate_json(spec.model_dump_json()),
        RunSpec.model_validate(json.loads(json.dumps(spec.model_dump(mode="json")))),
        RunSpec(**spec.model_dump()),
    ):
        assert copy == spec
        assert copy.digest == spec.digest
    assert len(spec.digest) == 20
    assert set(spec.digest) <= set("0123456789abcdef")


@given(one=specs(), other=specs())
def test_digests_are_equal_only_for_equal_specs(one: RunSpec, other: RunSpec) -> None:
    assert (one.digest == other.digest) == (one == other)


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, (inside, _) in EDGES.items() for v in inside])
def test_accepts_values_at_the_bounds(field: str, value: Any) -> None:
    expected = tuple(value) if isinstance(value, list) else value
    assert getattr(RunSpec(**{field: value}), field) == expected


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, (_, outside) in EDGES.items() for v in outside])
def test_rejects_values_out_of_bounds(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        RunSpec(**{field: value})
    assert {error["loc"][0] for error in caught.value.errors()} == {field}


def test_bounds_of_every_field_are_tested() -> None:
    unbounded = {name for name, schema in PROPERTIES.items() if "enum" in schema or schema.get("type") == "boolean"}
    assert EDGES.keys() == PROPERTIES.keys() - unbounded


@pytest.mark.parametrize("name", [name for name, schema in PROPERTIES.items() if schema.get("type") == "number"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_rejects_nan_and_infinity(name: str, value: float) -> None:
    with pytest.raises(ValidationError):
        RunSpec(**{name: value})


@pytest.mark.parametrize("name", [name for name, schema in PROPERTIES.items() if "enum" in schema])
def test_choice_accepts_only_its_registrys_keys(name: str) -> None:
    for key in PROPERTIES[name]["enum"]:
        assert getattr(RunSpec(**{name: key}), name) == key
    with pytest.raises(ValidationError):
        RunSpec(**{name: "no such thing"})


@pytest.mark.parametrize("name", RunSpec.model_fields)
def test_every_field_has_title_and_description(name: str) -> None:
    field = RunSpec.model_fields[name]
    assert field.title
    assert field.description is not None
    assert field.description.endswith(".")


def test_spec_is_frozen_and_rejects_unknown_fields() -> None:
    with pytest.raises(ValidationError):
        RunSpec().seed = 1  # type: ignore[misc]
    with pytest.raises(ValidationError):
        RunSpec(epoch=3)  # type: ignore[call-arg]


@pytest.mark.parametrize("name", DATASETS)
def test_training_examples_are_limited_by_the_dataset(name: str) -> None:
    limit = DATASETS[name].train
    assert RunSpec(dataset=name, train_examples=limit).examples == RunSpec(dataset=name).examples == limit
    with pytest.raises(ValidationError, match=f"must be at most {limit:,}"):
        RunSpec(dataset=name, train_examples=limit + 1)


def test_steps_of_the_notebooks_training() -> None:
    spec = PRESETS["notebook"].variants[0].spec
    assert (spec.examples, spec.validation_examples) == (55_000, 10_000)
    assert spec.steps_per_epoch == 1_719
    assert spec.total_steps == 17_190


def test_number_of_held_out_images() -> None:
    assert RunSpec(validation="holdout").validation_examples == 5_000


@pytest.mark.parametrize(("examples", "batch", "steps"), [(1, 32, 1), (32, 32, 1), (33, 32, 2), (100, 1, 100)])
def test_epoch_includes_a_smaller_last_batch(examples: int, batch: int, steps: int) -> None:
    spec = RunSpec(train_examples=examples, batch_size=batch, epochs=3)
    assert spec.steps_per_epoch == steps
    assert spec.total_steps == 3 * steps


def test_all_training_examples_equal_none() -> None:
    assert RunSpec(train_examples=55_000) == RunSpec()
    assert RunSpec(dataset="cifar10", train_examples=45_000).digest == RunSpec(dataset="cifar10").digest


@given(one=specs(), other=specs())
def test_program_key_ignores_runtime_fields(one: RunSpec, other: RunSpec) -> None:
    fixed_fields = [name for name in RunSpec.model_fields if name not in RUNTIME_FIELDS]
    equal = all(getattr(one, name) == getattr(other, name) for name in fixed_fields)
    assert (program_key(one) == program_key(other)) == equal
    mixed = one.model_copy(update={name: getattr(other, name) for name in RUNTIME_FIELDS})
    assert program_key(mixed) == program_key(one)
    assert hash(program_key(mixed)) == hash(program_key(one))
