"""The examples of a run as tensors, and what follows a dataset's file that is replaced."""

from pathlib import Path

import numpy as np

from bnlab.runs.datasets import register_datasets
from bnlab.specs.network import prediction_key
from bnlab.specs.validation import parse_spec
from bnlab.training.data import load_examples, training_batches
from bnlab.training.trainer import Trainer
from tests.dataset_files import small_arrays, write_dataset


def test_examples_are_shared_until_the_file_is_replaced(data_folder: Path) -> None:
    path = data_folder / "school.npz"
    write_dataset(path)
    register_datasets()
    first = load_examples("school", "test")
    assert load_examples("school", "test") is first
    replacement = write_dataset(path, x_train=255 - small_arrays()["x_train"])
    batches, _, _ = training_batches(parse_spec({"dataset": "school"}))
    np.testing.assert_array_equal(batches.images, replacement["x_train"][6:])


def test_images_of_another_shape_and_number_are_trained_on(data_folder: Path) -> None:
    """In one process, whose compiled programs and epochs are cached by the spec."""
    path = data_folder / "school.npz"
    fields = {"dataset": "school", "hidden_units": [4], "epochs": 2, "batch_size": 8, "evaluate_with": "all"}
    keys = set()
    for train, shape, classes in ((60, (6, 5), 3), (30, (4, 4, 3), 5)):
        write_dataset(path, **small_arrays(train=train, shape=shape, classes=classes))
        register_datasets()
        spec = parse_spec(fields)
        trainer = Trainer(spec)
        trainer.advance_to(spec.total_steps)
        assert trainer.finished
        assert not trainer.diverged
        keys.add(prediction_key(spec))
    assert len(keys) == 2
