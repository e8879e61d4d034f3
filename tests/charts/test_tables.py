"""Tables of layers and variables against the notebook's numbers."""

import pytest

from bnlab.charts.tables import parameter_text, summary_frame, variables_frame
from bnlab.specs.network import describe_network
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec

APPROACH_2 = describe_network(PRESETS["notebook"].variants[3].spec)


def test_summary_adds_up_to_the_notebooks_counts() -> None:
    frame = summary_frame(APPROACH_2)
    assert frame["layer"].tolist() == [layer.name for layer in APPROACH_2.layers]
    assert frame[["params", "trainable", "non_trainable"]].sum().tolist() == [270_946, 268_578, 2_368]
    assert frame[frame["layer"] == "bn_input"].iloc[0, 1:].tolist() == [
        "BatchNormalization",
        "(784,)",
        3136,
        1568,
        1568,
    ]


def test_bn_variables_by_name_shape_and_trainable() -> None:
    frame = variables_frame(APPROACH_2)
    assert list(frame.itertuples(index=False, name=None))[:4] == [
        ("bn_input/gamma", "(784,)", True, 784),
        ("bn_input/beta", "(784,)", True, 784),
        ("bn_input/moving_mean", "(784,)", False, 784),
        ("bn_input/moving_variance", "(784,)", False, 784),
    ]
    assert len(frame) == 12


def test_networks_without_normalization_have_no_variables() -> None:
    assert variables_frame(describe_network(RunSpec())).empty


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {},
            "4 × 300 = 1,200 parameters: gamma and beta are trainable (600), moving_mean and moving_variance are not "
            "(600).",
        ),
        (
            {"center": False},
            "3 × 300 = 900 parameters: gamma is trainable (300), moving_mean and moving_variance are not (600).",
        ),
        (
            {"center": False, "scale": False},
            "2 × 300 = 600 parameters: none is trainable.",
        ),
    ],
)
def test_parameter_text(changes: dict, text: str) -> None:
    layer = describe_network(RunSpec(placement="before_activation", **changes)).normalizations[0]
    assert parameter_text(layer) == text
