"""Numbers in the closing table of a comparison."""

import math

import pandas as pd
import pytest
from rich.console import Console

from bnlab.cli.output import results_table

ROW = {
    "label": "A",
    "params": 10,
    "trainable": 10,
    "val_loss": 0.25,
    "val_loss_sd": math.nan,
    "val_accuracy": 0.9,
    "val_accuracy_sd": math.nan,
    "seconds_per_epoch": 1.0,
    "seconds_to_95": math.nan,
    "seconds_to_97": math.nan,
}


@pytest.mark.parametrize(
    ("loss", "sd", "says"),
    [
        (0.25, math.nan, "0.2500"),
        (0.25, 0.5, "0.2500 ± 0.5000"),
        (9.9216236e32, math.nan, "9.9216e+32"),
        (9.9216236e32, 1e33, "9.9216e+32 ± 1.0000e+33"),
        (math.nan, math.nan, "–"),
    ],
)
def test_a_loss_has_as_many_digits_as_say_something(loss: float, sd: float, says: str) -> None:
    console = Console(width=200)
    with console.capture() as printed:
        console.print(results_table(pd.DataFrame([ROW | {"val_loss": loss, "val_loss_sd": sd}])))
    assert says in [cell.strip() for cell in printed.get().split("  ")]
