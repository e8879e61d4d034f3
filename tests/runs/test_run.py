"""The states of a run."""

from bnlab.runs.run import ACTIVE, RunState


def test_a_run_has_ended_unless_it_waits_or_trains() -> None:
    assert [state for state in RunState if not state.is_finished()] == list(ACTIVE)
    assert ACTIVE == (RunState.QUEUED, RunState.RUNNING)


def test_only_stopped_and_failed_runs_go_on() -> None:
    assert [state for state in RunState if state.can_continue()] == [RunState.STOPPED, RunState.FAILED]


def test_states_are_stored_by_name() -> None:
    assert all(RunState(state.name) is state and str(state) == state.name for state in RunState)
