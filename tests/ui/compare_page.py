"""The Compare page in AppTest, on temporary stores and without worker processes."""

import json
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.live.events import encode
from bnlab.live.reading import Reader
from bnlab.live.views import VIEWS
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.comparison import comparison_specs
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.ui import services
from tests.stored_runs import make_evaluation, record_run

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
    """A store with the preset's four networks, trained on 64 images, as a worker writes them."""
    store = store_at(tmp_path_factory.mktemp("trained"))
    for label, spec in tiny_specs().items():
        record_run(store, spec, (2.0, 1.0), (make_evaluation(0), make_evaluation(2)), RunState.COMPLETED)
        store.rename(spec.digest, label)
    return store


def buttons(app: AppTest) -> list[str]:
    """The labels, as they are shown, of the buttons outside of popovers, expanders and the settings."""
    return [
        shown_label(button.label)
        for button in app.button
        if not (button.key or "").startswith(("show-", "add-", "fold-", "more-seeds", "open-settings", "done"))
    ]


def document(app: AppTest) -> dict:
    """What the page's event stream brings it first, as the browser reads it."""
    (url,) = [data["url"] for data in component_data(app) if "url" in data]
    page, _, query = url.removeprefix("/live/").partition("?")
    view = VIEWS[page](parse_qs(query))
    return encode(view.document(Reader(services.start_scheduler, services.claim_service).read(view.digests)))


def progress_texts(app: AppTest) -> list[str]:
    """The progress of each network, as its card says it."""
    progress, paths = document(app)["progress"], [data.get("path", "") for data in component_data(app)]
    return [progress[path.removeprefix("progress/")]["text"] for path in paths if path.startswith("progress/")]


def charts(app: AppTest) -> dict[str, dict]:
    """The data of each chart, by its key: what the component and what the stream brings."""
    streamed = document(app).get("charts", {})
    placed = [data for data in component_data(app) if "chart" in data]
    return {data["chart"]: data | streamed[data["source"].removeprefix("charts/")] for data in placed}


def traces(app: AppTest, chart: str) -> list[dict]:
    drawn = charts(app)[chart]
    return [drawn["traces"][uid] for uid in drawn["order"]]


def variant_lines(app: AppTest, chart: str) -> dict[str, dict]:
    """The lines with a legend entry, by the variant's label; without bands and single seeds."""
    return {trace["name"]: trace for trace in traces(app, chart) if trace.get("showlegend", True)}


def summary(app: AppTest) -> str:
    """The line of text about all runs, as the page was drawn; the stream brings the same."""
    (data,) = [data for data in component_data(app) if data.get("path") == "summary"]
    assert data["text"] == document(app)["summary"]
    return str(data["text"])


def shown_label(label: str) -> str:
    """The label of a button without what only screen readers are told."""
    return label.partition(" :gray[")[0]


def component_data(app: AppTest) -> list[dict]:
    """What the page gave to each of its components."""
    return [json.loads(component.proto.json) for component in app.get("bidi_component")]


def assert_sound(app: AppTest) -> None:
    found = {kind: [element.value for element in app.get(kind)] for kind in ("exception", "error", "warning")}
    assert found == {"exception": [], "error": [], "warning": []}
