"""Environment variables and presets are documented, and what the documents name or show is in the code."""

import re
from dataclasses import replace

import pytest

from bnlab.claims import measures, model
from bnlab.claims.verdicts import Verdict
from bnlab.runs.config import Settings
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
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


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_named_files_exist(document: str) -> None:
    named = set(re.findall(r"`((?:bnlab|tests|docs|static|pages|benchmarks)/[\w./]+)`", (ROOT / document).read_text()))
    assert named
    missing = [path for path in named if not any((folder / path).exists() for folder in (ROOT, ROOT / "bnlab" / "ui"))]
    assert missing == []


def test_the_documents_example_of_a_claim_can_be_planned_and_answered() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    claim_code, answer_code = re.findall(r"```python\n((?:Claim\(|answer = ).*?)```", text, re.DOTALL)
    names = {**vars(model), **vars(measures), "RunSpec": RunSpec, "Verdict": Verdict}
    claim = eval(claim_code, names)
    exec(answer_code, names)
    answered = replace(claim, answer=names["answer"][0])
    experiment = model.plan_experiment(answered)
    rates = [experiment.specs(condition.treatment, 7)[0].learning_rate for condition in claim.conditions]
    assert rates == [0.5, 1.0]
    assert answered.answer is not None
    assert {number.condition for number in answered.answer.numbers} <= {condition.id for condition in claim.conditions}
