"""Environment variables and presets are documented."""

import re

import pytest

from bnlab.runs.config import Settings
from bnlab.specs.presets import PRESETS
from bnlab.ui.navigation import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SOURCES = [ROOT / "app.py", *sorted((ROOT / "bnlab").rglob("*.py"))]


def environment_variables() -> list[str]:
    """The environment variables that the code names."""
    names = {f"BNLAB_{field.upper()}" for field in Settings.model_fields}
    names |= {name for path in SOURCES for name in re.findall(r"\bBNLAB_[A-Z][A-Z_]*", path.read_text())}
    return sorted(names)


def documentation() -> str:
    return "\n".join(path.read_text() for path in DOCUMENTS)


def test_environment_variables_are_found_in_the_code() -> None:
    assert {"BNLAB_STORE", "BNLAB_SCHEDULER"} <= set(environment_variables())


@pytest.mark.parametrize("name", [*environment_variables(), *PRESETS])
def test_environment_variables_and_presets_are_documented(name: str) -> None:
    assert f"`{name}`" in documentation()
