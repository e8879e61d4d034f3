"""The labels of a logarithmic axis."""

import numpy as np
import pytest

from bnlab.charts.gradients import MAX_POWERS, log_axis


@pytest.mark.parametrize("low", [1e-30, 1e-3, 2.0, 5e8])
@pytest.mark.parametrize("factor", [100.0, 150.0, 1e5, 1e9])
def test_over_decades_the_labels_are_powers_of_ten(low: float, factor: float) -> None:
    axis = log_axis(np.array([low, low * factor * 1.0001]))
    assert axis["type"] == "log"
    assert isinstance(axis["dtick"], int)
    assert 1 <= np.log10(factor) / axis["dtick"] <= MAX_POWERS


@pytest.mark.parametrize("values", [[3.0], [2.0, 2.0], [1e9, 9e10]])
def test_over_less_the_labels_are_whole_numbers(values: list[float]) -> None:
    axis = log_axis(np.array(values))
    assert axis["tickformat"] == "~g", "a label 5 between powers of ten says nothing by itself"
    assert "dtick" not in axis
