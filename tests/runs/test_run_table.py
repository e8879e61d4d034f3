"""Lists of runs: which fields differ, which runs match, and results by group."""

import math
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.runs.run import Run, RunState
from bnlab.runs.run_table import (
    FIELDS,
    STATES,
    UNUSED,
    field_column,
    groups_frame,
    matching_runs,
    present_values,
    sort_by_group,
    state_title,
    varying_fields,
)
from bnlab.specs.diff import differing_fields
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import SpecError
from tests.spec_strategies import specs


def make_run(label: str = "A", state: RunState = RunState.COMPLETED, recorded: str = "", **fields: object) -> Run:
    spec = RunSpec(**fields)
    times = dict.fromkeys(("seconds", "created_at", "queued_at", "updated_at", "lease_until"), 1.0)
    return Run(
        spec.digest, label, spec, state, step=1, total_steps=1, error="", stop_requested=False, owner="",
        recorded=recorded, **times,
    )  # fmt: skip


def labels(runs: list[Run]) -> str:
    return "".join(run.label for run in runs)


BEFORE = make_run("B", placement="before_activation", momentum=0.9, learning_rate=0.1)
AFTER = make_run("C", placement="after_activation", learning_rate=1e-5, seed=1)
PLAIN = make_run("A", hidden_units=(300, 100, 50))


@given(st.lists(specs(), min_size=1, max_size=4, unique=True))
def test_runs_vary_in_what_their_specs_differ_in(different: list[RunSpec]) -> None:
    runs = [make_run(**spec.model_dump()) for spec in different]
    titles = [str(RunSpec.model_fields[name].title) for name in varying_fields(runs)]
    assert titles == list(differing_fields({str(index): spec for index, spec in enumerate(different)}))


def test_fields_without_effect_are_no_difference() -> None:
    assert varying_fields([make_run(momentum=0.9), make_run()]) == []
    assert varying_fields([BEFORE, PLAIN]) == ["placement", "hidden_units", "learning_rate", "momentum"]
    assert varying_fields([BEFORE]) == []
    assert varying_fields([]) == []


@given(specs(), st.sampled_from(list(RunSpec.model_fields)))
def test_a_value_is_found_by_its_text_in_a_link(spec: RunSpec, name: str) -> None:
    run, field = make_run(**spec.model_dump()), FIELDS[name]
    (text,) = field.texts(run)
    assert field.parse(text) == text
    assert matching_runs([run], {name: [text]}) == [run]
    assert field.format(text)
    assert (field_column([run], name) == [None]) == (text == UNUSED)


def test_values_of_a_field_are_alternatives_and_fields_must_all_match() -> None:
    runs = [PLAIN, BEFORE, AFTER]
    assert labels(matching_runs(runs, {})) == "ABC"
    assert labels(matching_runs(runs, {"placement": ["none", "after_activation"]})) == "AC"
    assert labels(matching_runs(runs, {"placement": ["none", "after_activation"], "seed": ["1"]})) == "C"
    assert labels(matching_runs(runs, {"hidden_units": ["300-100-50"]})) == "A"
    assert labels(matching_runs(runs, {"momentum": ["0.99"]})) == "C", "PLAIN has no momentum"
    assert labels(matching_runs(runs, {"label": ["B"], "state": ["STOPPED"]})) == ""


def test_states_are_those_that_the_page_shows() -> None:
    runs = [make_run("A", RunState.STOPPED), make_run("B", recorded="elsewhere"), make_run("C")]
    assert [state_title(run) for run in runs] == ["Stopped", "Recorded", "Complete"]
    assert labels(matching_runs(runs, {"state": ["RECORDED"]})) == "B"
    assert present_values(runs, "state") == {"COMPLETED": 1, "STOPPED": 1, "RECORDED": 1}
    assert set(RunState) < set(STATES)


@pytest.mark.parametrize(
    ("name", "text", "parsed"),
    [
        ("state", "stopped", "STOPPED"),
        ("learning_rate", "0,1", "0.1"),
        ("hidden_units", "3x100", "100-100-100"),
        ("train_examples", "ALL", "all"),
        ("label", "~ as it is ", "~ as it is "),
    ],
)
def test_values_may_be_written_in_other_ways(name: str, text: str, parsed: str) -> None:
    assert FIELDS[name].parse(text) == parsed


@pytest.mark.parametrize(("name", "text"), [("placement", "nowhere"), ("epochs", "0"), ("state", ""), ("seed", "x")])
def test_what_no_run_can_have_is_refused(name: str, text: str) -> None:
    with pytest.raises(SpecError):
        FIELDS[name].parse(text)


def test_values_are_sorted_as_numbers_and_those_without_effect_come_last() -> None:
    runs = [make_run(seed=seed) for seed in (10, 9, 100, 9)] + [BEFORE]
    assert present_values(runs, "seed") == {"0": 1, "9": 2, "10": 1, "100": 1}
    assert list(present_values([PLAIN, BEFORE, AFTER], "momentum")) == ["0.9", "0.99", UNUSED]
    assert list(present_values([PLAIN, make_run(train_examples=9)], "train_examples")) == ["9", "all"]


def test_runs_are_sorted_by_group_and_stay_in_their_order_within_one() -> None:
    runs = [AFTER, BEFORE, make_run("D", learning_rate=0.1), PLAIN]
    assert labels(sort_by_group(runs, "learning_rate")) == "CABD"
    assert labels(sort_by_group(runs, "momentum")) == "BCDA"


def test_a_group_has_the_mean_and_deviation_of_its_completed_runs() -> None:
    completed = [make_run(seed=seed) for seed in range(3)]
    others = [make_run(state=RunState.DIVERGED, seed=3), make_run(state=RunState.STOPPED, seed=4)]
    single = [make_run(placement="before_activation"), make_run(placement="after_activation", state=RunState.RUNNING)]
    accuracies = {run.digest: value for run, value in zip(completed, (0.9, 0.92, 0.97), strict=True)}
    accuracies |= dict.fromkeys((run.digest for run in others), 0.1) | {single[0].digest: 0.5}
    frame = groups_frame([*single, *others, *completed], accuracies, "placement")
    assert frame["group"].tolist() == ["After the activation", "Before the activation", "None"]
    assert frame["runs"].tolist() == [1, 1, 5]
    assert frame["completed"].tolist() == [0, 1, 3]
    assert frame["val_accuracy"].tolist() == pytest.approx([math.nan, 0.5, mean((0.9, 0.92, 0.97))], nan_ok=True)
    sd = stdev((0.9, 0.92, 0.97))
    assert frame["val_accuracy_sd"].tolist() == pytest.approx([math.nan, math.nan, sd], nan_ok=True)
