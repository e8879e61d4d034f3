"""Answers: kept by what was asked and of which spec, as a task too."""

from pathlib import Path

import pandas as pd
import pytest

from bnlab.runs.answers import Question, answer_question, answered, read_answers, write_answer
from bnlab.runs.lab import Lab
from bnlab.runs.store import Store
from bnlab.spec.network import describe_network
from bnlab.spec.run_spec import RunSpec

SPEC = RunSpec()
OTHER = RunSpec(seed=1)


def layers(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """What a worker would be asked."""
    return pd.DataFrame({"layer": [layer.name for layer in describe_network(spec).layers]})


def units(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """Something else."""
    return pd.DataFrame({"units": spec.hidden_units})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'bnlab.db'}")


def test_an_answer_is_found_by_what_was_asked_and_of_whom(store: Store) -> None:
    questions = [Question(layers, SPEC), Question(units, SPEC), Question(layers, OTHER)]
    for question in questions[:2]:
        answer_question(store.url, question)
    found = read_answers(store, questions)
    assert list(found) == questions[:2]
    pd.testing.assert_frame_equal(found[questions[0]], layers("", SPEC))
    pd.testing.assert_frame_equal(found[questions[1]], units("", SPEC))
    assert answered(store, questions) == set(questions[:2])
    assert read_answers(store, []) == {}


def test_a_later_answer_takes_the_place_of_an_earlier_one(store: Store) -> None:
    question = Question(units, SPEC)
    for value in (1.0, float("nan")):
        write_answer(store, question, pd.DataFrame({"value": [value]}))
    (answer,) = read_answers(store, [question]).values()
    assert answer["value"].isna().all()


@pytest.mark.workers
def test_a_worker_answers(store: Store, scheduler: str) -> None:
    lab, question = Lab(store, scheduler=scheduler), Question(units, SPEC)
    try:
        lab.submit(answer_question, store.url, question).result(timeout=60)
    finally:
        lab.close()
    assert list(read_answers(store, [question])[question]["units"]) == list(SPEC.hidden_units)
