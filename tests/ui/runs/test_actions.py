"""Runs chosen on the Runs page: as a comparison, and deleted."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnlab.runs.recording import SHIPPED_RECORDINGS, read_recording
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.specs.comparison import MAX_LABEL_LENGTH, MAX_VARIANTS
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.navigation import page_path
from bnlab.ui.runs.actions import comparison_of
from bnlab.ui.runs.table import CHOSEN
from tests.opened_page import OpenPage, open_page
from tests.slow import all_but_one_slow
from tests.stored_runs import make_evaluation, record_run

__all__ = ["open_page"]

LAST_SEED = 2**31 - 1


def run(label: str, seed: int = 0, **changes: object) -> Run:
    spec = RunSpec(seed=seed, **changes)
    return Run(
        spec.digest, label, spec, RunState.COMPLETED, spec.total_steps, spec.total_steps, 1.0, 0.0, 0.0, 0.0, "", False,
        "", 0.0,
    )  # fmt: skip


def test_runs_become_variants_in_their_order_each_in_a_colour_of_its_own() -> None:
    runs = [run("B", epochs=3), run("A", use_bias=False), run("C")]
    comparison = comparison_of(runs)
    assert comparison.labels == ["B", "A", "C"]
    assert [variant.spec for variant in comparison.variants] == [run.spec for run in runs]
    assert [variant.colour for variant in comparison.variants] == [0, 1, 2]
    assert comparison.seeds == 1


def test_runs_of_one_name_are_told_apart_by_their_seeds() -> None:
    comparison = comparison_of([run("A", 0), run("A", 1), run("A", LAST_SEED), run("B", 1)])
    assert comparison.labels == ["A, seed 0", "A, seed 1", f"A, seed {LAST_SEED}", "B"]


def test_runs_of_one_name_and_seed_are_told_apart_nevertheless() -> None:
    labels = comparison_of([run("A", epochs=epochs) for epochs in range(1, 5)]).labels
    assert labels == ["A", "A, run 2", "A, run 3", "A, run 4"]
    runs = [run("A", 0), run("A", 1), run("A", 1, epochs=3)]
    assert comparison_of(runs).labels == ["A, seed 0", "A, seed 1", "A, seed 1, run 2"]


def test_a_long_name_leaves_room_for_the_whole_seed() -> None:
    long = "x" * MAX_LABEL_LENGTH
    first, second = comparison_of([run(long), run(long, LAST_SEED)]).labels
    assert first == "x" * (MAX_LABEL_LENGTH - len(", seed 0")) + ", seed 0"
    assert second == "x" * (MAX_LABEL_LENGTH - len(f", seed {LAST_SEED}")) + f", seed {LAST_SEED}"


def test_a_name_that_no_variant_may_have_is_mended() -> None:
    """The command line gives any name."""
    nameless = run(" \n~")
    assert comparison_of([run("A~B\tC" + "x" * 99), nameless]).labels == ["ABC" + "x" * 37, nameless.digest]
    unseen = run("\u200b\xa0")
    labels = comparison_of([run("👩\u200d🏫\xa0class", epochs=3), unseen]).labels
    assert labels == ["👩\u200d🏫 class", unseen.digest]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.text(max_size=50), st.sampled_from([0, 1, LAST_SEED])), min_size=1, max_size=MAX_VARIANTS))
def test_whatever_their_names_up_to_eight_runs_can_be_compared(chosen: list[tuple[str, int]]) -> None:
    runs = [run(label, seed, epochs=index + 1) for index, (label, seed) in enumerate(chosen)]
    comparison = comparison_of(runs)
    assert [variant.spec for variant in comparison.variants] == [run.spec for run in runs]
    assert len({variant.colour for variant in comparison.variants}) == len(runs)


@pytest.mark.parametrize("is_lost", [False, True])
def test_of_recorded_runs_alone_it_is_not_said_that_they_are_lost(
    is_lost: bool, open_page: OpenPage, tmp_path: Path
) -> None:
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    here = record_run(store, RunSpec(seed=9, train_examples=64), (1.0,), (make_evaluation(0),), RunState.COMPLETED)
    read_recording(store, SHIPPED_RECORDINGS["placement"].read_bytes())
    app = open_page(store)
    recorded = [run.digest for run in store.runs() if run.recorded][:2]
    app.session_state[CHOSEN] = {*recorded, *([here.digest] if is_lost else [])}
    app.switch_page(page_path("runs")).run()
    assert not app.exception
    (question,) = [text.value for text in app.markdown if text.value.startswith("Delete")]
    assert ("cannot be undone" in question) == is_lost
    assert any("come back" in text.value for text in app.caption)
    assert ("permanently" in app.button(key="runs-delete").label) == is_lost


@pytest.mark.parametrize(
    ("chosen", "words", "caption"),
    all_but_one_slow(
        [
            ("ABC", "these 2 runs (1 stopped, 1 complete)", "1 still waits or trains, and stays."),
            ("A", "“A”", None),
            ("AB", "these 2 runs (1 stopped, 1 complete)", None),
            ("ACD", "“A”", "2 still wait or train, and stay."),
        ]
    ),
)
def test_what_is_to_be_deleted_is_said_before(
    chosen: str, words: str, caption: str | None, open_page: OpenPage, tmp_path: Path
) -> None:
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    states = {"A": RunState.COMPLETED, "B": RunState.STOPPED, "C": RunState.RUNNING, "D": RunState.RUNNING}
    digests = {}
    for seed, (label, state) in enumerate(states.items()):
        digests[label] = record_run(
            store, RunSpec(seed=seed, train_examples=64), (1.0,), (make_evaluation(0),), state
        ).digest
        store.rename(digests[label], label)
    app = open_page(store)
    app.session_state[CHOSEN] = {digests[label] for label in chosen}
    app.switch_page(page_path("runs")).run()
    assert not app.exception
    deletes = [text.value for text in app.markdown if text.value.startswith("Delete")]
    assert deletes == [f"Delete {words} with all curves and layers? This cannot be undone."]
    stays = [text.value for text in app.caption if "still" in text.value]
    assert stays == ([caption] if caption else [])
    app.button(key="runs-delete").click().run()
    assert {run.label for run in store.runs()} == set("ABCD") - (set(chosen) & set("AB"))
