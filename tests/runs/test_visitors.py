"""Visitors' ids in signed cookies: nobody can make or change one, and all apps on one store agree."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from bnlab.runs.shares import COMMAND_LINE, NO_VISITOR
from bnlab.runs.store import Store
from bnlab.runs.visitors import VisitorSigner, new_visitor, signing_key


def test_a_visitor_is_read_from_what_was_signed() -> None:
    signer, visitor = VisitorSigner("key"), new_visitor()
    assert signer.read(signer.sign(visitor)) == visitor
    assert VisitorSigner("key").read(signer.sign(visitor)) == visitor
    assert len({new_visitor() for _ in range(100)}) == 100


def test_what_was_not_signed_with_the_key_is_nobodys() -> None:
    signer = VisitorSigner("key")
    value = signer.sign("ann")
    changed = value.replace("ann", "ben")
    other = VisitorSigner("another").sign("ann")
    for forged in ("", "ann", COMMAND_LINE, changed, other, value[:-1], value + "a"):
        assert signer.read(forged) == NO_VISITOR


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert VisitorSigner("key").read(text) == NO_VISITOR


def test_all_apps_on_a_store_have_one_key(store: Store) -> None:
    stores = [Store(store.url) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(signing_key, stores))
    assert len(keys) == 1
    assert len(keys.pop()) >= 32
