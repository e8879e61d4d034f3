"""The time that batch normalization adds to a step."""

import math

import pytest

from bnlab.specs.run_spec import RunSpec
from bnlab.training.diagnostics import timing as pace
from bnlab.training.diagnostics.timing import time_steps
from bnlab.training.trainer import Trainer

SMALL = {"hidden_units": (16,), "train_examples": 640, "batch_size": 32}


@pytest.fixture(autouse=True)
def _few_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "TURNS", 5)


def test_the_two_take_turns_on_the_same_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[tuple[RunSpec, int]] = []

    def timed(training: Trainer, step: int) -> None:
        """A machine that is slow but for its last turns, and BN that costs a third of a step."""
        taken.append((training.spec, step))
        slowness = 2 if len(taken) < 10 else 1
        training.seconds += slowness * (step - training.step) * (0.004 if training.spec == spec else 0.003)
        training.step = step

    monkeypatch.setattr(Trainer, "advance_to", timed)
    spec = RunSpec(**SMALL, placement="before_activation", input_normalization=True, noise=True, seed=3)
    found = time_steps(spec)
    assert (found.seconds, found.without) == (pytest.approx(0.004), pytest.approx(0.003))
    ends = [pace.WARM_UP + turn * pace.TURN_STEPS for turn in range(6)]
    assert taken == [(own, end) for end in ends for own in (spec, RunSpec(**SMALL, seed=3))]


def test_real_steps_take_some_time() -> None:
    found = time_steps(RunSpec(**SMALL, placement="after_activation"))
    assert 0 < found.seconds < 1
    assert 0 < found.without < 1


def test_a_training_that_diverges_has_no_pace() -> None:
    found = time_steps(RunSpec(**SMALL, learning_rate=100.0, rescale="raw", activation="linear"))
    assert math.isnan(found.seconds)
