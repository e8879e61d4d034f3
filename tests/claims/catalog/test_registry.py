"""The registry: every claim is well-formed and can be tested as an experiment."""

import itertools
import pickle
import re

import pytest

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import SIZES, Claim, SpecMeasure, plan_experiment
from bnlab.claims.results import needed_measurements, trained_specs
from bnlab.specs.presets import PRESETS

MAX_QUICK_STEPS = 300_000
"""About two minutes on two cores."""

claims = pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)


@claims
def test_texts_are_whole_sentences(claim: Claim) -> None:
    assert claim.statement.endswith(".")
    assert claim.question.rstrip(")").endswith(("?", "."))
    for condition in claim.all_conditions:
        assert condition.prediction.reason.endswith(".")
    for finding in claim.literature:
        assert finding.sentence.endswith(".")
        assert finding.source


@claims
def test_conditions_and_arms_are_distinct(claim: Claim) -> None:
    conditions = claim.all_conditions
    for names in ([condition.id for condition in conditions], [condition.title for condition in conditions]):
        assert len(set(names)) == len(names)
    for condition in conditions:
        assert condition.treatment.title != condition.control.title
        assert condition.treatment.specs != condition.control.specs
        assert condition.prediction.smallest_effect > 0


@claims
def test_specs_are_valid_in_both_sizes(claim: Claim) -> None:
    for size_name, condition in itertools.product(SIZES, claim.all_conditions):
        experiment = plan_experiment(claim, size_name)
        assert len(experiment.seeds) >= (1 if isinstance(condition.measure.source, SpecMeasure) else 5)
        for arm in condition.arms:
            assert {spec.seed for spec in experiment.specs(arm, 7)} == {7}


@claims
def test_quick_size_is_quick_and_full_size_is_larger(claim: Claim) -> None:
    quick, full = (
        sum(spec.total_steps for spec in trained_specs(plan_experiment(claim, size_name))) for size_name in SIZES
    )
    assert quick <= MAX_QUICK_STEPS
    assert full > 5 * quick or full == quick == 0


@claims
def test_measurements_can_be_sent_to_workers(claim: Claim) -> None:
    for measurement in needed_measurements(plan_experiment(claim)):
        assert measurement.function.__module__.startswith("bnlab.")
        assert pickle.loads(pickle.dumps(measurement)) == measurement


def test_ids_are_short_and_measure_ids_are_unique() -> None:
    conditions = [condition for claim in CLAIMS.values() for condition in claim.all_conditions]
    measures = {id(condition.measure): condition.measure for condition in conditions}.values()
    measure_ids = [measure.id for measure in measures]
    assert len(set(measure_ids)) == len(measure_ids)
    for identifier in (*measure_ids, *(condition.id for condition in conditions)):
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", identifier)


def test_claims_are_in_the_order_of_the_notebook_then_common_advice() -> None:
    assert all(claim.id == name for name, claim in CLAIMS.items())
    groups = [name[0] for name in CLAIMS]
    assert groups == sorted(groups, key="OADWP".index)
    for group in "OADWP":
        names = [name for name in CLAIMS if name[0] == group]
        assert names == sorted(names)
        assert group == "P" or names == [f"{group}{number}" for number in range(1, len(names) + 1)]


def test_questions_of_compare_lead_to_claims() -> None:
    asking = {preset.question: preset.claim for preset in PRESETS.values() if preset.claim}
    assert asking["Does BN allow larger learning rates?"] == "P3"
    assert set(asking.values()) <= set(CLAIMS)
    assert "" not in asking, "a preset with a claim asks a question"
