"""What docs/architecture.md, CONTRIBUTING.md and README.md name exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "docs" / "architecture.md", ROOT / "CONTRIBUTING.md", ROOT / "README.md"]
CODE = "\n".join(path.read_text() for path in sorted((ROOT / "bnlab").rglob("*.py")))
FOLDERS = ("bnlab", "tests", "static", "docs", "pages")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_exists(document: Path) -> None:
    named = re.findall(rf"\b(?:{'|'.join(FOLDERS)})/[\w./-]*\w\.\w+", document.read_text())
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_function_and_class_of_the_life_of_a_run_exists() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    section = text.split("## The life of a run")[1].split("\n## ")[0]
    names = {part for name in re.findall(r"`([A-Za-z_][\w.]*)`", section) for part in name.split(".")}
    names -= {"tf", "while_loop", "Plotly", "react", "Client", "submit"}
    assert len(names) > 15
    assert [name for name in sorted(names) if not re.search(rf"\b(?:def|class) {name}\b", CODE)] == []
