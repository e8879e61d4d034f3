"""Datasets in a folder: found, read, and refused with a sentence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnlab.model.dataset_files import register_folder
from bnlab.model.datasets import load_arrays
from bnlab.specs.datasets import DATASETS, PUBLISHED, UNUSABLE, DatasetError
from bnlab.specs.keras_code import training_script
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import SpecError, parse_spec
from tests.dataset_files import small_arrays, write_dataset
from tests.spec_strategies import PROPERTIES


def test_a_file_is_a_dataset_by_its_name(data_folder: Path) -> None:
    arrays = write_dataset(data_folder / "school.npz")
    register_folder(data_folder)
    dataset = DATASETS["school"]
    assert (dataset.image_shape, dataset.available, dataset.test, dataset.classes) == ((6, 5), 60, 25, 3)
    assert "school" in RunSpec.model_json_schema()["properties"]["dataset"]["enum"]
    assert "school" not in PROPERTIES["dataset"]["enum"]
    spec = parse_spec({"dataset": "school"})
    assert (spec.examples, spec.validation_examples) == (54, 25)
    loaded, held_out = load_arrays(spec), load_arrays(parse_spec({"dataset": "school", "validation": "holdout"}))
    np.testing.assert_array_equal(loaded.train_images, arrays["x_train"][6:])
    np.testing.assert_array_equal(loaded.validation_labels, arrays["y_test"])
    np.testing.assert_array_equal(held_out.validation_images, arrays["x_train"][:6])
    assert loaded.train_labels.dtype == np.int32


@pytest.mark.parametrize("architecture", ["dense", "conv"])
@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 1), (5, 7, 3), (1, 1)])
def test_any_shape_of_images(data_folder: Path, architecture: str, shape: tuple[int, ...]) -> None:
    write_dataset(data_folder / "shapes.npz", **small_arrays(shape=shape, classes=4))
    register_folder(data_folder)
    network = describe_network(parse_spec({"dataset": "shapes", "architecture": architecture}))
    assert (network.input_shape, network.layers[-1].output_shape) == (shape, (4,))


def test_labels_may_have_an_axis_of_their_own(data_folder: Path) -> None:
    arrays = small_arrays()
    write_dataset(data_folder / "column.npz", y_train=arrays["y_train"][:, None].astype(np.int64))
    register_folder(data_folder)
    assert load_arrays(parse_spec({"dataset": "column"})).train_labels.tolist() == arrays["y_train"][6:].tolist()


def test_the_script_reads_the_file(data_folder: Path) -> None:
    write_dataset(data_folder / "school.npz")
    register_folder(data_folder)
    script = training_script(parse_spec({"dataset": "school", "train_examples": 9}))
    compile(script, "train.py", "exec")
    assert "import numpy" in script
    assert 'numpy.load("school.npz")' in script
    assert "[6:15]" in script


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"x_train": None}, "it has no x_train"),
        ({"x_train": small_arrays()["x_train"] / 255}, "x_train is of float64, but pixels are uint8"),
        ({"x_train": np.zeros((60, 30), np.uint8)}, "x_train has the shape (60, 30), but images have"),
        ({"x_test": np.zeros((25, 6, 0), np.uint8)}, "x_test has the shape (25, 6, 0)"),
        ({"x_test": np.zeros((25, 6, 6), np.uint8)}, "have different shapes"),
        ({"y_train": np.zeros(59, np.uint8)}, "y_train is uint8 (59,), but 60 whole numbers are needed"),
        ({"y_test": np.zeros(25)}, "y_test is float64 (25,)"),
        ({"y_test": np.full(25, -1)}, "labels are from 0"),
        ({"y_test": np.full(25, 9_999)}, "labels are from 0"),
        ({"x_train": np.zeros((1, 6, 5), np.uint8), "y_train": np.zeros(1, int)}, "one image is left aside"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_dataset_is_refused_with_the_reason(data_folder: Path, changes: dict[str, Any], reason: str) -> None:
    write_dataset(data_folder / "odd.npz", **changes)
    write_dataset(data_folder / "school.npz")
    register_folder(data_folder)
    assert "odd" not in DATASETS
    with pytest.raises(SpecError) as raised:
        parse_spec({"dataset": "odd"})
    assert reason in str(raised.value)
    assert str(raised.value).startswith("odd.npz is no dataset for bnlab: ")
    assert parse_spec({"dataset": "school"}).data.classes == 3


@pytest.mark.parametrize("cut", [0, 1, 100, 0.5, 0.99])
def test_a_damaged_file_is_refused_until_it_is_replaced(data_folder: Path, cut: float) -> None:
    path = data_folder / "school.npz"
    write_dataset(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(cut * len(content)) if isinstance(cut, float) else cut])
    register_folder(data_folder)
    with pytest.raises(SpecError, match=r"school.npz cannot be read: it is damaged or no .npz file \(\w+\)\.$"):
        parse_spec({"dataset": "school"})
    path.write_bytes(content)
    register_folder(data_folder)
    assert parse_spec({"dataset": "school"}).examples == 54


def test_a_replaced_file_is_read_again(data_folder: Path) -> None:
    path = data_folder / "school.npz"
    first = write_dataset(path)
    register_folder(data_folder)
    spec = parse_spec({"dataset": "school"})
    np.testing.assert_array_equal(load_arrays(spec).train_images, first["x_train"][6:])
    assert load_arrays(spec).train_images.base is load_arrays(spec).train_images.base, "read once"
    replacement = write_dataset(data_folder / "school.tmp.npz", x_train=255 - first["x_train"])
    (data_folder / "school.tmp.npz").replace(path)
    np.testing.assert_array_equal(load_arrays(spec).train_images, replacement["x_train"][6:])
    larger = write_dataset(path, **small_arrays(train=90, shape=(4, 4)))
    register_folder(data_folder)
    np.testing.assert_array_equal(load_arrays(spec).train_images, larger["x_train"][9:])


def test_a_link_to_no_file_leaves_the_others(data_folder: Path) -> None:
    write_dataset(data_folder / "school.npz")
    (data_folder / "gone.npz").symlink_to(data_folder / "nowhere.npz")
    register_folder(data_folder)
    assert "school" in DATASETS
    assert "gone.npz cannot be read: No such file or directory." in UNUSABLE["gone"]


def test_a_file_that_is_gone_is_an_error_of_the_run(data_folder: Path) -> None:
    path = data_folder / "school.npz"
    write_dataset(path)
    register_folder(data_folder)
    path.unlink()
    register_folder(data_folder)
    with pytest.raises(DatasetError, match=r"school.npz cannot be read: No such file"):
        load_arrays(parse_spec({"dataset": "school"}))


def test_a_file_named_like_a_known_dataset_is_its_source(data_folder: Path) -> None:
    shape = PUBLISHED["fashion_mnist"].image_shape
    zeros = {"x_train": np.zeros((60_000, *shape), np.uint8), "x_test": np.zeros((10_000, *shape), np.uint8)}
    labels = {"y_train": np.arange(60_000) % 10, "y_test": np.arange(10_000) % 10}
    write_dataset(data_folder / "fashion_mnist.npz", **zeros, **labels)
    register_folder(data_folder)
    assert DATASETS["fashion_mnist"].title == "Fashion-MNIST"
    assert len(load_arrays(RunSpec(dataset="fashion_mnist")).train_images) == 55_000


def test_a_wrong_file_named_like_a_known_dataset_fails_where_it_is_needed(data_folder: Path) -> None:
    write_dataset(data_folder / "fashion_mnist.npz")
    register_folder(data_folder)
    assert parse_spec({"dataset": "fashion_mnist"}).examples == 55_000
    with pytest.raises(DatasetError, match=r"^fashion_mnist.npz is no dataset for bnlab: Fashion-MNIST has images of"):
        load_arrays(RunSpec(dataset="fashion_mnist"))


def test_a_folder_that_is_not_there(data_folder: Path) -> None:
    with pytest.raises(DatasetError, match=r"nowhere of datasets \(BNLAB_DATA\) cannot be read: No such file"):
        register_folder(data_folder / "nowhere")


def test_a_name_that_no_address_can_hold(data_folder: Path) -> None:
    write_dataset(data_folder / "a~b.npz")
    register_folder(data_folder)
    assert "is no name of a dataset" in UNUSABLE["a~b"]
