"""The states of a run."""

from bnlab.runs.run import ACTIVE, RunState


def test_active_states() -> None:
    assert [state for state in RunState if not state.is_finished()] == list(ACTIVE)
    assert ACTIVE == (RunState.QUEUED, RunState.RUNNING)


def test_states_that_can_continue() -> None:
    assert [state for state in RunState if state.can_continue()] == [RunState.STOPPED, RunState.FAILED]


def test_states_are_stored_by_name() -> None:
    assert all(RunState(state.name) is state and str(state) == state.name for state in RunState)
