"""Durations of steps and predictions, measured in turns."""

import itertools
import math

import numpy as np
import pytest

from bnlab.model.build import build_model
from bnlab.specs.run_spec import RunSpec
from bnlab.training.diagnostics import timing
from bnlab.training.diagnostics.timing import time_networks, time_predictions, time_steps
from bnlab.training.trainer import Trainer

SMALL = {"hidden_units": (16,), "train_examples": 640, "batch_size": 32}


@pytest.fixture(autouse=True)
def _few_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "STEP_TURNS", 5)


def test_both_take_turns_on_the_same_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[RunSpec, int]] = []

    def advance_to(trainer: Trainer, step: int) -> None:
        """Takes 3 ms per step, 4 ms with BN, and twice as long before the last turn."""
        calls.append((trainer.spec, step))
        slowness = 2 if len(calls) < 10 else 1
        trainer.seconds += slowness * (step - trainer.step) * (0.004 if trainer.spec == spec else 0.003)
        trainer.step = step

    monkeypatch.setattr(Trainer, "advance_to", advance_to)
    spec = RunSpec(**SMALL, placement="before_activation", input_normalization=True, noise=True, seed=3)
    times = time_steps(spec)
    assert (times.seconds, times.without) == (pytest.approx(0.004), pytest.approx(0.003))
    ends = [timing.WARM_UP_STEPS + turn * timing.STEPS_PER_TURN for turn in range(6)]
    assert calls == [(timed, end) for end in ends for timed in (spec, RunSpec(**SMALL, seed=3))]


def test_real_steps() -> None:
    times = time_steps(RunSpec(**SMALL, placement="after_activation"))
    assert 0 < times.seconds < 1
    assert 0 < times.without < 1


def test_a_diverged_training_has_no_step_time() -> None:
    times = time_steps(RunSpec(**SMALL, learning_rate=100.0, rescale="raw", activation="linear"))
    assert math.isnan(times.seconds)


def test_both_models_are_timed_at_each_batch_size() -> None:
    images = np.random.default_rng(0).integers(0, 256, (256, 28, 28), np.uint8)
    models = build_model(RunSpec(hidden_units=(6,))), build_model(RunSpec(hidden_units=(6,), seed=1))
    for medians in time_predictions(*models, images, 1 / 255):
        assert list(medians) == [1, 256]
        assert all(0 < seconds < 1 for seconds in medians.values())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replaces predictions by seconds that rise with each turn; the list gets the order of the networks."""
    order: list[str] = []

    def seconds(predict: str, batch: object) -> float:
        order.append(predict)
        return len(order) / 1000

    monkeypatch.setattr(timing, "_predict_function", lambda model: f"{model.count_params()}")
    monkeypatch.setattr(timing, "_prediction_seconds", seconds)
    return order


NETWORKS = [RunSpec(hidden_units=(units,)) for units in (2, 3, 4)]


def test_networks_take_turns_under_a_rising_load(clock: list[str]) -> None:
    latencies = time_networks(NETWORKS, lambda: False)
    assert latencies is not None
    turns = timing.WARM_UP_PREDICTIONS + timing.PREDICTION_TURNS
    assert len(clock) == 2 * turns * len(NETWORKS)
    rounds = [tuple(clock[start : start + 3]) for start in range(0, len(clock), 3)]
    assert {frozenset(turn) for turn in rounds} == {frozenset(clock[:3])}, "each one once in every turn"
    assert set(rounds) == set(itertools.permutations(clock[:3])), "in any order"
    for size in (1, 256):  # the load of one turn is between the medians of the networks, and not of many
        medians = [by_size[size] for by_size in latencies]
        assert max(medians) - min(medians) <= 0.003


def test_the_first_turns_do_not_count(clock: list[str]) -> None:
    latencies = time_networks(NETWORKS[:1], lambda: False)
    assert latencies is not None
    middle = timing.WARM_UP_PREDICTIONS + timing.PREDICTION_TURNS // 2 + 1
    assert latencies[0][1] == middle / 1000


def test_large_networks_take_fewer_turns(clock: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "MAX_SECONDS", -1.0)
    assert time_networks(NETWORKS, lambda: False) is not None
    assert len(clock) == 2 * timing.MIN_TURNS * len(NETWORKS)


@pytest.mark.parametrize("asked", [0, 2, 3, 50, 333 + 10])
def test_other_work_ends_the_timing_at_once(clock: list[str], asked: int) -> None:
    answers = itertools.chain([False] * asked, itertools.repeat(True))
    assert time_networks(NETWORKS, lambda: next(answers)) is None
    assert len(clock) == max(asked - len(NETWORKS), 0)


def test_real_predictions_of_networks() -> None:
    small = RunSpec(hidden_units=(4,), placement="before_activation", noise=True)
    wide = RunSpec(architecture="conv", hidden_units=(4, 4), dataset="cifar10")
    latencies = time_networks([small, wide], lambda: False)
    assert latencies is not None
    for by_size in latencies:
        assert list(by_size) == [1, 256]
        assert all(0 < seconds < 1 for seconds in by_size.values())
