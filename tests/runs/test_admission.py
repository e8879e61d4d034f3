"""Which workers may train: the same code, on the same store. Questions are asked as Dask sends them: pickled."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from distributed.protocol import pickle as dask_pickle

from bnlab.runs import admission, worker_store
from bnlab.runs.admission import OTHER_CODE, OTHER_STORE, Admission, describe_worker, own_versions
from bnlab.runs.owners import new_owner
from bnlab.runs.schema import secrets
from bnlab.runs.store import Store

WORKERS = ["tcp://a:1", "tcp://b:2"]


class Answer:
    """A Dask future that has ended, or is pending."""

    def __init__(self, status: str = "finished", value: object = None) -> None:
        self.status, self.value = status, value

    def done(self) -> bool:
        return self.status != "pending"

    def exception(self) -> BaseException:
        return self.value if isinstance(self.value, BaseException) else ValueError()

    def result(self, timeout: float) -> object:
        return self.value

    def add_done_callback(self, callback: Callable[[object], None]) -> None:
        if self.done():
            callback(self)


class Client:
    """Answers questions as the worker at an address would: by default as this process."""

    def __init__(self, answers: dict[str, Callable[..., Answer]] | None = None) -> None:
        self.answers = answers or {}
        self.asked: list[str] = []

    def submit(self, question: Any, *arguments: Any, workers: list[str], **_options: Any) -> Answer:
        (worker,) = workers
        self.asked.append(worker)
        answer = self.answers.get(worker, lambda ask, *them: Answer(value=ask(*them)))
        return answer(question, *arguments)


@pytest.fixture
def workers(store: Store) -> Admission:
    return Admission(store, new_owner())


def admit(workers: Admission, client: Client, present: list[str] = WORKERS) -> list[str]:
    """The workers that may train once all have answered."""
    workers.admit(client, present, lambda _: None)
    return workers.admit(client, present, lambda _: None)


def row_of(workers: Admission) -> str:
    admit(workers, Client(), ["tcp://x:1"])
    return workers._row


def test_workers_on_the_same_store_are_admitted_and_asked_once(workers: Admission) -> None:
    client = Client()
    assert admit(workers, client) == WORKERS
    assert admit(workers, client) == WORKERS
    assert client.asked == WORKERS
    assert workers.refusals == []


def test_a_worker_that_joins_later_or_again_is_asked(workers: Admission) -> None:
    client = Client()
    assert admit(workers, client, WORKERS[:1]) == WORKERS[:1]
    assert admit(workers, client) == WORKERS
    admit(workers, client, [])
    assert admit(workers, client, WORKERS[:1]) == WORKERS[:1]
    assert client.asked == [*WORKERS, WORKERS[0]]


def refused_sentence(workers: Admission, answer: Answer) -> str:
    client = Client({WORKERS[0]: lambda *_: answer})
    assert admit(workers, client) == WORKERS[1:], "the other one trains"
    (sentence,) = workers.refusals
    assert WORKERS[0] in sentence
    assert sentence.endswith(".")
    return sentence


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"token": ""}, OTHER_STORE),
        ({"token": "another"}, OTHER_STORE),
        ({"problem": "there is no bnlab"}, "there is no bnlab"),
        ({"versions": own_versions() | {"bnlab": "another"}}, OTHER_CODE),
        ({"versions": own_versions() | {"keras": "3.0.0"}}, "3.0.0"),
        ({"versions": {}}, OTHER_CODE),
    ],
)
def test_workers_of_another_kind_are_refused_with_a_sentence(
    workers: Admission, change: dict[str, object], expected: str
) -> None:
    answer = {"problem": "", "token": "", "versions": own_versions()} | change
    assert expected in refused_sentence(workers, Answer(value=answer))


def test_a_worker_that_cannot_read_the_question_is_refused(workers: Admission) -> None:
    sentence = refused_sentence(workers, Answer("error", TypeError("password")))
    assert "TypeError" in sentence
    assert "password" not in sentence


def test_a_question_that_was_lost_is_asked_again(workers: Admission) -> None:
    answers = [Answer("cancelled"), Answer("pending")]
    client = Client({WORKERS[0]: lambda *_: answers.pop(0)})
    assert admit(workers, client, WORKERS[:1]) == []
    assert client.asked == [WORKERS[0]] * 2
    assert workers.refusals == []


def test_a_refused_worker_is_asked_again_after_a_while(workers: Admission, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client({WORKERS[0]: lambda *_: Answer(value={"problem": "the store is away"})})
    assert admit(workers, client, WORKERS[:1]) == []
    client.answers.clear()
    assert admit(workers, client, WORKERS[:1]) == []
    assert len(client.asked) == 1
    monkeypatch.setattr(admission, "RECHECK_SECONDS", 0.0)
    assert admit(workers, client, WORKERS[:1]) == WORKERS[:1]
    assert workers.refusals == []


def test_a_copy_of_the_store_and_a_file_elsewhere_are_other_stores(
    workers: Admission, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(tmp_path / "bnlab.db", tmp_path / "copy.db")
    for name, expected in (("copy.db", ""), ("none.db", OTHER_STORE)):
        monkeypatch.setenv("BNLAB_STORE", f"sqlite:///{tmp_path / name}")
        worker_store._open.cache_clear()
        report = describe_worker(store.url, row_of(workers))
        assert (report["token"], report["problem"]) == ("", expected)
    assert not (tmp_path / "none.db").exists(), "it is not created"


def test_a_store_that_the_worker_cannot_read_is_said(workers: Admission, store: Store) -> None:
    row = row_of(workers)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE secrets")
    assert "cannot read the store" in describe_worker(store.url, row)["problem"]


def test_tokens_are_removed_at_the_end_and_after_a_scheduler_that_was_killed(workers: Admission, store: Store) -> None:
    def tokens() -> list[str]:
        with store.engine.connect() as connection:
            return list(connection.scalars(secrets.select()))

    killed = Admission(store, new_owner().replace(f":{os.getpid()}:", ":999999999:"))
    row_of(killed)
    assert len(tokens()) == 1
    row_of(workers)
    assert len(tokens()) == 1
    workers.close()
    assert tokens() == []


@pytest.mark.parametrize(
    ("folder", "expected"),
    [("empty", "there is no bnlab"), ("old", "another version of bnlab"), ("bare", "lacks the package")],
)
def test_a_worker_without_the_code_says_what_it_lacks(store: Store, tmp_path: Path, folder: str, expected: str) -> None:
    """In a process that has nothing but cloudpickle, or an old bnlab, or not what bnlab needs."""
    path = tmp_path / folder
    path.mkdir()
    if folder != "empty":
        (path / "bnlab" / "runs").mkdir(parents=True)
        (path / "bnlab" / "__init__.py").touch()
        (path / "bnlab" / "runs" / "__init__.py").touch()
    if folder == "bare":
        (path / "bnlab" / "runs" / "admission.py").write_text("import a_package_that_is_missing")
    question = tmp_path / "question.pickle"
    question.write_bytes(dask_pickle.dumps(admission._make_question()))
    script = (
        "import pickle, sys; sys.path[:0] = sys.argv[2:];"
        "print(pickle.loads(open(sys.argv[1], 'rb').read())('sqlite:///x', 'row')['problem'])"
    )
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "cloudpickle").symlink_to(Path(cloudpickle.__file__).parent)
    command = [sys.executable, "-S", "-I", "-c", script, str(question), str(path), str(tmp_path / "packages")]
    assert expected in subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


def test_versions_name_what_decides_on_the_numbers() -> None:
    versions = own_versions()
    assert versions["keras"].startswith("3.")
    assert versions["tensorflow"].startswith("2.")
    assert len(versions["bnlab"]) == 64
