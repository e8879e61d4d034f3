"""The statistics of the datasets: computed from the images, stored, and found by advice."""

from pathlib import Path

import numpy as np
import pytest

from bnlab.model import dataset_statistics
from bnlab.model.dataset_statistics import compute_statistics, file_statistics, image_statistics
from bnlab.runs.datasets import register_datasets
from bnlab.specs.advice import advise
from bnlab.specs.dataset_statistics import statistics_from_json, statistics_of, statistics_to_json
from bnlab.specs.datasets import PUBLISHED, DatasetError
from bnlab.specs.validation import parse_spec
from tests.dataset_files import small_arrays, write_dataset


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3)])
def test_statistics_as_numpy_finds_them(shape: tuple[int, ...]) -> None:
    images = small_arrays(train=40, shape=shape)["x_train"]
    images[:, 0, 0] = 7  # never varies
    images[:9, 0, 1] = 0  # varies with the tenth image
    images[9, 0, 1] = 1
    statistics = image_statistics(images)
    channels = images if images.ndim == 4 else images[..., None]
    assert statistics.pixel_variance == pytest.approx(images.var(axis=0).mean(), rel=1e-6)
    assert statistics.channel_variance == pytest.approx(channels.var(axis=(0, 1, 2)).mean(), rel=1e-6)
    assert statistics.pixels == np.prod(shape)
    rows = images.reshape(40, -1)
    for examples in (1, 2, 3, 9, 10, 40):
        constant = int((np.ptp(rows[:examples], axis=0) == 0).sum())
        assert statistics.constant_pixels(examples) == constant
    assert statistics_from_json(statistics_to_json({"a": statistics})) == {"a": statistics}


@pytest.mark.parametrize("name", [name for name, dataset in PUBLISHED.items() if not dataset.downloads])
def test_stored_statistics_are_those_of_the_images(name: str) -> None:
    assert statistics_of(name) == compute_statistics(name)


@pytest.mark.slow
@pytest.mark.usefixtures("restored_datasets")
@pytest.mark.parametrize("name", [name for name, dataset in PUBLISHED.items() if dataset.downloads])
def test_stored_statistics_are_those_of_downloaded_images(name: str) -> None:
    register_datasets()  # they may be in the folder of BNLAB_DATA
    stored = statistics_of(name)
    assert stored is not None
    try:
        computed = compute_statistics(name)
    except DatasetError as error:
        pytest.skip(str(error))
    if stored.source:
        assert stored.channel_variance == pytest.approx(computed.channel_variance, rel=0.01)
        assert computed.pixel_variance <= stored.pixel_variance
    else:
        assert stored == computed


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_dataset_has_statistics(name: str) -> None:
    statistics = statistics_of(name)
    assert statistics is not None
    assert statistics.pixels == np.prod(PUBLISHED[name].image_shape)
    assert 1_000 < statistics.pixel_variance <= statistics.channel_variance < 255**2 / 4


def test_a_files_statistics_give_advice(data_folder: Path) -> None:
    images = small_arrays()["x_train"]
    images[:, 2] = 9
    write_dataset(data_folder / "advised.npz", x_train=images)
    register_datasets()
    assert statistics_of("advised") == image_statistics(images[6:])
    fields = {"dataset": "advised", "input_normalization": True, "momentum": 0.5}
    (advice,) = [a for a in advise(parse_spec(fields | {"epsilon": 1e-8})) if a.title.startswith("Pixels")]
    assert "5 pixels are the same in 54 training images" in advice.sentence
    assert "Large epsilon" in [advice.title for advice in advise(parse_spec(fields | {"epsilon": 1.0}))]


def test_a_file_that_cannot_be_read_has_no_statistics_until_it_can(tmp_path: Path) -> None:
    path = tmp_path / "gone.npz"
    assert file_statistics(path) is None
    images = write_dataset(path)["x_train"]
    intact = path.read_bytes()
    path.write_bytes(intact[: len(intact) // 2])
    assert file_statistics(path) is None
    path.write_bytes(intact)
    assert file_statistics(path) == image_statistics(images[6:])


def test_an_unreadable_file_is_tried_again_though_it_has_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a network drive that did not answer."""
    path = tmp_path / "school.npz"
    write_dataset(path)
    with monkeypatch.context() as context:
        context.setattr(dataset_statistics, "read_file", raise_error)
        assert file_statistics(path) is None
    assert file_statistics(path) is not None


def raise_error(_path: Path) -> None:
    raise DatasetError("It cannot be read.")


def test_a_replaced_file_has_other_advice(data_folder: Path) -> None:
    path, images = data_folder / "advised.npz", small_arrays()["x_train"]
    write_dataset(path, x_train=images)
    register_datasets()
    spec = parse_spec({"dataset": "advised", "input_normalization": True, "momentum": 0.5, "epsilon": 1e-8})
    assert "Pixels" not in "".join(advice.title for advice in advise(spec))
    images[:, 2] = 9
    write_dataset(path, x_train=images)
    assert "Pixels" in "".join(advice.title for advice in advise(spec))
