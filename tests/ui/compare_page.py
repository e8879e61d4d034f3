"""The Compare page in AppTest, on temporary stores and without worker processes."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.runs.store import Store
from bnlab.specs.comparison import comparison_specs
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from tests.in_process_training import train_in_process

PRESET = PRESETS["notebook"]
TINY = {"epochs": 1, "train_examples": 64}
CURVES = ["training-loss", "training-accuracy", "validation-loss", "validation-accuracy"]


def tiny_specs() -> dict[str, RunSpec]:
    return {label: specs[0] for label, specs in comparison_specs(PRESET.variants, dict(TINY)).items()}


def store_at(folder: Path) -> Store:
    return Store(f"sqlite:///{folder / 'bnlab.db'}")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_at(tmp_path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with the preset's four networks, trained on 64 images."""
    store = store_at(tmp_path_factory.mktemp("trained"))
    for label, spec in tiny_specs().items():
        train_in_process(store, spec, label)
    return store


def buttons(app: AppTest) -> list[str]:
    """The labels of the buttons outside of popovers and expanders."""
    return [
        button.label
        for button in app.button
        if not (button.key or "").startswith(("show-", "add-", "fold-", "more-seeds"))
    ]


def progress_texts(app: AppTest) -> list[str]:
    """The progress of each network, as its card says it."""
    return [bar.proto.text for bar in app.get("progress")]


def charts(app: AppTest) -> dict[str, dict]:
    """The data of each chart, by its key."""
    return {chart["chart"]: chart for chart in (json.loads(c.proto.json) for c in app.get("bidi_component"))}


def traces(app: AppTest, chart: str) -> list[dict]:
    return json.loads(charts(app)[chart]["figure"])["data"]


def variant_lines(app: AppTest, chart: str) -> dict[str, dict]:
    """The lines with a legend entry, by the variant's label; without bands and single seeds."""
    return {trace["name"]: trace for trace in traces(app, chart) if trace.get("showlegend", True)}


def assert_sound(app: AppTest) -> None:
    assert not app.exception
    assert not app.error
    assert not app.warning
