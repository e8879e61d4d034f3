"""Notes on values that stay unchanged: their reasons, checked with NumPy, and where they appear."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bnlab.charts.unchanged_values import MAX_ROUNDING_ERROR, remove_rounding_errors, unchanged_figure, unchanged_notes
from bnlab.runs.datasets import register_datasets
from bnlab.specs.advice import advise
from bnlab.specs.dataset_statistics import statistics_of
from bnlab.specs.run_spec import RunSpec
from tests.charts.snapshots import assert_drawable, snapshots_of, texts
from tests.dataset_files import write_dataset
from tests.numpy_normalization import normalize_batch

Values = dict[str, list[list[float]]]
STILL: Values = {"gamma": [[1, 1], [2, 3]], "beta": [[0, 0], [1e-9, -1e-9]], "moving_mean": [[0, 0], [0, 1e-8]]}
NORMALIZED = {"input_normalization": True, "hidden_units": (4, 3)}


def notes(layer: str, values: Values = STILL, **fields: object) -> str:
    spec = RunSpec(**NORMALIZED | {"placement": "before_activation"} | fields)
    return " ".join(unchanged_notes(snapshots_of(values, [0, 9]), spec, layer))


def test_next_normalization_cancels_beta_and_bias() -> None:
    rng = np.random.default_rng(0)
    x, kernel, beta, bias = (rng.normal(size=shape) for shape in ((32, 6), (6, 4), (6,), (4,)))
    plain = normalize_batch(x) @ kernel
    np.testing.assert_allclose(plain.mean(axis=0), 0, atol=1e-12)
    shifted = (normalize_batch(x) + beta) @ kernel + bias
    np.testing.assert_allclose(normalize_batch(shifted), normalize_batch(plain), atol=1e-12)


def test_notes_where_only_a_dense_layer_is_between() -> None:
    assert "beta stays at 0: bn_1 follows" in notes("bn_input")
    assert "the moving mean stays at 0: bn_input makes" in notes("bn_1")
    assert "beta stays" not in notes("bn_1"), "its activation is between"
    linear = {"placement": "after_activation", "activation": "linear"}
    assert "beta stays at 0: bn_2 follows" in notes("bn_1", **linear)
    assert "beta stays" not in notes("bn_2", **linear), "the output layer is not normalized"
    for fields in ({"placement": "after_activation"}, {"placement": "none"}, {"architecture": "conv"}):
        assert "stays at 0" not in notes("bn_input", **fields)


@pytest.mark.parametrize("moved", [1e-3, np.nan])
def test_no_note_on_changed_values(moved: float) -> None:
    assert "beta stays" not in notes("bn_input", STILL | {"beta": [[0, 0], [0, moved]]})
    assert "the moving mean stays" not in notes("bn_1", STILL | {"moving_mean": [[0, 0], [0, moved]]})


FEW = RunSpec(input_normalization=True, epsilon=1e-8, train_examples=500, batch_size=4)


def input_snapshots(constant: int, *, value: float = 0.0, pixels: int = 784, gamma: float = 1.0) -> pd.DataFrame:
    """Snapshots of an input normalization of which the first pixels are always `value`."""
    is_constant = np.arange(pixels) < constant
    decays = (1.0, 1e-3, 1e-12)
    values = {
        "gamma": [np.where(is_constant, gamma if decay < 1 else 1, 1 + (1 - decay)) for decay in decays],
        "moving_mean": [np.where(is_constant, value, 0.5) * (1 - decay) for decay in decays],
        "moving_variance": [np.where(is_constant, decay, decay + 0.1 * (1 - decay)) for decay in decays],
    }
    return snapshots_of({name: [row.tolist() for row in rows] for name, rows in values.items()}, [0, 1, 2])


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_pixels_that_never_vary_are_counted_whatever_their_value(value: float) -> None:
    statistics = statistics_of("mnist")
    assert statistics is not None
    constant = statistics.constant_pixels(500)
    assert 100 < constant < 784
    (note,) = unchanged_notes(input_snapshots(constant, value=value), FEW, "bn_input")
    assert note.startswith(f"{constant} of the 784 pixels are the same in all 500 training images: there gamma")
    assert "multiplied by up to 10,000," in note, "1/√(1e-12 + 1e-8)"
    (advice,) = (advice for advice in advise(FEW) if "never vary" in advice.title)
    assert advice.sentence.startswith(f"{constant} pixels"), "before training, too"
    (note,) = unchanged_notes(input_snapshots(constant, gamma=1.1), FEW, "bn_input")
    assert "gamma" not in note, "renorm's correction gives it a gradient where the value is not 0"
    assert not unchanged_notes(input_snapshots(constant), FEW, "bn_1")
    conv = FEW.model_copy(update={"architecture": "conv"})
    assert not unchanged_notes(input_snapshots(0, pixels=1), conv, "bn_input"), "by channel, not by pixel"
    colors = RunSpec(input_normalization=True, dataset="cifar10")
    assert not unchanged_notes(input_snapshots(0, pixels=3072), colors, "bn_input")


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1)])
def test_pixels_that_never_vary_are_counted_in_files(shape: tuple[int, ...], data_folder: Path) -> None:
    images = np.full((60, *shape), 255, np.uint8)
    images[:, :3, :5] = np.random.default_rng(0).integers(0, 256, (60, 3, 5, *shape[2:]))
    write_dataset(data_folder / "inverted.npz", x_train=images, x_test=images[:25])
    register_datasets()
    spec = FEW.model_copy(update={"dataset": "inverted", "train_examples": 50})
    (note,) = unchanged_notes(input_snapshots(784 - 15, value=1.0), spec, "bn_input")
    assert note.startswith("769 of the 784 pixels are the same in all 50 training images")


def test_no_notes_before_the_first_step() -> None:
    spec = RunSpec(**NORMALIZED)
    assert unchanged_notes(snapshots_of({"gamma": [[1]], "moving_mean": [[0]]}, [0]), spec, "bn_input") == []
    assert unchanged_notes(pd.DataFrame(columns=["step", "variable", "values"]), spec, "bn_input") == []


def test_only_rounding_errors_are_removed() -> None:
    values = STILL | {"moving_variance": [[1, 1], [1, 1 + 2 * MAX_ROUNDING_ERROR]]}
    settled = remove_rounding_errors(snapshots_of(values, [0, 9]))
    expected = snapshots_of(values | {"beta": [[0, 0]] * 2, "moving_mean": [[0, 0]] * 2}, [0, 9])
    pd.testing.assert_frame_equal(settled, expected, check_exact=True)
    empty = pd.DataFrame(columns=["step", "variable", "values"])
    pd.testing.assert_frame_equal(remove_rounding_errors(empty), empty)


def test_message_where_all_values_are_initial() -> None:
    still = unchanged_figure("gamma", np.ones((2, 3), np.float32))
    assert still is not None
    assert texts(still) == ["All are at 1, where they started"]
    assert_drawable(still)
    for values in ([[1, 1.5]], [[1, np.nan]], np.empty((0, 0))):
        assert unchanged_figure("gamma", np.array(values, np.float32)) is None
