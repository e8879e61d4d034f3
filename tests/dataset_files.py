"""Small datasets in Keras's format, and the registry as it was before a test."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnlab.specs.datasets import DATASETS, UNUSABLE


def small_arrays(train: int = 60, test: int = 25, shape: tuple[int, ...] = (6, 5), classes: int = 3) -> dict[str, Any]:
    random = np.random.default_rng(1)
    return {
        "x_train": random.integers(0, 256, (train, *shape), np.uint8),
        "y_train": np.arange(train, dtype=np.uint8) % classes,
        "x_test": random.integers(0, 256, (test, *shape), np.uint8),
        "y_test": np.arange(test, dtype=np.uint8) % classes,
    }


def write_dataset(path: Path, **changes: Any) -> dict[str, Any]:
    arrays = {name: array for name, array in (small_arrays() | changes).items() if array is not None}
    np.savez_compressed(path, **arrays)
    return arrays


@pytest.fixture
def data_folder(restored_datasets: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that BNLAB_DATA names; the registry is restored after the test."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("BNLAB_DATA", str(folder))
    return folder


@pytest.fixture
def restored_datasets() -> Iterator[None]:
    """The registry is restored after the test."""
    datasets, unusable = dict(DATASETS), dict(UNUSABLE)
    yield
    for registry, before in ((DATASETS, datasets), (UNUSABLE, unusable)):
        registry.clear()
        registry.update(before)
