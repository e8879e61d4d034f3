"""A network looked into through its depth."""

import numpy as np
import pytest

from bnlab.runs.diagnostics import PROFILE_COLUMNS, measure_depth_profile, measure_covariate_shift, measure_layer_statistics
from bnlab.specs.run_spec import RunSpec
from tests.one_thread import one_thread  # noqa: F401

SPEC = RunSpec(placement="before_activation", hidden_units=(9, 7), train_examples=300, epochs=1)


def test_each_hidden_layer_has_its_xray_and_its_shift() -> None:
    frame, shifts = measure_depth_profile(SPEC, [0, 2]), measure_covariate_shift(SPEC, [0, 2])
    assert list(frame.columns) == ["step", "depth", "layer", *PROFILE_COLUMNS]
    assert frame[["step", "layer"]].values.tolist() == [[s, f"dense_{d}"] for s in (0, 2) for d in (1, 2)]
    hidden = shifts[shifts["layer"] != "output"]
    assert frame["shift"].to_numpy() == pytest.approx((hidden["difference"] / hidden["gradient_norm"]).to_numpy())
    assert frame["turn"].to_numpy() == pytest.approx((1 - hidden["cosine"]).to_numpy(), abs=1e-12)
    assert (frame.loc[frame["depth"] == 1, "shift"] == 0).all(), "nothing stands before the first layer"
    assert (frame.loc[frame["depth"] == 2, "shift"] > 0).all()


def test_the_xray_is_the_same_as_alone() -> None:
    alone = measure_layer_statistics(SPEC, [2])
    np.testing.assert_array_equal(measure_depth_profile(SPEC, [2])[alone.columns], alone)
