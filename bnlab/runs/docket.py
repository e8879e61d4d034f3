"""The docket: which trials somebody has asked for, so that they go on after a restart."""

import time
from collections.abc import Iterable

from sqlalchemy import delete, insert, select

from bnlab.runs.schema import docket
from bnlab.runs.store import Store


def enter(store: Store, names: Iterable[str]) -> None:
    """Put trials on the docket, as the latest; one that is there already is asked for anew."""
    rows = [{"name": name, "entered_at": time.time()} for name in dict.fromkeys(names)]
    with store.engine.begin() as connection:
        connection.execute(delete(docket).where(docket.c.name.in_([row["name"] for row in rows])))
        if rows:
            connection.execute(insert(docket), rows)


def strike(store: Store, name: str) -> None:
    """Take a trial off the docket: nobody waits for it any more."""
    with store.engine.begin() as connection:
        connection.execute(delete(docket).where(docket.c.name == name))


def entered(store: Store) -> list[str]:
    """The trials on the docket, the latest first."""
    with store.engine.connect() as connection:
        return list(connection.scalars(select(docket.c.name).order_by(docket.c.entered_at.desc(), docket.c.name)))
