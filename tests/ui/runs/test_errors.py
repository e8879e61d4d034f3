"""Failed runs, by AppTest."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.stored_runs import OWNER, make_evaluation, record_run


def test_a_failed_run_says_why(tmp_path: Path) -> None:
    def script(url: str) -> None:
        from bnlab.runs.store import Store
        from bnlab.ui.components import render_errors

        render_errors(Store(url).runs())

    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    failed = RunSpec(epochs=1, train_examples=64, seed=8)
    record_run(store, failed, (2.0,), (make_evaluation(0),))
    store.finish(failed.digest, OWNER, RunState.FAILED, "The worker ran out of *memory*.")
    app = AppTest.from_function(script, kwargs={"url": store.url}).run()
    assert not app.exception
    assert [error.value for error in app.error] == [r"A: The worker ran out of \*memory\*."]
