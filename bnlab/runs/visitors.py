"""Visitors: a random id for each browser, without account or name, in a cookie that only bnlab can write."""

import secrets as random_secrets
from contextlib import suppress

from itsdangerous import BadSignature, Signer
from sqlalchemy import insert, select

from bnlab.runs.errors import ConflictError
from bnlab.runs.schema import secrets
from bnlab.runs.shares import NO_VISITOR
from bnlab.runs.store import Store

COOKIE_KEY = "cookies"
"""The name of the key in the table of secrets."""


def new_visitor() -> str:
    """A random id, which cannot be guessed."""
    return random_secrets.token_hex(12)


def signing_key(store: Store) -> str:
    """The key that all apps on the store sign cookies with; made at its first use."""
    query = select(secrets.c.value).where(secrets.c.name == COOKIE_KEY)
    with store.engine.connect() as connection:
        known = connection.scalar(query)
    if known:
        return str(known)
    with suppress(ConflictError), store.engine.begin() as connection:  # another app may just have made it
        connection.execute(insert(secrets).values(name=COOKIE_KEY, value=random_secrets.token_hex(32)))
    with store.engine.connect() as connection:
        return str(connection.scalar(query))


class VisitorSigner:
    """Writes and reads the values of cookies with visitors' ids."""

    def __init__(self, key: str) -> None:
        """`key` is the same in all processes that read the cookies."""
        self._signer = Signer(key, salt="bnlab.visitor")

    def sign(self, visitor: str) -> str:
        """The cookie's value for this visitor."""
        return self._signer.sign(visitor).decode()

    def read(self, value: str) -> str:
        """The visitor of a cookie's value; NO_VISITOR if it was not signed with the key."""
        try:
            return self._signer.unsign(value).decode()
        except BadSignature:
            return NO_VISITOR
