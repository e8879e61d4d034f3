"""The registries: complete entries, and one registry per choice field of RunSpec."""

import math
from collections.abc import Mapping

import pytest

from bnlab.specs.choices import (
    ACTIVATIONS,
    ARCHITECTURES,
    EVALUATION_METHODS,
    INITIALIZERS,
    OPTIMIZERS,
    PLACEMENTS,
    RESCALINGS,
    VALIDATIONS,
    Choice,
    one_of,
)
from bnlab.specs.datasets import DATASETS, HOLDOUT, Dataset
from bnlab.specs.normalizers import NORMALIZERS
from tests.spec_strategies import PROPERTIES

REGISTRIES: dict[str, Mapping[str, Choice]] = {
    "architecture": ARCHITECTURES,
    "normalizer": NORMALIZERS, "placement": PLACEMENTS, "activation": ACTIVATIONS, "kernel_initializer": INITIALIZERS,
    "optimizer": OPTIMIZERS, "rescale": RESCALINGS, "validation": VALIDATIONS, "dataset": DATASETS,
    "evaluate_with": EVALUATION_METHODS,
}  # fmt: skip
ENTRIES = [(field, key) for field, registry in REGISTRIES.items() for key in registry]


def test_every_choice_field_has_a_registry() -> None:
    offered = {name: schema["enum"] for name, schema in PROPERTIES.items() if "enum" in schema}
    assert offered == {field: list(registry) for field, registry in REGISTRIES.items()}


@pytest.mark.parametrize(("field", "key"), ENTRIES)
def test_entry_is_complete(field: str, key: str) -> None:
    entry = REGISTRIES[field][key]
    assert entry.title
    assert entry.description.endswith(".")
    assert key == key.lower()
    assert key.isidentifier()


@pytest.mark.parametrize("field", REGISTRIES)
def test_titles_are_unique(field: str) -> None:
    titles = [entry.title for entry in REGISTRIES[field].values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("field", REGISTRIES)
def test_default_is_an_entry(field: str) -> None:
    assert PROPERTIES[field]["default"] in REGISTRIES[field]


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
def test_dataset_has_training_and_test_images(dataset: Dataset) -> None:
    assert dataset.train == dataset.available - HOLDOUT > 0
    assert dataset.test > 0
    assert dataset.classes == 10
    assert math.prod(dataset.image_shape) > 0


def test_rescaling_factors() -> None:
    factors = {key: rescaling.factor for key, rescaling in RESCALINGS.items()}
    assert factors == {"unit": 1 / 255, "raw": 1.0, "thousandth": 0.001}


def test_seed_and_stddev_of_initializers() -> None:
    assert [key for key, entry in INITIALIZERS.items() if not entry.takes_seed] == ["ones", "zeros"]
    assert [key for key, entry in INITIALIZERS.items() if entry.takes_stddev] == ["random_normal"]


def test_validator_names_the_allowed_keys() -> None:
    check = one_of({"a": Choice("A", "The first."), "b": Choice("B", "The second.")})
    assert check("b") == "b"
    with pytest.raises(ValueError, match="must be one of a, b"):
        check("c")
