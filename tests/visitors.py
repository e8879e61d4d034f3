"""Pages as a certain visitor sees them in AppTest, which has no cookies of its own."""

import pytest
import streamlit as st

from bnlab.live.visitors import COOKIE
from bnlab.runs.visitors import VisitorSigner

SECRET = "a key for tests"


def become(monkeypatch: pytest.MonkeyPatch, visitor: str) -> None:
    """Send this visitor's cookie with everything that the test does from now on."""
    monkeypatch.setenv("BNLAB_SECRET", SECRET)
    monkeypatch.setattr(type(st.context), "cookies", {COOKIE: VisitorSigner(SECRET).sign(visitor)})
