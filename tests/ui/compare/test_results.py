"""The table under the curves, as it is handed to the browser."""

import math

import pandas as pd

from bnlab.ui.compare.results import round_for_display


def test_a_difference_too_small_to_be_shown_has_no_sign() -> None:
    table = pd.DataFrame({"label": ["A", "B", "C"], "difference": [-0.00003, -0.0123, math.nan]})
    first, second, third = round_for_display(table)["difference"]
    assert str(first) == "0.0"
    assert second == -1.23
    assert math.isnan(third)
    pd.testing.assert_frame_equal(round_for_display(table[["label"]]), table[["label"]])


def test_a_loss_that_is_wider_than_its_column_is_left_to_the_csv() -> None:
    table = pd.DataFrame({"val_loss": [0.5, 5.2e21, math.inf, math.nan], "val_loss_sd": [0.1, 1e22, math.nan, 0.2]})
    shown = round_for_display(table)
    assert shown["val_loss"].notna().tolist() == [True, False, False, False]
    assert shown["val_loss_sd"].notna().tolist() == [True, False, False, True]
    assert table["val_loss"][1] == 5.2e21
