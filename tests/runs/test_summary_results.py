"""The results table of a comparison, against values by hand."""

import dataclasses
import math
import statistics

import numpy as np
import pytest
from sqlalchemy import update

from bnlab.runs.latencies import write_latencies
from bnlab.runs.reader import Arrays, read_evaluations
from bnlab.runs.run import Run, RunState
from bnlab.runs.schema import runs
from bnlab.runs.store import Store
from bnlab.runs.summary import results_frame, seconds_per_epoch, seconds_to, steps_to
from bnlab.specs.network import prediction_key
from bnlab.specs.run_spec import RunSpec
from tests.runs.store_rows import update_row
from tests.stored_runs import OWNER, make_evaluation, record_run

COLUMNS = [
    "label", "params", "trainable", "runs", "diverged", "diverged_step", "val_loss", "val_loss_sd", "val_accuracy",
    "val_accuracy_sd", "difference", "difference_sd", "difference_runs", "seconds_per_epoch", "seconds_to_95",
    "seconds_to_97", "shared", "latency_1", "latency_256",
]  # fmt: skip


def spec_of(seed: int, epochs: int = 9) -> RunSpec:
    return RunSpec(train_examples=8, batch_size=4, epochs=epochs, seed=seed)


def run_with(
    store: Store, seed: int, *accuracies: float, val_loss: float = 1.0, seconds: float = 3.0, epochs: int = 9
) -> Run:
    """A run of six steps, three epochs, evaluated after each of the first ones; `seconds` are those of all steps."""
    evaluations = tuple(
        make_evaluation(step, val_loss, value, seconds=step * seconds / 6)
        for step, value in enumerate(accuracies, start=1)
    )
    run = record_run(store, spec_of(seed, epochs), (1.0,) * 6, evaluations)
    with store.engine.begin() as connection:
        connection.execute(update(runs).where(runs.c.digest == run.digest).values(seconds=seconds))
    return store.run(run.digest)


def test_means_and_standard_deviations_over_seeds(store: Store) -> None:
    losses, accuracies, seconds = (0.5, 0.25, 0.75), (0.96, 0.95, 0.98), (3.0, 6.0, 9.0)
    seed_runs = [
        run_with(store, seed, 0.1, accuracies[seed], val_loss=losses[seed], seconds=seconds[seed]) for seed in range(3)
    ]
    frame = results_frame(store, {"A": seed_runs})
    assert list(frame.columns) == COLUMNS
    row = frame.iloc[0]
    assert (row.label, row.params, row.trainable, row.runs) == ("A", 266_610, 266_610, 3)
    assert row.val_loss == pytest.approx(statistics.mean(losses))
    assert row.val_loss_sd == pytest.approx(statistics.stdev(losses))
    assert row.val_accuracy == pytest.approx(statistics.mean(accuracies))
    assert row.val_accuracy_sd == pytest.approx(statistics.stdev(accuracies))
    assert row.seconds_per_epoch == pytest.approx(2.0)  # 3, 6 and 9 s for three epochs each


def test_a_diverged_run_has_no_result_but_is_counted(store: Store) -> None:
    diverged = record_run(store, spec_of(0), (1.0, math.inf), (make_evaluation(1, 4e17, 0.1),), RunState.DIVERGED)
    others = [run_with(store, seed, 0.9, val_loss=loss) for seed, loss in ((1, 0.5), (2, 0.7))]
    base = [run_with(store, seed, 0.8, epochs=8) for seed in (0, 1, 2)]
    frame = results_frame(store, {"A": [diverged, *others], "B": base, "C": [diverged]}, baseline="B").set_index(
        "label"
    )
    row = frame.loc["A"]
    assert (row.runs, row.diverged, row.diverged_step) == (2, 1, 2)
    assert row.val_loss == pytest.approx(0.6)
    assert row.val_accuracy == pytest.approx(0.9)
    assert (row.difference, row.difference_sd, row.difference_runs) == pytest.approx((0.1, 0.0, 2))
    assert (frame.loc["B"].runs, frame.loc["B"].diverged) == (3, 0)
    assert math.isnan(frame.loc["B"].diverged_step)
    alone = frame.loc["C"]
    assert (alone.runs, alone.diverged) == (0, 1)
    assert all(math.isnan(alone[name]) for name in ("val_loss", "val_accuracy", "difference"))


def test_a_difference_to_a_baseline_with_diverged_seeds_says_over_how_many_it_is(store: Store) -> None:
    diverged = record_run(store, spec_of(0), (1.0, math.inf), (make_evaluation(1, 4e17, 0.1),), RunState.DIVERGED)
    base = [diverged, *(run_with(store, seed, 0.8) for seed in (1, 2))]
    others = [run_with(store, seed, 0.9, epochs=8) for seed in (0, 1, 2)]
    frame = results_frame(store, {"A": others, "B": base}, baseline="B").set_index("label")
    assert (frame.loc["A"].runs, frame.loc["A"].difference_runs) == (3, 2)
    assert math.isnan(frame.loc["B"].difference_runs)
    assert (frame.loc["B"].diverged, frame.loc["B"].diverged_step) == (1, 2)


def test_one_seed_has_no_standard_deviation(store: Store) -> None:
    row = results_frame(store, {"A": [run_with(store, 0, 0.5, 0.9)]}).iloc[0]
    assert row.val_accuracy == 0.9
    assert math.isnan(row.val_accuracy_sd)


LONGER = RunSpec(train_examples=40, batch_size=4, epochs=2)  # 10 steps an epoch
ACCURACIES = ((0, 0.1), (4, 0.9), (8, 0.98), (10, 0.94), (20, 0.96))


def ended(store: Store, state: RunState = RunState.COMPLETED, steps: int = 20) -> tuple[Run, Arrays]:
    """A run with ACCURACIES at a tenth of a second per step, and its evaluations."""
    evaluations = tuple(make_evaluation(step, val_accuracy=accuracy) for step, accuracy in ACCURACIES if step <= steps)
    run = record_run(store, LONGER, (1.0,) * steps, evaluations, state)
    return run, read_evaluations(store, [run])[run.digest]


def test_an_accuracy_is_reached_between_two_evaluations(store: Store) -> None:
    run, evaluations = ended(store)
    # 0.95 lies 5 / 8 of the way from 0.9 after 4 steps to 0.98 after 8.
    assert steps_to(evaluations, 0.95) == pytest.approx(6.5)
    assert seconds_to(run, evaluations, 0.95) == pytest.approx(0.65)
    assert steps_to(evaluations, 0.1) == 0
    assert math.isnan(steps_to(evaluations, 0.99))
    assert math.isnan(seconds_to(run, evaluations, 0.99))


def test_seconds_per_epoch_are_those_of_the_fastest_epoch(store: Store) -> None:
    run, evaluations = ended(store)
    assert seconds_per_epoch(run, evaluations) == pytest.approx(1.0)
    disturbed = evaluations | {"seconds": np.array([0.0, 0.4, 3.0, 4.0, 4.8])}
    assert seconds_per_epoch(run, disturbed) == pytest.approx(0.8)
    assert seconds_to(run, disturbed, 0.95) == pytest.approx(6.5 * 0.08)


def test_seconds_per_epoch_of_a_run_that_diverged_in_its_first_epoch(store: Store) -> None:
    run, evaluations = ended(store, RunState.DIVERGED, 5)
    assert seconds_per_epoch(run, evaluations) == pytest.approx(1.0)
    assert math.isnan(seconds_per_epoch(dataclasses.replace(run, state=RunState.RUNNING), evaluations))
    assert math.isnan(seconds_per_epoch(dataclasses.replace(run, step=0), evaluations))


def test_the_time_to_a_target_is_missing_unless_every_seed_reached_it(store: Store) -> None:
    seed_runs = [run_with(store, 0, 0.95, 0.96, 0.97), run_with(store, 1, 0.1, 0.1, 0.96, 0.96)]
    row = results_frame(store, {"A": seed_runs}).iloc[0]
    assert row.seconds_to_95 == pytest.approx((1 * 0.5 + (2 + 0.85 / 0.86) * 0.5) / 2)
    assert math.isnan(row.seconds_to_97)


def test_rows_keep_the_order_of_the_comparison(store: Store) -> None:
    comparison = {"Z": [run_with(store, 0, 0.9)], "A": [run_with(store, 1, 0.8)], "no runs": []}
    frame = results_frame(store, comparison)
    assert frame["label"].tolist() == ["Z", "A"]
    assert frame["val_accuracy"].tolist() == [0.9, 0.8]


def test_a_run_that_has_not_begun_has_missing_values(store: Store) -> None:
    row = results_frame(store, {"A": [store.launch(spec_of(0), "A", OWNER)]}).iloc[0]
    assert (row.params, row.runs, row.diverged) == (266_610, 0, 0)
    assert row[COLUMNS[5:]].isna().all()


def test_seeds_that_have_not_begun_are_not_averaged(store: Store) -> None:
    seed_runs = [run_with(store, 0, 0.9), store.launch(spec_of(1), "A", OWNER)]
    row = results_frame(store, {"A": seed_runs}).iloc[0]
    assert (row.runs, row.val_accuracy, row.seconds_per_epoch) == (1, 0.9, 1.0)


def test_seconds_per_epoch_are_missing_before_an_epoch_has_ended(store: Store) -> None:
    whole, early = run_with(store, 0, 0.9), run_with(store, 1, 0.1)
    begun = dataclasses.replace(early, step=1, seconds=5.0)
    assert early.spec.steps_per_epoch == 2
    assert results_frame(store, {"A": [whole, begun]}).iloc[0].seconds_per_epoch == 1.0
    assert math.isnan(results_frame(store, {"A": [begun]}).iloc[0].seconds_per_epoch)


def test_differences_are_paired_by_seed(store: Store) -> None:
    plain = [run_with(store, seed, accuracy) for seed, accuracy in ((0, 0.90), (1, 0.80), (2, 0.99))]
    normalized = [run_with(store, seed, accuracy, epochs=8) for seed, accuracy in ((1, 0.85), (0, 0.91), (3, 0.1))]
    comparison = {"plain": plain, "normalized": normalized, "waiting": [store.launch(spec_of(9), "waiting", OWNER)]}
    frame = results_frame(store, comparison, baseline="plain").set_index("label")
    assert frame.loc["normalized", "difference"] == pytest.approx(
        0.03
    )  # of 0.01 and 0.05; the other seeds have no partner
    assert frame.loc["normalized", "difference_sd"] == pytest.approx(statistics.stdev([0.01, 0.05]))
    assert frame.loc[["plain", "waiting"], "difference"].isna().all()
    assert results_frame(store, comparison)["difference"].isna().all()


def test_identical_networks_have_one_latency(store: Store) -> None:
    comparison = {"A": [run_with(store, seed, 0.9) for seed in range(2)], "B": [run_with(store, 2, 0.9)]}
    assert results_frame(store, comparison)[["latency_1", "latency_256"]].isna().all(axis=None)
    write_latencies(
        store, {prediction_key(comparison["B"][0].spec): {1: 0.002}, prediction_key(RunSpec(use_bias=False)): {1: 5.0}}
    )
    frame = results_frame(store, comparison)
    assert frame["latency_1"].tolist() == [0.002, 0.002]
    assert frame["latency_256"].isna().all()


def test_shared_if_any_seed_was_and_unknown_if_any_may_have_been(store: Store) -> None:
    alone, shared, unknown = (run_with(store, seed, 0.9) for seed in range(3))
    store.mark_shared([shared.digest])
    update_row(store, unknown.spec, shared=None)
    alone, shared, unknown = store.runs()
    comparison = {"A": [alone, shared, unknown], "B": [alone, unknown], "C": [alone]}
    assert results_frame(store, comparison)["shared"].tolist() == [True, None, False]
    waiting = store.launch(spec_of(9), "waiting", OWNER)
    assert results_frame(store, {"A": [waiting]})["shared"].tolist() == [None], "it has no seconds"


def test_no_runs_give_no_rows_but_the_columns(store: Store) -> None:
    frame = results_frame(store, {})
    assert frame.empty
    assert list(frame.columns) == COLUMNS
