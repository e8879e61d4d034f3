import math

import pandas as pd
import pytest

from bnlab.charts.distributions import pre_activation_alt, pre_activation_figure, pre_activation_frame
from bnlab.charts.gradients import (
    MAX_POINTS,
    depth_alt,
    depth_figure,
    depth_frame,
    gap_text,
    gradient_alt,
    gradient_figure,
    gradient_frame,
)
from bnlab.runs.reader import PERCENTILE_COLUMNS
from tests.charts.snapshots import STYLES, assert_drawable, texts
from tests.sentences import names_in_order, numbers_in

NAMES = [f"dense_{number}" for number in range(1, 13)]


def layers_of(gradients: dict[int, list[float]]) -> pd.DataFrame:
    """As `bnlab.runs.reader.layers_frame` makes it, the layers in the database's order: dense_10 before dense_2."""
    rows = [
        (step, name, norm, 1.0, *(norm * i for i in range(len(PERCENTILE_COLUMNS))))
        for step, norms in gradients.items()
        for name, norm in sorted(zip(NAMES, norms, strict=False))
    ]
    frame = pd.DataFrame(rows, columns=["step", "layer", "gradient_norm", "weight_norm", *PERCENTILE_COLUMNS])
    return frame.astype({"gradient_norm": float})


def test_one_layer_over_its_epochs() -> None:
    frame = gradient_frame(layers_of({0: [1, 2], 5: [3, 4]}), "dense_2", 10)
    assert frame.to_dict("list") == {"epoch": [0.0, 0.5], "gradient_norm": [2.0, 4.0]}


def test_a_long_training_is_drawn_with_few_points_and_every_peak() -> None:
    norms = {step: [step + 1.0] for step in range(1000)} | {333: [1e6], 444: [0.0], 555: [math.nan]}
    frames = {"a1": gradient_frame(layers_of(norms), "dense_1", 10)}
    figure = gradient_figure(frames, "dense_1", STYLES)
    assert_drawable(figure)
    (drawn,) = figure.data
    assert len(drawn.x) <= MAX_POINTS + 2
    assert drawn.customdata[[0, -1]].tolist() == [1, 1000]
    assert {0, 1e6} <= set(drawn.customdata.tolist())
    assert names_in_order(gap_text(frames, STYLES), "lower edge", "With BN", "not finite", "With BN")


def test_a_long_trainings_bands_keep_the_peaks_of_every_percentile() -> None:
    frame = pre_activation_frame(layers_of({step: [1.0] for step in range(1000)}), "dense_1", 10)
    for place, column in enumerate(PERCENTILE_COLUMNS):
        frame.loc[101 + 100 * place, column] = place + 0.5
    figure = pre_activation_figure({"a1": frame}, "dense_1", STYLES)
    assert_drawable(figure)
    lines = {trace.uid.removeprefix("a1-"): trace for trace in figure.data}
    for column in PERCENTILE_COLUMNS:
        assert lines[column].y.max() == frame[column].max()
        assert lines[column].x.tolist() == lines["p50"].x.tolist(), "so that lines that do not cross are not drawn so"
    assert len(lines["p50"].x) < 3 * MAX_POINTS


def test_depth_frame_has_network_order_and_latest_evaluation() -> None:
    layers = layers_of({0: [1.0] * 12, 5: [float(n) for n in range(1, 13)]})
    frame = depth_frame(layers, NAMES, 7)
    assert frame["depth"].tolist() == list(range(1, 13))
    assert frame["gradient_norm"].tolist() == [float(n) for n in range(1, 13)]
    assert set(depth_frame(layers, NAMES, 4)["gradient_norm"]) == {1.0}


def test_one_line_per_run_in_its_style() -> None:
    frames = {run: depth_frame(layers_of({0: [1, 10]}), NAMES, 0) for run in STYLES}
    figure = depth_figure(frames, STYLES)
    assert_drawable(figure)
    assert [(trace.uid, trace.line.color) for trace in figure.data] == [("a1", "#0072B2"), ("b2", "#D55E00")]
    assert figure.layout.yaxis.type == "log"
    assert depth_alt(frames, STYLES).endswith("With BN 1 to 10; Without 1 to 10.")


@pytest.mark.parametrize("worst", [0.0, math.nan, math.inf, 1e-40])
def test_any_recorded_value_can_be_drawn(worst: float) -> None:
    layers = layers_of({0: [worst], 3: [2.0]})
    frames = {"a1": gradient_frame(layers, "dense_1", 2)}
    assert_drawable(gradient_figure(frames, "dense_1", STYLES))
    assert_drawable(pre_activation_figure({"a1": pre_activation_frame(layers, "dense_1", 2)}, "dense_1", STYLES))
    assert gradient_alt(frames, "dense_1", STYLES).endswith(".")


def test_messages_for_zero_gradients_and_for_none() -> None:
    zero, nothing = layers_of({0: [0.0]}), layers_of({})
    for layers, message in ((zero, "No gradient reaches this layer"), (nothing, "Nothing measured yet")):
        assert texts(gradient_figure({"a1": gradient_frame(layers, "dense_1", 2)}, "dense_1", STYLES)) == [message]
        assert texts(depth_figure({"a1": depth_frame(layers, NAMES, 0)}, STYLES)) == [message]
    assert depth_alt({"a1": depth_frame(nothing, NAMES, 0)}, STYLES).endswith("nothing to show.")


def test_gap_text_names_values_that_a_log_axis_cannot_show() -> None:
    dead, lost = layers_of({0: [1.0, 1.0], 3: [0.0, 2.0]}), layers_of({0: [1.0, 1.0], 3: [math.nan, math.inf]})
    frames = {"a1": depth_frame(dead, NAMES, 3), "b2": depth_frame(lost, NAMES, 3)}
    message = gap_text(frames, STYLES)
    assert names_in_order(message, "lower edge", "0", "With BN", "not finite", "Without")
    assert names_in_order(depth_alt(frames, STYLES), "With BN 0 to 2", "Without not finite to not finite")
    assert gap_text({run: depth_frame(lost, NAMES, 0) for run in STYLES}, STYLES) == ""
    assert gap_text({"b2": frames["b2"]}, STYLES) == "", "the chart itself says it"
    drawn = depth_figure(frames, STYLES).data[0]
    assert 0 < drawn.y[0] < drawn.y[1] == 2
    assert drawn.customdata.tolist() == [0, 2]
    over_time = {"a1": gradient_frame(dead, "dense_1", 1), "b2": gradient_frame(lost, "dense_2", 1)}
    assert gap_text(over_time, STYLES) == message


def test_pre_activations_of_one_layer() -> None:
    layers = layers_of({0: [1, 2], 5: [3, 4]})
    frames = {"a1": pre_activation_frame(layers, "dense_2", 10), "b2": pre_activation_frame(layers, "dense_3", 10)}
    assert frames["a1"]["epoch"].tolist() == [0, 0.5]
    assert frames["a1"]["p95"].tolist() == [8, 16]
    figure = pre_activation_figure(frames, "dense_2", STYLES)
    assert_drawable(figure)
    assert {trace.uid for trace in figure.data} == {f"a1-{column}" for column in PERCENTILE_COLUMNS}
    alt = pre_activation_alt(frames, "dense_2", STYLES)
    assert names_in_order(alt, "dense_2", "With BN")
    assert numbers_in(alt) == [8, 90, 0, 16]
