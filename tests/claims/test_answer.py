"""Answers of comparisons, on results made by hand."""

import math
from typing import Any

import numpy as np
import pytest

from bnlab.claims.answer import (
    MAX_SENTENCES,
    Answer,
    AnswerKind,
    VariantResult,
    answer,
    answer_from_runs,
    find_winner,
    variant_results,
)
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec
from tests.sentences import names_in_order, numbers_in
from tests.stored_runs import make_evaluation, record_run

PLAIN, BEFORE, AFTER = (RunSpec(placement=p) for p in ("none", "before_activation", "after_activation"))
STEPS = 1000.0
TRIALS = 100


def result(label: str, spec: RunSpec, *percentages: float, steps: float = STEPS, **changes: Any) -> VariantResult:
    """A variant with one seed per accuracy in percent."""
    accuracies = {seed: percentage / 100 for seed, percentage in enumerate(percentages)}
    return VariantResult(label, spec, accuracies, dict.fromkeys(accuracies, steps), **changes)


def is_claimed(given: Answer, better: str, other: str) -> bool:
    """Whether a sentence says that one variant ends above the other."""
    return any(names_in_order(text, f"{better} ends", f"above {other}") for text in given.sentences)


def is_tie(text: str) -> bool:
    return "no difference" in text


def test_a_clear_winner_is_named_with_its_difference_and_interval() -> None:
    given = answer([result("No BN", PLAIN, 97.0, 97.2, 97.1), result("BN", BEFORE, 97.5, 97.8, 97.6)])
    assert given.kind is AnswerKind.ANSWER
    assert is_claimed(given, "BN", "No BN")
    assert numbers_in(given.sentences[0]) == [0.53]
    # Differences 0.5, 0.6, 0.5: mean 0.533, sd 0.0577, Student's t of 4.303 for 2 degrees of freedom.
    assert numbers_in(given.detail)[-2:] == [0.39, 0.68]
    assert given.seeds is None
    assert "Placement" in given.detail


def test_the_winner_is_the_best_if_the_next_one_is_surely_worse() -> None:
    worst = result("Worst", PLAIN, 90.0, 90.1, 90.2)
    better, best = result("Better", AFTER, 97.0, 97.2, 97.1), result("Best", BEFORE, 97.7, 97.8, 97.8)
    winner = find_winner([worst, best, better])
    assert (winner.label, winner.is_decided) == ("Best", True)
    assert winner.margin == pytest.approx(0.0067, abs=1e-4)
    # Differences 0.7, 0.6, 0.7: mean 0.667, sd 0.0577; t(1 − 0.05 / 3 / 2, 2 df) = 7.649.
    assert numbers_in(winner.sentence)[-2:] == [0.41, 0.92]

    tie = find_winner([worst, result("A", AFTER, 97.0, 97.01, 97.02), result("B", BEFORE, 97.01, 97.02, 97.0)])
    assert (tie.label, tie.is_decided) == (None, True)
    assert is_tie(tie.sentence)
    wide = find_winner([result("A", AFTER, 96.0, 98.0, 97.0), result("B", BEFORE, 97.2, 97.3, 97.1)])
    assert (wide.label, wide.is_decided) == (None, False)
    constant = find_winner([result("A", AFTER, 96.0, 96.1, 96.2), result("B", BEFORE, 97.0, 97.1, 97.2)])
    assert (constant.label, constant.is_decided) == (None, False), "equal differences have no interval"
    few = find_winner([result("A", AFTER, 96.0, 96.0), result("B", BEFORE, 97.0, 97.0)])
    missing = find_winner([result("A", AFTER, 96.0, 96.0, 96.0, missing=2), result("B", BEFORE, 97.0, 97.1, 97.3)])
    assert not few.is_decided
    assert not missing.is_decided
    alone = find_winner([result("A", AFTER, 96.0, 96.1, 96.2), result("B", BEFORE, diverged=3)])
    assert (alone.label, alone.margin) == ("A", None)
    assert not find_winner([]).is_decided


def test_a_difference_whose_interval_includes_zero_is_not_claimed() -> None:
    given = answer([result("After", AFTER, 97.0, 97.3, 97.1), result("Before", BEFORE, 97.2, 97.2, 97.2)])
    assert is_tie(given.sentences[0])
    assert not is_claimed(given, "Before", "After")
    low, high = numbers_in(given.detail)[-2:]
    assert low < 0 < high


def test_variants_that_end_equal_are_said_to_be_equal() -> None:
    given = answer([result("A", AFTER, 97.0, 97.4, 97.1), result("B", BEFORE, 97.0, 97.4, 97.1)])
    assert names_in_order(given.sentences[0], "A and B", "equal")


def test_equal_differences_are_stated_but_not_claimed() -> None:
    """Three differences of one image each have no deviation, also where single precision blurs them."""
    lower = [0.9700, 0.9740, 0.9710]
    higher = [float(np.float32(accuracy + 1e-4)) for accuracy in lower]
    steps = dict.fromkeys(range(3), STEPS)
    given = answer(
        [
            VariantResult("A", AFTER, dict(enumerate(lower)), steps),
            VariantResult("B", BEFORE, dict(enumerate(higher)), steps),
        ]
    )
    assert names_in_order(given.sentences[0], "B ends 0.01", "above A in every seed", "no interval")
    assert "95 %" not in given.detail


def test_a_wide_interval_offers_more_seeds() -> None:
    wide = [result("A", AFTER, 95.0, 97.4, 96.1), result("B", BEFORE, 97.3, 96.2, 97.2)]
    given = answer(wide)
    assert (given.kind, given.seeds) == (AnswerKind.ANSWER, 5)
    assert names_in_order(given.sentences[0], "B and A end", "3 seeds cannot tell")
    assert not is_tie(given.sentences[0])
    launched = [result("A", AFTER, 95.0, 97.4, 96.1, missing=2), wide[1]]
    assert answer(launched).seeds is None, "five seeds are there already, only not trained"
    narrow = answer([result("A", AFTER, 97.0, 97.2, 97.1), result("B", BEFORE, 97.1, 97.15, 97.1)])
    assert is_tie(narrow.sentences[0])
    assert narrow.seeds is None


def test_a_seed_that_one_variant_lacks_is_not_compared() -> None:
    """The fourth seed would turn the result."""
    a = result("A", AFTER, 97.0, 97.2, 97.1, 99.9)
    given = answer([a, result("B", BEFORE, 97.5, 97.8, 97.6, missing=1)])
    assert is_claimed(given, "B", "A")
    assert numbers_in(given.detail)[0] == 3
    lacking = answer([result("A", AFTER, 97.0, 97.2, 97.1), result("B", BEFORE, 97.5, 97.8, missing=1)])
    assert (lacking.kind, lacking.seeds) == (AnswerKind.DESCRIPTION, None)
    assert "1 run" in lacking.detail


def test_one_variant_is_described_and_not_compared() -> None:
    given = answer([result("A", AFTER, 97.0, 97.2, 97.1)])
    assert given.kind is AnswerKind.DESCRIPTION
    assert [numbers_in(text) for text in given.sentences] == [[97.1]]
    assert given.seeds is None


def test_different_epochs_are_the_difference_that_is_named() -> None:
    longer = revise_spec(BEFORE, {"epochs": 20})
    given = answer([result("10 epochs", BEFORE, 97.0, 97.2, 97.1), result("20 epochs", longer, 97.5, 97.8, 97.6)])
    assert is_claimed(given, "20 epochs", "10 epochs")
    assert "Epochs" in given.detail
    other = answer([result("A", PLAIN, 97.0, 97.2, 97.1), result("B", longer, 97.5, 97.8, 97.6)])
    assert set(other.confounds) == {"Placement", "Epochs"}


def test_intervals_cover_every_true_difference_together() -> None:
    """Of simulated comparisons without any difference at most one in twenty claims one, however many variants."""
    rng = np.random.default_rng(0)
    claims = 0
    for _ in range(TRIALS):
        accuracies = 97 + 0.2 * rng.standard_normal((4, 5))
        results = [
            result(f"V{i}", revise_spec(PLAIN, {"learning_rate": 0.01 * (i + 1)}), *accuracies[i]) for i in range(4)
        ]
        claims += any(" above " in text for text in answer(results).sentences)
    assert claims / TRIALS < 0.05 + 2 * math.sqrt(0.05 * 0.95 / TRIALS)


def test_differences_are_paired_by_seed() -> None:
    """The seeds differ by far more than the variants, which differ by the same in each."""
    a, b = result("A", AFTER, 91.0, 94.0, 97.0), result("B", BEFORE, 91.2, 94.21, 97.19)
    assert is_claimed(answer([a, b]), "B", "A")
    shuffled = VariantResult("B", BEFORE, {0: 0.9421, 1: 0.9719, 2: 0.912}, b.steps)
    assert not is_claimed(answer([a, shuffled]), "B", "A")


@pytest.mark.parametrize("seeds", [1, 2])
def test_too_few_seeds_claim_nothing_and_ask_for_more(seeds: int) -> None:
    given = answer([result("No BN", PLAIN, *[90.0] * seeds), result("BN", BEFORE, *[98.0] * seeds)])
    assert (given.kind, given.seeds) == (AnswerKind.DESCRIPTION, 3)
    assert not is_claimed(given, "BN", "No BN")
    assert numbers_in(given.sentences[0]) == [98, 90]
    assert 3 in numbers_in(given.sentences[1])


def test_seeds_that_are_not_the_same_cannot_be_paired() -> None:
    other = VariantResult("BN", BEFORE, {7: 0.98, 8: 0.98, 9: 0.98}, {7: STEPS, 8: STEPS, 9: STEPS})
    given = answer([result("No BN", PLAIN, 90, 90, 90), other])
    assert (given.kind, given.seeds) == (AnswerKind.DESCRIPTION, None)


def test_runs_that_are_not_trained_are_counted_but_do_not_prevent_an_answer() -> None:
    given = answer([result("No BN", PLAIN, 97.0, 97.2, 97.1, missing=2), result("BN", BEFORE, 97.5, 97.8, 97.6)])
    assert is_claimed(given, "BN", "No BN")
    assert "2 runs" in given.detail
    assert answer([result("No BN", PLAIN, missing=3)]).kind is AnswerKind.NOTHING


def test_a_variant_that_diverged_in_any_seed_is_named_and_not_compared() -> None:
    given = answer(
        [
            result("No BN", PLAIN, 97.0, 97.2, 97.1),
            result("After", AFTER, 99.0, 99.1, diverged=1),
            result("Before", BEFORE, 97.5, 97.8, 97.6),
        ]
    )
    assert names_in_order(given.sentences[0], "After did not train in 1 of 3", "1 diverged")
    assert is_claimed(given, "Before", "No BN")
    assert not any("After" in text for text in (*given.sentences[1:], given.detail))
    only = answer([result("No BN", PLAIN, diverged=3), result("BN", BEFORE, diverged=3)])
    assert only.kind is AnswerKind.DESCRIPTION
    assert names_in_order(only.sentences[0], "No BN did not train in 3 of 3", "BN did not train in 3 of 3")


def test_a_variant_that_stays_near_chance_is_contrasted_with_the_one_that_trains() -> None:
    results = [
        result("No BN", PLAIN, 10.1, 9.8, diverged=1),
        result("BN", BEFORE, 97.5, 97.8, 97.6),
        result("BN without bias", revise_spec(BEFORE, {"use_bias": False}), 97.0, 97.1, 97.2),
    ]
    given = answer(results, "placement")
    assert names_in_order(given.sentences[0], "No BN did not train in 3 of 3", "1 diverged", "2", "BN ends at 97.63 %")
    assert "No BN" not in given.detail


def test_steps_that_hardly_differ_are_not_worth_a_sentence() -> None:
    slow = result("No BN", PLAIN, 97.0, 97.2, 97.1, steps=3100)
    assert len(answer([slow, result("BN", BEFORE, 97.5, 97.8, 97.6, steps=3000)]).sentences) == 1


def test_steps_to_the_target_are_compared_with_the_network_without_bn() -> None:
    slow = result("No BN", PLAIN, 97.0, 97.2, 97.1, steps=9000)
    fast = result("BN", BEFORE, 97.5, 97.8, 97.6, steps=3000)
    given = answer([fast, slow])
    assert numbers_in(given.sentences[-1]) == [95, 33]
    assert numbers_in(given.detail.partition("steps to")[2])[:3] == [95, 33, 33]
    uncertain = VariantResult("BN", BEFORE, fast.accuracies, {0: 3000.0, 1: 9000.0, 2: 12000.0})
    assert len(answer([uncertain, slow]).sentences) == 1


def test_a_target_that_the_reference_never_reaches_is_said_to_be_missed() -> None:
    slow = result("No BN", PLAIN, 93.0, 93.2, 93.1, steps=math.nan)
    fast = result("BN", BEFORE, 97.5, 97.8, 97.6, steps=3000)
    assert names_in_order(answer([slow, fast]).sentences[-1], "No BN never", "BN after", "3,000")
    assert len(answer([slow, result("BN", BEFORE, 93.5, 93.8, 93.6, steps=math.nan)]).sentences) == 1


def test_steps_of_different_batches_are_not_compared() -> None:
    other = revise_spec(BEFORE, {"batch_size": 256})
    given = answer(
        [result("No BN", PLAIN, 97.0, 97.2, 97.1, steps=9000), result("BN", other, 97.5, 97.8, 97.6, steps=300)]
    )
    assert len(given.sentences) == 1


def test_settings_that_cannot_be_told_apart_are_named() -> None:
    other = revise_spec(BEFORE, {"use_bias": False, "kernel_initializer": "he_normal"})
    given = answer([result("A", PLAIN, 97.0, 97.2, 97.1), result("B", other, 97.5, 97.8, 97.6)])
    assert given.confounds == ("Placement", "Use bias", "Initializer")
    assert answer([result("A", PLAIN, 97.0), result("B", BEFORE, 97.5)]).confounds == ()


def test_the_setting_that_is_asked_about_decides_the_pairs() -> None:
    without = {name: revise_spec(spec, {"use_bias": False}) for name, spec in (("BN", BEFORE), ("No BN", PLAIN))}
    results = [
        result("BN", BEFORE, 97.5, 97.8, 97.6),
        result("BN without bias", without["BN"], 97.5, 97.8, 97.6),
        result("No BN", PLAIN, 97.0, 97.2, 97.1),
        result("No BN without bias", without["No BN"], 96.0, 96.2, 96.2),
    ]
    given = answer(results, "use_bias")
    assert names_in_order(given.sentences[0], "BN", "BN without bias", "equal")
    assert is_claimed(given, "No BN", "No BN without bias")
    assert numbers_in(given.sentences[1]) == [0.97]
    assert given.confounds == ()


def test_of_many_variants_the_best_the_worst_and_the_baseline_are_named() -> None:
    results = [
        result(f"rate {rate}", revise_spec(PLAIN, {"learning_rate": rate}), 90 + rate, 90.1 + rate, 90 + 1.01 * rate)
        for rate in (1, 2, 3, 4, 5, 6, 7, 8)
    ]
    given = answer(results, baseline="rate 4")
    assert len(given.sentences) == MAX_SENTENCES
    for text, other in zip(given.sentences, ("rate 7", "rate 1", "rate 4"), strict=True):
        assert names_in_order(text, "rate 8", other)
    assert 28 in numbers_in(given.detail), "of 8 variants there are 28 pairs"


def test_the_more_comparisons_the_wider_the_intervals() -> None:
    pair = [result("No BN", PLAIN, 97.0, 97.2, 97.1), result("BN", BEFORE, 97.5, 97.8, 97.6)]
    third = result("Other", AFTER, 80, 81, 80.5)
    alone, among = numbers_in(answer(pair).detail)[-2:], numbers_in(answer([*pair, third]).detail)
    assert among[-3] < alone[0] or among[-1] > alone[1]


def test_the_runs_of_a_store_are_read(tmp_path: Any) -> None:
    store = Store(f"sqlite:///{tmp_path / 'bnlab.db'}")
    specs = {
        label: [revise_spec(spec, {"seed": seed}) for seed in range(3)]
        for label, spec in (("No BN", PLAIN), ("BN", BEFORE))
    }
    ends = {"No BN": (0.96, 0.961, 0.962), "BN": (0.97, 0.9705, 0.972)}
    for label, variant_specs in specs.items():
        for spec, end in zip(variant_specs, ends[label], strict=True):
            evaluations = (make_evaluation(0, val_accuracy=0.1), make_evaluation(2, val_accuracy=end))
            record_run(store, spec, (2.0, 1.0), evaluations, RunState.COMPLETED)
    runs = store.find(spec for variant_specs in specs.values() for spec in variant_specs)
    given = answer_from_runs(store, specs, runs)
    assert is_claimed(given, "BN", "No BN")
    assert numbers_in(given.sentences[0]) == [0.98]
    first = variant_results(store, specs, runs)[0]
    assert first.accuracies == {0: 0.96, 1: 0.961, 2: 0.962}
    assert first.steps[0] == pytest.approx(2 * (0.95 - 0.1) / (0.96 - 0.1))

    unmeasured = revise_spec(PLAIN, {"seed": 4})
    record_run(store, unmeasured, (2.0, 1.0), (make_evaluation(2, val_accuracy=math.nan),), RunState.COMPLETED)
    with_unmeasured = {**specs, "No BN": [*specs["No BN"], unmeasured]}
    runs = store.find(spec for variant_specs in with_unmeasured.values() for spec in variant_specs)
    assert variant_results(store, with_unmeasured, runs)[0].missing == 1
    assert is_claimed(answer_from_runs(store, with_unmeasured, runs), "BN", "No BN")

    record_run(store, revise_spec(PLAIN, {"seed": 3}), (2.0,))
    specs["No BN"].append(revise_spec(PLAIN, {"seed": 3}))
    runs = store.find(spec for variant_specs in specs.values() for spec in variant_specs)
    assert answer_from_runs(store, specs, runs).kind is AnswerKind.TRAINING
