"""What a chart of curves shows, in words."""

import pytest

from bnlab.charts.curve_alt import curve_alt
from bnlab.charts.view import View
from tests.charts.curve_lines import BIG, INF, LABELS, LOSS, NAN, VAL_ACCURACY, VAL_LOSS, line, lines


def test_the_sentence_puts_the_best_first() -> None:
    ends = [0.9, 0.25], [0.5, 0.125]
    loss = curve_alt(lines(LOSS, *ends), LOSS, View())
    assert loss == "Training loss by epoch, the best first: BN, after 0.125, Without BN 0.250."
    accuracy = curve_alt(lines(VAL_ACCURACY, *ends), VAL_ACCURACY, View(x="seconds"))
    assert accuracy == "Validation accuracy by second, the best first: Without BN 25.0%, BN, after 12.5%."


@pytest.mark.parametrize("end", [NAN, INF])
def test_the_sentence_is_about_numbers_and_names_what_is_none(end: float) -> None:
    alt = curve_alt(lines(LOSS, [1, end], [0.5]), LOSS, View())
    assert alt == "Training loss by epoch, the best first: BN, after 0.500. No longer a number: Without BN."
    alone = curve_alt(lines(LOSS, [1, end], []), LOSS, View())
    assert alone == (
        "Training loss by epoch, the best first: none. No longer a number: Without BN. Nothing yet: BN, after."
    )


def test_a_loss_that_flew_off_is_a_power_of_ten() -> None:
    assert "Without BN 3.4 × 10³⁸." in curve_alt(lines(VAL_LOSS, [BIG], [0.5]), VAL_LOSS, View())


def test_the_sentence_says_what_the_differences_are_to() -> None:
    view = View(x="step", differences=True, baseline=LABELS[0])
    many = {LABELS[0]: line(VAL_LOSS, [1.0], [0.5]), LABELS[1]: line(VAL_LOSS, [0.25], [0.25])}
    said = "Validation loss minus Without BN’s by step, means over seeds, the best first: BN, after −0.500."
    assert curve_alt(many, VAL_LOSS, view) == said
    accuracy = curve_alt(lines(VAL_ACCURACY, [0.5], [0.75]), VAL_ACCURACY, view)
    assert accuracy.endswith("BN, after +25 points.")
    assert curve_alt(lines(VAL_LOSS, [1.0], []), VAL_LOSS, view) == "Validation loss: nothing to compare yet."
