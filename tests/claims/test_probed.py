"""The numbers that are read off probes' answers, on answers made by hand; and what such answers make of the claims."""

import math
from pathlib import Path

import pandas as pd
import pytest

from bnlab.claims import probed
from bnlab.claims.case import open_case
from bnlab.claims.claim import Probed
from bnlab.claims.evidence import every_condition, probes
from bnlab.claims.probed import (
    ADDED_MILLISECONDS_1,
    ADDED_MILLISECONDS_256,
    ADDED_SECONDS_PER_EPOCH,
    FOLDED_MILLISECONDS_1,
    FOLDED_MILLISECONDS_256,
    LOGIT_CHANGE,
    LOSS_CHANGES,
    MILLISECONDS_1,
    MILLISECONDS_256,
    MOST_DECADES,
    ask_epoch,
    ask_gradients,
    ask_loss_changes,
    ask_prediction,
    ask_shifts,
    decades_apart,
    loss_change,
    prediction_frame,
    relative_shift,
    turn,
)
from bnlab.claims.registry import CLAIMS
from bnlab.claims.trial import read_trial
from bnlab.claims.verdicts import Verdict
from bnlab.runs.answers import write_answer
from bnlab.runs.perturbation import COLUMNS
from bnlab.runs.prediction import PredictionCost
from bnlab.runs.store import Store
from bnlab.spec.run_spec import RunSpec

CHANGES = pd.DataFrame(
    [
        (100, "gamma", -0.02, 0.03),
        (100, "beta", 0.01, 0.01),
        (100, "batch_mean", 0.01, 0.0),
        (100, "batch_variance", 0.01, 0.0),
        (100, "moving_mean", 0.0, 0.05),
        (100, "moving_variance", 0.0, 0.01),
    ],
    columns=list(COLUMNS),
)
NOTHING = pd.DataFrame(columns=list(COLUMNS))
COST = PredictionCost({1: 0.0005, 256: 0.002}, {1: 0.0004, 256: 0.0015}, 2e-5)


def norms(*values: float, step: int = 0) -> pd.DataFrame:
    rows = [(step, depth, value) for depth, value in enumerate(values, start=1)]
    return pd.DataFrame(rows, columns=["step", "depth", "gradient_norm"])


def shifts(*rows: tuple[float, float, float], step: int = 10) -> pd.DataFrame:
    """Each row is gradient_norm, difference, cosine."""
    frame = pd.DataFrame(rows, columns=["gradient_norm", "difference", "cosine"])
    return frame.assign(step=step, depth=range(1, len(rows) + 1))


def test_the_loss_moves_up_or_down_and_not_at_all_without_bn() -> None:
    assert loss_change("gamma", "training")(CHANGES) == pytest.approx(0.02)
    assert loss_change("gamma", "inference")(CHANGES) == pytest.approx(0.03)
    assert loss_change("moving_mean", "training")(CHANGES) == 0
    assert loss_change("gamma", "training")(NOTHING) == 0


def test_decades_lie_between_the_first_layer_and_the_last_in_either_direction() -> None:
    both = pd.concat([norms(0.01, 7.0, 1.0), norms(100.0, 7.0, 1.0, step=100)])
    assert decades_apart(0)(both) == decades_apart(100)(both) == pytest.approx(2)
    assert decades_apart(0)(norms(1.0, 5.0, 1.0)) == 0


@pytest.mark.parametrize(("first", "last"), [(0.0, 1.0), (0.0, 0.0), (math.nan, 1.0), (1.0, math.inf), (1e-30, 1.0)])
def test_gradients_that_are_gone_are_as_far_apart_as_can_be_told(first: float, last: float) -> None:
    assert decades_apart(0)(norms(first, 1.0, last)) == MOST_DECADES


def test_the_shift_is_the_mean_over_the_layers_that_have_one_before_them() -> None:
    layers = pd.concat([shifts((1, 0, 1), (2, 1, 0.9), (4, 1, 0.7)), shifts((1, 0, 1), (1, 3, -1), step=100)])
    assert relative_shift(10)(layers) == pytest.approx((50 + 25) / 2)
    assert relative_shift(100)(layers) == pytest.approx(300)
    assert turn(10)(layers) == pytest.approx(0.2)
    assert turn(100)(layers) == pytest.approx(2)


def test_a_shift_that_is_not_a_number_stays_none() -> None:
    layers = shifts((1, 0, 1), (2, 1, 0.9), (0, 0, math.nan))
    assert math.isnan(relative_shift(10)(layers))
    assert math.isnan(turn(10)(layers))


def test_predictions_cost_milliseconds() -> None:
    whole = (MILLISECONDS_1, MILLISECONDS_256, FOLDED_MILLISECONDS_1, FOLDED_MILLISECONDS_256)
    measures = (*whole, ADDED_MILLISECONDS_1, ADDED_MILLISECONDS_256, LOGIT_CHANGE)
    sources = [measure.source for measure in measures]
    assert all(isinstance(source, Probed) and source.after_training for source in sources)
    assert [source.of(prediction_frame(COST)) for source in sources if isinstance(source, Probed)] == pytest.approx(
        [0.5, 2.0, 0.4, 1.5, 0.1, 0.5, 2e-5]
    )


def test_an_epoch_costs_seconds() -> None:
    source = ADDED_SECONDS_PER_EPOCH.source
    assert isinstance(source, Probed)
    assert not source.after_training
    assert source.of(pd.DataFrame({"seconds": [0.75], "without": [0.5]})) == 0.25


def test_workers_are_asked_at_the_steps_that_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    for name in ("measure_perturbation", "xray_spec", "measure_ics", "measure_prediction", "measure_epoch"):
        monkeypatch.setattr(probed, name, lambda *arguments, name=name: asked.append((name, *arguments)) or COST)
    spec = RunSpec()
    for ask in (ask_loss_changes, ask_gradients, ask_shifts, ask_prediction, ask_epoch):
        ask("sqlite://", spec)
    assert asked == [
        ("measure_perturbation", spec, [100], 0.1),
        ("xray_spec", spec, [0, 1, 100]),
        ("measure_ics", spec, (10, 100)),
        ("measure_prediction", "sqlite://", spec.digest),
        ("measure_epoch", spec),
    ]


def test_the_loss_does_not_depend_on_what_its_mode_does_not_use(tmp_path: Path) -> None:
    case, store = open_case(CLAIMS["O3"], "quick", range(3)), Store(f"sqlite:///{tmp_path / 'bnlab.db'}")
    asked = probes(case)
    assert len(asked) == 2 * 3  # one question a network and seed, whatever is read off its answer
    for question in asked:
        write_answer(store, question, NOTHING if question.spec.placement == "none" else CHANGES)
    trial = read_trial(store, case)
    assert trial.verdict is Verdict.CONDITIONAL
    assert trial.where[Verdict.NO_DIFFERENCE] == (
        "the batch's mean, inference mode",
        "the batch's variance, inference mode",
        "the moving mean, training mode",
        "the moving variance, training mode",
    )
    assert len(trial.where[Verdict.SUPPORTED]) == len(LOSS_CHANGES) - 4


def test_gradients_are_asked_for_once_a_network_and_read_at_each_step() -> None:
    claim = CLAIMS["A3"]
    networks = {spec for condition in every_condition(claim) for arm in condition.arms for spec in arm.specs}
    depths, kinds = 5, 3
    assert len(networks) == 2 * depths * kinds
    assert len(probes(open_case(claim))) == len(networks) * 5
    assert len(every_condition(claim)) == 3 * depths * kinds
