"""Durations of steps and predictions, measured in turns."""

import math

import numpy as np
import pytest

from bnlab.model.build import build_model
from bnlab.specs.run_spec import RunSpec
from bnlab.training.diagnostics import timing
from bnlab.training.diagnostics.timing import time_predictions, time_steps
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
