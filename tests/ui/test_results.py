"""The table under the curves, as it is handed to the browser."""

import math

import pandas as pd

from bnlab.ui.results import _in_percent


def test_a_difference_too_small_to_be_shown_has_no_sign() -> None:
    table = pd.DataFrame({"label": ["A", "B", "C"], "difference": [-0.00003, -0.0123, math.nan]})
    first, second, third = _in_percent(table)["difference"]
    assert str(first) == "0.0"
    assert second == -1.23
    assert math.isnan(third)
    pd.testing.assert_frame_equal(_in_percent(table[["label"]]), table[["label"]])
