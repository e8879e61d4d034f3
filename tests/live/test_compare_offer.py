"""A page of Compare is rendered again when it offers something else, to this visitor, and not at each run's state."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from bnlab.live.compare_offer import VariantButton, compare_offer, compare_versions, visitor_name
from bnlab.live.reading import DEFAULT_VERSION, STATES_VERSION
from bnlab.runs.rights import Rights
from bnlab.runs.run import Run, RunState
from bnlab.runs.shares import COMMAND_LINE, NO_VISITOR, Shares
from bnlab.specs.run_spec import RunSpec

VARIANTS, SEEDS = 2, 2
Runs = dict[str, list[Run | None]]


def runs_of(*states: RunState | None, **changes: object) -> Runs:
    """The runs of each variant, two seeds each; None is a run that does not exist."""
    runs: list[Run | None] = []
    for seed, state in enumerate(states):
        spec = RunSpec(seed=seed)
        run = Run(spec.digest, "A", spec, state, 0, 9, 0.0, 1.0, 0.0, 0.0, "", False, "", 0.0) if state else None
        runs.append(replace(run, **changes) if run else None)  # type: ignore[arg-type]
    return {str(index): runs[SEEDS * index : SEEDS * (index + 1)] for index in range(VARIANTS)}


def shared_by(runs: Runs, *visitors: str) -> dict[str, Shares]:
    active = [run for found in runs.values() for run in found if run and not run.state.is_finished()]
    return {run.digest: Shares(frozenset(visitors)) for run in active}


def versions(runs: Runs, *visitors: str, problem: str = "", is_hidden: bool = False) -> dict[str, str]:
    return dict(compare_versions(runs, problem, shared_by(runs, *visitors), is_hidden=is_hidden))


def version(name: str, runs: Runs, *visitors: str) -> str:
    found = versions(runs, *visitors)
    return found.get(name, found[DEFAULT_VERSION])


Q, R, C, S, F, D = (
    RunState.QUEUED,
    RunState.RUNNING,
    RunState.COMPLETED,
    RunState.STOPPED,
    RunState.FAILED,
    RunState.DIVERGED,
)
ANN = visitor_name("ann")


@pytest.mark.parametrize("name", [DEFAULT_VERSION, ANN])
def test_runs_from_their_launch_to_their_end_change_what_is_offered_a_few_times(name: str) -> None:
    """When they are launched, when each variant has nothing left to stop, and when there is an answer."""
    courses = [(None,) * 4, (Q,) * 4, (R, Q, Q, Q), (R, R, Q, Q), (R, R, R, Q), (R,) * 4, (C, R, R, R), (C, C, R, R)]
    courses += [(C, C, C, R), (C,) * 4]
    seen = [version(name, runs_of(*course), "ann") for course in courses]
    changes = [index for index in range(1, len(seen)) if seen[index] != seen[index - 1]]
    # Who launched nothing is not offered to stop them, so the end of one variant is no change.
    assert changes == ([1, 7, 9] if name == ANN else [1, 9])
    precise = [versions(runs_of(*course), "ann")[STATES_VERSION] for course in courses]
    assert len(set(precise)) == len(precise)


def test_others_who_come_and_go_change_nothing_that_is_offered() -> None:
    runs = runs_of(R, R, R, R)
    alone, with_ben, many = (versions(runs, *who) for who in (["ann"], ["ann", "ben"], ["ann", "ben", "eve"]))
    assert alone[DEFAULT_VERSION] == with_ben[DEFAULT_VERSION] == many[DEFAULT_VERSION]
    assert alone[ANN] == with_ben[ANN] == many[ANN] == many[visitor_name("eve")]
    assert len({page[STATES_VERSION] for page in (alone, with_ben, many)}) == 3
    without = versions(runs, "ben")
    assert without.get(ANN, without[DEFAULT_VERSION]) != alone[ANN], "ann has withdrawn her share elsewhere"


@pytest.mark.parametrize("launched_by", [(), (COMMAND_LINE,)])
def test_runs_of_no_visitor_are_offered_to_all_alike(launched_by: Iterable[str]) -> None:
    runs = runs_of(R, R, R, R)
    found = versions(runs, *launched_by)
    assert found.keys() == {DEFAULT_VERSION, STATES_VERSION}
    offer = compare_offer(runs, Rights("ann", shared_by(runs, *launched_by)), "", is_hidden=False)
    assert offer.can_stop
    assert {variant.button for variant in offer.variants} == {VariantButton.STOP}


@pytest.mark.parametrize(
    ("states", "changes", "button"),
    [
        ((None, None), {}, VariantButton.NONE),
        ((Q, None), {}, VariantButton.STOP),
        ((R, C), {"stop_requested": True}, VariantButton.STOPPING),
        ((S, C), {}, VariantButton.CONTINUE),
        ((S, F), {}, VariantButton.RETRY),
        ((C, D), {}, VariantButton.NONE),
    ],
)
def test_each_kind_of_states_has_its_button(states: list[RunState], changes: dict, button: VariantButton) -> None:
    runs = runs_of(*states, None, None, **changes)
    offer = compare_offer(runs, Rights(NO_VISITOR, {}), "", is_hidden=False)
    assert offer.variants[0].button is button
    assert offer.can_train, "the second variant's runs do not exist"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (runs_of(R, R, R, R), runs_of(R, R, R, R, stop_requested=True)),
        (runs_of(C, C, C, F), runs_of(C, C, C, F, error="It failed.")),
        (runs_of(C, C, C, C), runs_of(C, C, C, C, recorded="elsewhere")),
        (runs_of(C, C, C, C), runs_of(C, C, C, C, created_at=2.0)),
        (runs_of(C, C, R, R), runs_of(C, D, R, R)),
        (runs_of(C, C, C, C), runs_of(C, C, C, None)),
    ],
)
def test_whatever_the_page_draws_of_states_is_in_its_version(before: Runs, after: Runs) -> None:
    assert versions(before)[DEFAULT_VERSION] != versions(after)[DEFAULT_VERSION]


def test_a_problem_and_a_lesson_that_hides_results_are_changes() -> None:
    runs = runs_of(R, R, R, R)
    changed = versions(runs), versions(runs, problem="x"), versions(runs, is_hidden=True)
    assert len({found[DEFAULT_VERSION] for found in changed}) == 3


def test_hidden_results_do_not_show_in_the_version() -> None:
    converged, diverged = (versions(runs_of(C, state, R, R), is_hidden=True)[DEFAULT_VERSION] for state in (C, D))
    assert converged == diverged


def test_the_name_of_a_version_does_not_tell_the_visitor() -> None:
    assert visitor_name(NO_VISITOR) == DEFAULT_VERSION
    assert "ann" not in visitor_name("ann") != visitor_name("ben")
