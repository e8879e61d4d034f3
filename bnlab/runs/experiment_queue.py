"""The queue of requested experiments, kept in the store so that they continue after a restart."""

import time
from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import ColumnElement, delete, insert, select

from bnlab.runs.schema import experiment_queue
from bnlab.runs.schema import experiment_shares as shares_table
from bnlab.runs.shares import COMMAND_LINE, NO_VISITOR, Shares
from bnlab.runs.store import Store


def enqueue(store: Store, names: Iterable[str], visitor: str = NO_VISITOR) -> None:
    """Add experiments to the queue as the latest; one that is in it already becomes the latest.

    `visitor` gets a share in each of them, as in runs.
    """
    distinct = list(dict.fromkeys(names))
    if not distinct:
        return
    with store.engine.begin() as connection:
        connection.execute(delete(experiment_queue).where(experiment_queue.c.name.in_(distinct)))
        connection.execute(insert(experiment_queue), [{"name": name, "entered_at": time.time()} for name in distinct])
        for name in distinct if visitor else ():
            connection.execute(delete(shares_table).where(_share_of(name, visitor)))
            connection.execute(insert(shares_table).values(name=name, visitor=visitor))


def dequeue(store: Store, name: str, visitor: str | None = None) -> bool:
    """Withdraw the share of `visitor`, or all shares, and remove an experiment without shares.

    Returns:
        Whether it was removed. It is also removed for a visitor without a share if no other visitor has one.
    """
    with store.engine.begin() as connection:
        withdrawn = connection.execute(delete(shares_table).where(_share_of(name, visitor))).rowcount
        others = set(connection.scalars(select(shares_table.c.visitor).where(shares_table.c.name == name)))
        if others - (set() if withdrawn else {COMMAND_LINE}):
            return False
        connection.execute(delete(shares_table).where(shares_table.c.name == name))
        connection.execute(delete(experiment_queue).where(experiment_queue.c.name == name))
        return True


def experiment_shares(store: Store) -> dict[str, Shares]:
    """The shares in the experiments in the queue, by name; those without a share are left out."""
    visitors: defaultdict[str, set[str]] = defaultdict(set)
    with store.engine.connect() as connection:
        for row in connection.execute(select(shares_table)):
            visitors[row.name].add(row.visitor)
    return {name: Shares(frozenset(wanted_by)) for name, wanted_by in visitors.items()}


def _share_of(name: str, visitor: str | None) -> ColumnElement[bool]:
    """The share of a visitor in an experiment, or everybody's."""
    named = shares_table.c.name == name
    return named if visitor is None else named & (shares_table.c.visitor == visitor)


def queued(store: Store) -> list[str]:
    """The names of the experiments in the queue, the latest first."""
    query = select(experiment_queue.c.name).order_by(experiment_queue.c.entered_at.desc(), experiment_queue.c.name)
    with store.engine.connect() as connection:
        return list(connection.scalars(query))
