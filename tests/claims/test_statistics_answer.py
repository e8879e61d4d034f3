"""What is said of evaluations with several statistics, on runs made by hand."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bnlab.claims.answer import MAX_SENTENCES, answer_from_runs
from bnlab.claims.statistics_answer import EARLY_STEPS, EvaluatedVariant, difference, statistics_answer
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec
from bnlab.training.records import STATISTICS_COLUMNS
from tests.sentences import names_in_order, numbers_in
from tests.stored_runs import make_evaluation, record_run

SPEC = RunSpec(placement="before_activation", train_examples=640, epochs=2, evaluate_with="all")
STEPS = (0, 3, 18, 40)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/bnlab.db")


def variant(
    moving: Sequence[float], batch: Sequence[float], reestimated: Sequence[float], end: Sequence[float] = (90.0, 90.0)
) -> EvaluatedVariant:
    """Accuracies in percent after 18 steps, one per seed, and at the end with moving and with all other statistics."""

    def accuracies(early: Sequence[float], last: float) -> np.ndarray:
        return np.array([[10.0, 20.0, value, last] for value in early]) / 100

    validation = {
        "moving": accuracies(moving, end[0]),
        "batch": accuracies(batch, end[1]),
        "reestimated": accuracies(reestimated, end[1]),
    }
    return EvaluatedVariant(
        "BN", STEPS, {(images, way): v for images in ("validation", "training") for way, v in validation.items()}
    )


def test_the_sentence_has_the_means_early_on_and_the_detail_those_at_the_end() -> None:
    given = variant([60, 64, 62], [80, 84, 85], [81, 84, 84], end=(93.0, 93.5))
    sentence, detail = statistics_answer([given])
    assert numbers_in(sentence) == [18, 62, 83, 83, 3]
    assert names_in_order(sentence, "BN", "moving", "batch’s own", "re-estimated", "3 seeds")
    # Early differences 21, 20, 22: mean 21, sd 1, t of 6.205 at 97.5 % for 2 degrees of freedom: 3.58.
    assert numbers_in(detail) == [95, 17.42, 24.58, 0.5, 93, 93.5, 93.5, 93, 93.5, 93.5]
    other = EvaluatedVariant("Other", STEPS, given.accuracies)
    later = EvaluatedVariant("Later", (0, 3, 20, 40), given.accuracies)
    assert numbers_in(statistics_answer([given, other])[0]) == [18, 62, 83, 83, 62, 83, 83, 3]
    assert numbers_in(statistics_answer([given, later])[0]) == [18, 62, 83, 83, 20, 62, 83, 83, 3]


def test_the_interval_is_paired_by_seed_and_corrected() -> None:
    given = variant([60, 70, 80], [0, 0, 0], [70, 81, 89])
    gap = difference(given, 2, 2)
    assert gap.mean == pytest.approx(0.10)
    assert gap.width == pytest.approx(2 * 6.2053 * 0.01 / np.sqrt(3), rel=1e-3), "not that of 60 to 80"


def test_without_three_seeds_there_is_no_interval() -> None:
    sentence, detail = statistics_answer([variant([60], [80], [81])])
    assert "1 seed" in sentence
    assert "95 %" not in detail


def test_a_training_that_ends_early_has_no_early_evaluation() -> None:
    given = variant([60], [80], [81])
    short = EvaluatedVariant("BN", (0, 1, EARLY_STEPS - 1, EARLY_STEPS), given.accuracies)
    assert statistics_answer([short]) == ("", "")


def record(store: Store, spec: RunSpec, accuracies: dict[str, float], state: RunState = RunState.COMPLETED) -> None:
    columns = dict.fromkeys(STATISTICS_COLUMNS, 0.5) | accuracies if accuracies else {}
    evaluations = tuple(make_evaluation(step, val_accuracy=0.5, by_statistics=columns) for step in STEPS)
    record_run(store, spec, (0.1,) * 40, evaluations, state)


def test_the_answer_of_runs_begins_with_their_statistics(store: Store) -> None:
    """Of the network with BN: without it, or if it was evaluated with moving statistics alone, there are none."""
    plain = revise_spec(SPEC, {"placement": "none"})
    other = revise_spec(SPEC, {"momentum": 0.9, "evaluate_with": "moving"})
    specs = {
        label: [revise_spec(spec, {"seed": seed}) for seed in range(3)]
        for label, spec in {"No BN": plain, "BN": SPEC, "Other": other}.items()
    }
    for label, variant_specs in specs.items():
        for spec in variant_specs:
            record(
                store, spec, {} if label == "Other" else {"val_accuracy_batch": 0.75, "val_accuracy_reestimated": 0.8}
            )
    runs = {run.digest: run for run in store.runs()}
    given = answer_from_runs(store, specs, runs)
    assert len(given.sentences) <= MAX_SENTENCES
    assert numbers_in(given.sentences[0]) == [18, 50, 75, 80, 3]
    assert not any("statistics" in sentence for sentence in given.sentences[1:])
    alone = answer_from_runs(store, {"Other": specs["Other"]}, runs)
    assert not any("statistics" in sentence for sentence in alone.sentences)


def test_a_run_that_did_not_end_is_left_out(store: Store) -> None:
    record(store, SPEC, {"val_accuracy_batch": 0.75}, RunState.STOPPED)
    runs = {run.digest: run for run in store.runs()}
    assert not any("statistics" in text for text in answer_from_runs(store, {"BN": [SPEC]}, runs).sentences)
