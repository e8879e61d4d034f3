"""The statistics of the datasets: computed from the images, stored, and found by advice."""

from pathlib import Path

import numpy as np
import pytest

from bnlab.model.dataset_statistics import compute_statistics, file_statistics, image_statistics
from bnlab.model.datasets import load_published
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
    load_published.cache_clear()
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


def test_a_file_that_cannot_be_read_has_no_statistics(tmp_path: Path) -> None:
    assert file_statistics(tmp_path / "gone.npz") is None
