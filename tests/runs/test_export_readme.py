"""The README of an exported run."""

from dataclasses import replace

import pytest

from bnlab.runs.export import readme_text
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.stored_runs import OWNER


@pytest.fixture
def run(store: Store) -> Run:
    launched = store.launch(RunSpec(), "Baseline", OWNER)
    return replace(launched, state=RunState.STOPPED, step=1_719, seconds=1.25, created_at=1_777_863_721.5)


def test_readme_describes_run_and_model(run: Run) -> None:
    text = readme_text(run, 1_719)
    head = f"Baseline\nbnlab's run {run.digest}: STOPPED, 1,719 of 17,190 steps, 1.2 s in steps\n"
    head += "Made 2026-05-04T03:02:01+00:00 (UTC)\n\nspec.json"
    assert text.startswith(head)
    assert "weights after step 1,719" in text
    assert 'as they did in training, x.astype("float32") / 255: no layer' in text
    assert '    model = keras.models.load_model("model.keras")\n' in text


def test_readme_without_weights(run: Run) -> None:
    text = readme_text(run, None)
    assert "There is no model.keras" in text
    assert "load_model" not in text


def test_readme_has_the_error(run: Run) -> None:
    failed = replace(run, state=RunState.FAILED, error="The dataset is away.")
    assert "(UTC)\nThe dataset is away.\n\nspec.json" in readme_text(failed, None)


def test_readme_has_what_was_written_about_the_run(run: Run) -> None:
    noted = replace(run, tags=("for class", "good"), note="First line.\n" + "word " * 99)
    text = readme_text(noted, None)
    assert "(UTC)\nTags: for class, good\n\nFirst line.\nword word" in text
    assert max(map(len, text.splitlines())) <= 120


def test_readme_lines_fit_a_terminal(run: Run) -> None:
    assert max(map(len, readme_text(run, 1_719).splitlines())) <= 120


def test_readme_says_that_the_seconds_were_measured_beside_other_work(run: Run) -> None:
    assert "1.2 s in steps (measured beside " in readme_text(replace(run, shared=True), None)
    assert readme_text(replace(run, shared=None), None) == readme_text(replace(run, shared=False), None)
