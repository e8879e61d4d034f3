"""The docket of trials that somebody waits for."""

from pathlib import Path

from bnlab.runs.docket import enter, entered, strike
from bnlab.runs.store import Store


def test_the_latest_comes_first_and_what_is_struck_is_gone(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'bnlab.db'}")
    assert entered(store) == []
    for name in ("A1 quick 0:5", "A2 quick 0:5", "A1 quick 0:5"):
        enter(store, [name])
    enter(store, [])
    assert entered(store) == ["A1 quick 0:5", "A2 quick 0:5"]
    strike(store, "A1 quick 0:5")
    strike(store, "never entered")
    assert entered(Store(store.url)) == ["A2 quick 0:5"]
