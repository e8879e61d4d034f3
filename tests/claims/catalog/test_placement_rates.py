"""The learning rates of P1: recorded for every network and rate, chosen on seeds that are not compared."""

import json

import pytest

from bnlab.claims.catalog.placement_rates import (
    DEPTHS,
    KINDS,
    PLACEMENTS,
    RATES,
    RATES_FILE,
    TUNING_SEEDS,
    best_rate,
    network_id,
    tuning_specs,
)
from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import SIZES, Experiment, plan_experiment
from bnlab.claims.results import trained_specs

RECORDED = json.loads(RATES_FILE.read_text(encoding="utf-8"))


def test_every_network_is_recorded_at_every_rate_and_seed() -> None:
    specs = tuning_specs()
    assert list(RECORDED) == list(specs)
    for network, by_rate in RECORDED.items():
        assert list(by_rate) == list(specs[network]) == [f"{rate:g}" for rate in RATES]
        assert all(len(accuracies) == len(TUNING_SEEDS) for accuracies in by_rate.values())
        assert all(0 <= accuracy <= 100 for accuracies in by_rate.values() for accuracy in accuracies)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_no_other_rate_of_the_grid_was_better(kind: str, depth: int, placement: str) -> None:
    totals = {rate: sum(accuracies) for rate, accuracies in RECORDED[network_id(kind, depth, placement)].items()}
    assert totals[f"{best_rate(kind, depth, placement):g}"] == max(totals.values())


def test_no_look_compares_a_seed_by_which_a_rate_was_chosen() -> None:
    tuned = {spec.digest for by_rate in tuning_specs().values() for specs in by_rate.values() for spec in specs}
    assert len(tuned) == len(KINDS) * len(DEPTHS) * len(PLACEMENTS) * len(RATES) * len(TUNING_SEEDS)
    for size in SIZES:
        experiment: Experiment | None = plan_experiment(CLAIMS["P1"], size)
        while experiment is not None:
            assert not set(experiment.seeds) & set(TUNING_SEEDS)
            assert not {spec.digest for spec in trained_specs(experiment)} & tuned
            experiment = experiment.next_look


def test_both_arms_of_p1_differ_in_placement_and_rate_alone() -> None:
    for condition in CLAIMS["P1"].all_conditions:
        (before,), (after,) = condition.treatment.specs, condition.control.specs
        assert (before.placement, after.placement) == ("before_activation", "after_activation")
        same = {"placement": after.placement, "learning_rate": after.learning_rate}
        assert before.model_copy(update=same) == after
        if condition.id.endswith("_shared"):
            assert before.learning_rate == after.learning_rate == 0.01
