"""Notes on values that stay unchanged: their reasons, checked with NumPy, and where they appear."""

import numpy as np
import pandas as pd
import pytest

from bnlab.charts.unchanged_values import MAX_ROUNDING_ERROR, remove_rounding_errors, unchanged_figure, unchanged_notes
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from tests.charts.snapshots import assert_drawable, snapshots_of, texts
from tests.numpy_normalization import normalize_batch

Values = dict[str, list[list[float]]]
STILL: Values = {"gamma": [[1, 1], [2, 3]], "beta": [[0, 0], [1e-9, -1e-9]], "moving_mean": [[0, 0], [0, 1e-8]]}
NORMALIZED = {"input_normalization": True, "hidden_units": (4, 3)}


def notes(layer: str, values: Values = STILL, **fields: object) -> str:
    network = describe_network(RunSpec(**NORMALIZED | {"placement": "before_activation"} | fields))
    return " ".join(unchanged_notes(snapshots_of(values, [0, 9]), network, layer))


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


def test_pixels_that_are_always_black_are_counted() -> None:
    means: Values = {
        "moving_mean": [[0, 0, 0], [0, 0.1, 0], [0, 0, 0]],
        "moving_variance": [[1, 1, 1], [1e-3, 1, 1e-4], [1e-12, 1e-30, 1e-11]],
    }
    network = describe_network(RunSpec(input_normalization=True, epsilon=1e-8))
    (note,) = unchanged_notes(snapshots_of({"gamma": [[1] * 3] * 3} | means, [0, 1, 2]), network, "bn_input")
    assert note.startswith("2 of the 3 pixels have been 0 in every training image so far: there gamma")
    assert "multiplied by up to 10,000," in note, "1/√(1e-12 + 1e-8); the second pixel is not always black"
    (note,) = unchanged_notes(snapshots_of(means, [0, 1, 2]), network, "bn_input")
    assert "gamma" not in note
    assert not unchanged_notes(snapshots_of(means, [0, 1, 2]), network, "bn_1")
    colors = describe_network(RunSpec(input_normalization=True, dataset="cifar10"))
    assert not unchanged_notes(snapshots_of(means, [0, 1, 2]), colors, "bn_input")


def test_no_notes_before_the_first_step() -> None:
    network = describe_network(RunSpec(**NORMALIZED))
    assert unchanged_notes(snapshots_of({"gamma": [[1]], "moving_mean": [[0]]}, [0]), network, "bn_input") == []
    assert unchanged_notes(pd.DataFrame(columns=["step", "variable", "values"]), network, "bn_input") == []


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
