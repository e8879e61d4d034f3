"""The zip's button on the Runs page, by AppTest; that the zip is right is tested in a real browser and in runs."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.runs import export
from tests.stored_runs import make_evaluation, record_run


def script(url: str) -> None:
    from bnlab.runs.store import Store
    from bnlab.ui.runs.export import render_export

    render_export(Store(url).runs())


@pytest.mark.parametrize(("max_runs", "disabled"), [(1, True), (2, False)])
def test_what_would_not_fit_into_memory_is_not_exported(
    max_runs: int, disabled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    for seed in (0, 1):
        spec = RunSpec(epochs=1, train_examples=64, seed=seed)
        record_run(store, spec, (2.0, 1.0), (make_evaluation(0), make_evaluation(2)), RunState.COMPLETED)
    monkeypatch.setattr(export, "MAX_RUNS", max_runs)
    app = AppTest.from_function(script, kwargs={"url": store.url}).run()
    assert not app.exception
    button = app.button(key="export-start")
    assert (button.label, button.disabled) == ("Export 2 runs as a zip", disabled)
    assert ("At most 1 runs" in button.help) == disabled
