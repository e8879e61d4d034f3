"""What workers were asked about specs beside training them, and what they answered: kept like runs are."""

import io
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from sqlalchemy import Column, Row, delete, insert, select

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
    found = _found(store, questions, answers.c.spec, answers.c.answer)
    return {question: pd.read_parquet(io.BytesIO(row.answer)) for question, row in found}


def answered(store: Store, questions: Iterable[Question]) -> set[Question]:
    """Those that have been answered."""
    return {question for question, _ in _found(store, questions, answers.c.spec)}


def kept_answers(store: Store) -> set[tuple[str, str]]:
    """All that has been answered, as the question's name and the spec's digest."""
    with store.engine.connect() as connection:
        return {(row.question, row.spec) for row in connection.execute(select(answers.c.question, answers.c.spec))}


def _found(store: Store, questions: Iterable[Question], *columns: Column[Any]) -> list[tuple[Question, Row[Any]]]:
    """The rows of the questions that have been answered; `columns` begin with the spec's digest."""
    by_name: dict[str, dict[str, Question]] = defaultdict(dict)
    for question in questions:
        by_name[question.name][question.spec.digest] = question
    found: list[tuple[Question, Row[Any]]] = []
    with store.engine.connect() as connection:
        for name, own in by_name.items():
            query = select(*columns).where(answers.c.question == name, answers.c.spec.in_(own))
            found += [(own[row.spec], row) for row in connection.execute(query)]
    return found


# -- as on the branch `claims`, whose version of this module replaces this one --


@dataclass(frozen=True)
class Measurement:
    """What is measured of one spec: a worker calls `function(store_url, spec, *arguments)`, which returns a table.

    The result is stored under `id`, the arguments and the spec's digest. A function whose results mean something else
    than before therefore needs another id; its name and module may change.
    """

    id: str
    function: Callable[..., pd.DataFrame] = field(compare=False)
    spec: RunSpec
    arguments: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """The id with the arguments, as `depth_profile:0-10-100`."""
        return f"{self.id}:{'-'.join(map(str, self.arguments))}" if self.arguments else self.id

    @property
    def name(self) -> str:
        """The key."""
        return self.key


def write_measurement(store: Store, measurement: Measurement, table: pd.DataFrame) -> None:
    """Store a result, replacing an earlier one."""
    write_answer(store, measurement, table)


def read_measurements(store: Store, measurements: Iterable[Measurement]) -> dict[Measurement, pd.DataFrame]:
    """The results of those `measurements` that are stored."""
    return read_answers(store, measurements)


def stored(store: Store, measurements: Iterable[Measurement]) -> set[Measurement]:
    """Those of `measurements` that are stored."""
    return answered(store, measurements)
