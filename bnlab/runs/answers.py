"""What workers were asked about specs beside training them, and what they answered: kept like runs are."""

import io
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import delete, insert, select

from bnlab.runs.schema import answers
from bnlab.runs.store import Store
from bnlab.spec.run_spec import RunSpec

Asked = Callable[[str, RunSpec], pd.DataFrame]


@dataclass(frozen=True)
class Question:
    """A function of a module, called by a worker with the store's URL and a spec, and the spec it is called with.

    The answer is kept by the function's name, so a function that asks for something else needs another name.
    """

    asked: Asked
    spec: RunSpec

    @property
    def name(self) -> str:
        """What is asked, of whatever spec."""
        return f"{self.asked.__module__}.{self.asked.__qualname__}"


def answer_question(store_url: str, question: Question) -> None:
    """Find the answer and keep it: an errand for `bnlab.runs.lab.Lab.submit`. Raises what the question raises."""
    answer = question.asked(store_url, question.spec)
    store = Store(store_url)
    try:
        write_answer(store, question, answer)
    finally:
        store.engine.dispose()


def write_answer(store: Store, question: Question, answer: pd.DataFrame) -> None:
    """Keep an answer, in the place of an earlier one."""
    row = {"question": question.name, "spec": question.spec.digest}
    with store.engine.begin() as connection:
        connection.execute(delete(answers).filter_by(**row))
        connection.execute(insert(answers), [row | {"answer": answer.to_parquet(index=False)}])


def read_answers(store: Store, questions: Iterable[Question]) -> dict[Question, pd.DataFrame]:
    """The answers that are there."""
    wanted = {(question.name, question.spec.digest): question for question in questions}
    found: dict[Question, pd.DataFrame] = {}
    with store.engine.connect() as connection:
        for name, digests in _by_name(wanted).items():
            query = select(answers.c.spec, answers.c.answer).where(
                answers.c.question == name, answers.c.spec.in_(digests)
            )
            for digest, packed in connection.execute(query):
                found[wanted[name, digest]] = pd.read_parquet(io.BytesIO(packed))
    return found


def answered(store: Store, questions: Iterable[Question]) -> set[Question]:
    """Those that have been answered."""
    wanted = {(question.name, question.spec.digest): question for question in questions}
    found: set[Question] = set()
    with store.engine.connect() as connection:
        for name, digests in _by_name(wanted).items():
            query = select(answers.c.spec).where(answers.c.question == name, answers.c.spec.in_(digests))
            found |= {wanted[name, digest] for digest in connection.scalars(query)}
    return found


def _by_name(keys: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    digests = defaultdict(list)
    for name, digest in keys:
        digests[name].append(digest)
    return digests
