"""The steps of the evaluations and the order of the training examples."""

import numpy as np

from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.training.schedule import batch_indices, batch_sizes, epoch_order, evaluation_steps


def test_the_notebook_is_evaluated_21_times() -> None:
    spec = PRESETS["notebook"].variants[0].spec
    assert evaluation_steps(spec) == (0, 1, 2, 4, 9, 20, 41, 87, 184, 387, 816, *range(1719, 17_191, 1719))


def test_an_epoch_of_one_step_has_no_early_evaluations() -> None:
    assert evaluation_steps(RunSpec(train_examples=3, batch_size=4, epochs=2)) == (0, 1, 2)


def test_each_epoch_visits_every_example_once_in_another_order() -> None:
    spec = RunSpec(train_examples=100, seed=3)
    orders = [epoch_order(spec, epoch) for epoch in range(2)]
    assert all(sorted(order) == list(range(100)) for order in orders)
    assert (orders[0] != orders[1]).any()
    np.testing.assert_array_equal(orders[1], np.random.default_rng([3, 1]).permutation(100))


def test_the_last_batch_of_an_epoch_is_smaller() -> None:
    spec = RunSpec(train_examples=10, batch_size=4)
    assert batch_sizes(spec, 1, 5).tolist() == [4, 2, 4, 4, 2]


def test_the_batches_of_an_epoch_follow_its_order() -> None:
    spec = RunSpec(train_examples=10, batch_size=4)
    batches = [batch_indices(spec, step) for step in range(3, 6)]
    assert [len(batch) for batch in batches] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate(batches), epoch_order(spec, 1))
