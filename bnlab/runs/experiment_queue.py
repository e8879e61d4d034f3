"""The queue of requested experiments, kept in the store so that they continue after a restart."""

import time
from collections.abc import Iterable

from sqlalchemy import delete, insert, select

from bnlab.runs.schema import experiment_queue
from bnlab.runs.store import Store


def enqueue(store: Store, names: Iterable[str]) -> None:
    """Add experiments to the queue as the latest; one that is in it already becomes the latest."""
    rows = [{"name": name, "entered_at": time.time()} for name in dict.fromkeys(names)]
    with store.engine.begin() as connection:
        connection.execute(delete(experiment_queue).where(experiment_queue.c.name.in_([row["name"] for row in rows])))
        if rows:
            connection.execute(insert(experiment_queue), rows)


def dequeue(store: Store, name: str) -> None:
    """Remove an experiment from the queue."""
    with store.engine.begin() as connection:
        connection.execute(delete(experiment_queue).where(experiment_queue.c.name == name))


def queued(store: Store) -> list[str]:
    """The names of the experiments in the queue, the latest first."""
    query = select(experiment_queue.c.name).order_by(experiment_queue.c.entered_at.desc(), experiment_queue.c.name)
    with store.engine.connect() as connection:
        return list(connection.scalars(query))
