"""The progress of runs in the terminal."""

from types import SimpleNamespace
from typing import Any

import pytest

from bnlab.cli.options import plain_console
from bnlab.cli.progress import watch
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.stored_runs import OWNER, make_evaluation, record_run

ERROR = "[/job:worker] ran [out] of memory :smile:."
PROBLEM = "No workers are connected to tcp://[fe80::1]:8786 :smile:."
LABEL = "A [b] :smile:"


@pytest.mark.parametrize("is_terminal", [True, False])
def test_errors_and_problems_are_not_markup(url: str, is_terminal: bool) -> None:
    store, spec = Store(url), RunSpec(train_examples=8, batch_size=4, epochs=2)
    record_run(store, spec, (1.0,), (make_evaluation(0),))
    store.finish(spec.digest, OWNER, RunState.FAILED, ERROR)
    scheduler: Any = SimpleNamespace(store=store, problem=PROBLEM)
    console = plain_console(width=200, force_terminal=is_terminal, color_system=None)
    with console.capture() as printed:
        watch(console, scheduler, {spec.digest: LABEL})
    assert LABEL in printed.get()
    assert ERROR in printed.get()
    assert PROBLEM in printed.get()
