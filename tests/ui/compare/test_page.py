"""The Compare page in AppTest, on temporary stores and without worker processes."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from starlette.applications import Starlette

from bnlab.charts.formatting import escape_html
from bnlab.charts.results_table import MISSING
from bnlab.runs import scheduler as scheduler_module
from bnlab.runs.latencies import write_latencies
from bnlab.runs.recording import read_shipped_recordings
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.runs.summary import SHARED_TEXTS
from bnlab.specs.network import describe_network, prediction_key
from bnlab.specs.run_spec import RunSpec
from bnlab.ui import services
from bnlab.ui.navigation import ROOT
from bnlab.ui.server import routes
from tests.asgi import get
from tests.download_links import download_links
from tests.opened_page import OpenPage, open_page
from tests.stored_runs import make_evaluation, record_run
from tests.ui.compare_page import (
    CURVES,
    PRESET,
    TINY,
    assert_sound,
    buttons,
    charts,
    document,
    progress_texts,
    store,
    summary,
    tiny_specs,
    trained,
    variant_lines,
)

__all__ = ["open_page", "store", "trained"]

TOOLBAR = ["Train", "Stop all"]
# Without workers, which would compete with the other tests.
IMPORTED = """
import sys
from streamlit.testing.v1 import AppTest
from bnlab.runs import cluster, scheduler
def connect(*_):
    raise cluster.ClusterError("There is no cluster.")
scheduler.connect = connect
app = AppTest.from_file("bnlab/ui/main.py").run(timeout=60)
assert not app.exception and app.button
print([name for name in ("tensorflow", "keras") if name in sys.modules])
"""


def test_at_first_sight_there_are_recorded_curves_and_a_button_to_train_them(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "read_shipped_recordings", read_shipped_recordings)
    # The played client takes no tasks.
    monkeypatch.setattr(scheduler_module.Scheduler, "measure_latencies", lambda *_: False)
    app = open_page(store, preset="notebook")
    assert_sound(app)
    assert buttons(app) == [*TOOLBAR, *["Edit"] * 4]
    assert not any(app.button(key=key).disabled for key in ("train", "stop_all"))
    assert all(text.startswith("Recorded: ") for text in progress_texts(app))
    assert summary(app).startswith("Recorded, not trained here")
    assert set(charts(app)) == set(CURVES)
    assert next(iter(charts(app))).startswith("validation"), "the validation curves come first"
    for name in CURVES:
        assert set(variant_lines(app, name)) == {variant.label for variant in PRESET.variants}
    accuracies = [float(row["val_accuracy"].removesuffix(" %")) for row in document(app)["results"].values()]
    assert len(accuracies) == 4
    assert all(91 < accuracy < 99 for accuracy in accuracies), "in percent"
    assert all(run.recorded for run in store.runs()), "a visit trains nothing"
    app.button(key="train").click().run()
    assert_sound(app)
    places = [f"Number {number} in the queue" for number in range(2, 5)]
    assert progress_texts(app) == ["Waiting for a worker", *places]


def test_without_runs_there_are_four_networks_and_an_invitation(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, preset="notebook")
    assert_sound(app)
    labels = [text.value for text in app.markdown]
    for variant in PRESET.variants:
        assert sum(f"**{escape_html(variant.label)}**" in label for label in labels) == 1
    assert progress_texts(app) == ["Not trained yet"] * 4
    assert all(chart["alt"].endswith(": nothing trained yet.") for chart in charts(app).values())
    assert not store.runs()
    app.button(key="train").click().run()
    assert_sound(app)
    assert all(chart["alt"].endswith(": waiting for the first steps.") for chart in charts(app).values())


@pytest.mark.slow
def test_a_page_does_not_import_tensorflow(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "BNLAB_STORE": f"sqlite:///{tmp_path}/bnlab.db"}
    command = [sys.executable, "-c", IMPORTED]
    answer = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "url", ["nonsense", "", "sqlite://", "sqlite:////proc/nowhere/bnlab.db", "oracle://db", "mysql+nodriver://db/x"]
)
def test_a_store_that_cannot_be_opened_is_one_sentence(
    url: str, open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not url:  # a folder where the default store's file should be
        (tmp_path / "bnlab.db").mkdir()
        monkeypatch.setattr("bnlab.runs.config.user_data_path", lambda _: tmp_path)
    app = open_page(url)
    assert not app.exception
    (error,) = app.error
    assert "BNLAB_STORE" in error.value
    assert "Traceback" not in error.value
    assert error.value.endswith(".")
    assert "\n" not in error.value
    assert not app.button, "nothing can be trained without a store"


def test_train_launches_what_the_address_says_once_for_everybody(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, **TINY)
    app.button(key="train").click().run()
    assert_sound(app)
    runs = store.runs()
    assert {run.label: run.spec for run in runs} == tiny_specs()
    assert buttons(app) == ["Training", "Stop all", *["Stop", "Edit"] * 4]
    assert progress_texts(app) == ["Waiting for a worker", *(f"Number {number} in the queue" for number in (2, 3, 4))]

    other = open_page(store, **TINY)
    assert progress_texts(other) == progress_texts(app)
    assert buttons(other) == buttons(app)


def test_the_table_can_be_downloaded_however_often_the_page_is_drawn_meanwhile(
    open_page: OpenPage, trained: Store
) -> None:
    app = open_page(trained, **TINY)
    (link,) = download_links(app)
    app.run()
    assert download_links(app) == [link]
    answer = get(Starlette(routes=routes()), link.url)
    assert pd.read_csv(io.BytesIO(answer.body))["label"].tolist() == list(tiny_specs())


def test_finished_runs_are_curves_and_a_table(open_page: OpenPage, trained: Store) -> None:
    app = open_page(trained, **TINY)
    assert_sound(app)
    assert buttons(app) == ["Trained", "Stop all", *["Edit"] * 4]
    assert all(text.startswith("Done: ") for text in progress_texts(app))
    for name in CURVES:
        assert list(variant_lines(app, name)) == list(tiny_specs())
        assert all(label in charts(app)[name]["alt"] for label in tiny_specs())

    rows = list(document(app)["results"].values())
    assert [row["label"] for row in rows] == list(tiny_specs())
    networks = [describe_network(spec) for spec in tiny_specs().values()]
    assert [row["params"] for row in rows] == [f"{network.params:,}" for network in networks]
    assert [row["trainable"] for row in rows] == [f"{network.trainable:,}" for network in networks]
    for name in ("val_loss", "val_accuracy", "seconds_per_epoch"):
        assert all(row[name] != MISSING for row in rows)
    assert {row["shared"] for row in rows} == {SHARED_TEXTS[False]}


def test_the_page_asks_for_the_latencies_of_what_it_shows(
    open_page: OpenPage, trained: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[RunSpec]] = []
    monkeypatch.setattr(
        scheduler_module.Scheduler, "measure_latencies", lambda _self, specs: asked.append(set(specs)) or True
    )
    open_page(trained, **TINY)
    assert asked == [set(tiny_specs().values())]


def test_latencies_are_shown_once_they_are_measured(open_page: OpenPage, trained: Store) -> None:
    def shown() -> set[tuple[str, str]]:
        return {(row["latency_1"], row["latency_256"]) for row in document(app)["results"].values()}

    app = open_page(trained, **TINY)
    assert shown() == {(MISSING, MISSING)}
    networks = {prediction_key(spec) for spec in tiny_specs().values()}
    write_latencies(trained, {network: {1: 0.002, 256: 0.02} for network in networks})
    assert shown() == {("2.000", "20.000")}


def test_the_view_is_in_the_address_and_changes_the_curves(open_page: OpenPage, trained: Store) -> None:
    app = open_page(trained, **TINY, x="step", baseline="Baseline", differences="true")
    assert_sound(app)
    layout = charts(app)["validation-loss"]["layout"]
    assert layout["title"] == {"text": "Validation loss", "subtitle": {"text": "minus Baseline’s"}}
    assert layout["xaxis"]["title"]["text"] == "step"
    differences = [row["difference"] for row in document(app)["results"].values()]
    assert [difference == MISSING for difference in differences] == [True, False, False, False]
    app.segmented_control(key="view-x").set_value("seconds").run()
    assert_sound(app)
    assert app.query_params["x"] == "seconds"


def test_two_variants_that_are_the_same_network_share_their_runs(open_page: OpenPage, trained: Store) -> None:
    app = open_page(trained, **TINY)
    app.button(key="edit-0").click().run()
    app.button(key="duplicate").click().run()
    assert_sound(app)
    assert summary(app).startswith("All trained.")


def test_a_projector_shows_one_chart_after_the_other(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, preset="notebook")
    assert set(charts(app)) == set(CURVES)
    app.toggle(key="projector").set_value(True).run()
    shown: list[str] = []
    for _ in CURVES:
        shown += charts(app)
        app.button(key="next-chart").click().run()
        assert_sound(app)
    assert sorted(shown) == sorted(CURVES)
    assert list(charts(app)) == shown[:1] == ["validation-accuracy"]
    app.button_group(key="view-chart").set_value("training-loss").run()
    assert list(charts(app)) == ["training-loss"]
    assert app.query_params["chart"] == "training-loss"
    app.toggle(key="projector").set_value(False).run()
    assert set(charts(app)) == set(CURVES)


@pytest.mark.parametrize("losses", [(float("nan"),), (1.0, float("inf"))])
def test_a_run_that_diverged_beside_one_that_did_not(
    losses: tuple[float, ...], open_page: OpenPage, store: Store
) -> None:
    first, second = list(tiny_specs().values())[:2]
    overflowed = make_evaluation(1, val_loss=float("nan"), val_accuracy=0.1, snapshots=())
    record_run(store, first, losses, (make_evaluation(0), overflowed), RunState.DIVERGED)
    record_run(store, second, (2.0, 1.0), (make_evaluation(0), make_evaluation(2)), RunState.COMPLETED)
    app = open_page(store, **TINY)
    assert_sound(app)
    assert list(variant_lines(app, "training-loss")) == list(tiny_specs())
    rows = list(document(app)["results"].values())
    assert [row["label"] for row in rows] == list(tiny_specs())[:2]
    assert [row["diverged"] for row in rows] == ["1", "0"]
    assert rows[0]["diverged_step"] == str(len(losses))
    assert rows[0]["val_loss"] == "–"


def test_a_scheduler_that_does_not_answer_is_one_warning(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise scheduler_module.ClusterError("No Dask scheduler answers.")

    monkeypatch.setattr(scheduler_module, "connect", refuse)
    app = open_page(store, **TINY)
    while not app.warning:
        app.run()
    assert not app.exception
    assert [warning.value for warning in app.warning] == ["No Dask scheduler answers."]
    app.button(key="train").click().run()
    assert progress_texts(app)[0].startswith("Waiting"), "it waits until the scheduler is back"
    assert all(text.startswith("Number") for text in progress_texts(app)[1:])


@pytest.mark.parametrize("query", [{"epochs": 0}, {"epochs": "many"}, {"x": "time"}, {"preset": "no"}, {"lock": "it"}])
def test_an_address_with_nonsense_in_it_says_so_and_shows_the_preset(
    query: dict, open_page: OpenPage, store: Store
) -> None:
    app = open_page(store, **query)
    assert not app.exception
    (warning,) = app.warning
    assert warning.value.startswith("In this page's address: ")
    assert next(iter(query)) in warning.value.lower()
    variants = 4 if {"epochs", "preset"} & set(query) else 3  # what names no comparison leaves the default
    assert progress_texts(app) == ["Not trained yet"] * variants
