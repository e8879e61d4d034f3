"""All pages while one of the runs that they show is not readable, or one of the measurements is damaged."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import plan_experiment
from bnlab.claims.results import needed_measurements, trained_specs
from bnlab.live.views import VIEWS
from bnlab.runs.diagnostics import PROFILE_COLUMNS, depth_profile
from bnlab.runs.errors import DAMAGED
from bnlab.runs.experiment_queue import enqueue
from bnlab.runs.measurements import write_measurement
from bnlab.runs.run import RunState
from bnlab.runs.schema import measurements
from bnlab.runs.store import Store
from bnlab.ui import launching
from bnlab.ui.layers.depth_profile import STEPS
from bnlab.ui.live import FOLLOWED
from bnlab.ui.navigation import PAGES, page_path
from tests.claims.test_runner import CLAIM as MEASURED_CLAIM
from tests.live.still_scheduler import reader_of
from tests.opened_page import OpenPage, open_page
from tests.runs.unreadable_runs import CHANGES, make_unreadable
from tests.slow import all_slow_but
from tests.stored_runs import OWNER, make_evaluation, record_run
from tests.ui.compare_page import tiny_specs

__all__ = ["open_page"]

UNREADABLE, TRAINED, WAITING, *_ = tiny_specs().values()
EXPERIMENT = plan_experiment(CLAIMS["A1"])
XRAY_COLUMNS = ("step", "depth", "layer", *PROFILE_COLUMNS)
PAGE_NAMES = [page.name for page in PAGES]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    record_run(store, TRAINED, (2.0, 1.0), (make_evaluation(0), make_evaluation(2)), RunState.COMPLETED)
    store.launch(WAITING, "waiting", OWNER)
    return store


def open_at(open_page: OpenPage, store: Store, page: str) -> AppTest:
    app = open_page(store, epochs=1, train_examples=64)
    return app if page == "compare" else app.switch_page(page_path(page)).run()


@pytest.mark.parametrize(
    ("page", "kind"),
    all_slow_but([(page, "a field") for page in PAGE_NAMES], [(page, kind) for page in PAGE_NAMES for kind in CHANGES]),
)
def test_every_page_and_its_stream_work(page: str, kind: str, open_page: OpenPage, store: Store) -> None:
    make_unreadable(store, UNREADABLE, "newer", kind)
    make_unreadable(store, trained_specs(EXPERIMENT)[0], "newer claim", kind)
    enqueue(store, [EXPERIMENT.name])
    app = open_at(open_page, store, page)
    if page == "claims":
        app.button(key="toggle-A1").click().run()
    assert not app.exception
    assert bool(app.error) == (page == "claims"), "only the experiment cannot go on"
    view = VIEWS["store" if page == "how_it_works" else page](dict(app.query_params))
    assert view.document(reader_of(store).read(view.digests or (), every_run=view.digests is None))


def test_train_says_which_run_is_not_readable(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "is_large", lambda *_: False)
    make_unreadable(store, UNREADABLE, "newer", "a field")
    app = open_at(open_page, store, "compare")
    app.button(key="train").click().run()
    assert not app.exception
    (error,) = app.error
    assert "“newer” was written by another version" in error.value


@pytest.mark.parametrize("page", ["claims", "layers"])
def test_a_damaged_measurement_is_said(
    page: str, open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = replace(MEASURED_CLAIM, id="A2")
    experiment = plan_experiment(claim)
    monkeypatch.setitem(CLAIMS, "A2", claim)
    for spec in trained_specs(experiment):
        record_run(store, spec, (1.0, 1.0), (make_evaluation(2),), RunState.COMPLETED)
    enqueue(store, [experiment.name])
    profile = pd.DataFrame([(0, 1, "dense_1", *[0.5] * len(PROFILE_COLUMNS))], columns=[*XRAY_COLUMNS])
    profiles = [depth_profile(spec, step) for spec in tiny_specs().values() for step in STEPS]
    for measurement in (*needed_measurements(experiment), *profiles):
        write_measurement(store, measurement, profile)
    with store.engine.begin() as connection:
        connection.execute(update(measurements).values(result=b"PAR1"))
    query = {"epochs": 1, "train_examples": 64, "layers-view": "xray", "layers-measure": "true"}
    app = open_page(store, **query).switch_page(page_path(page)).run()
    assert not app.exception
    assert [error.value for error in app.error] == [DAMAGED]
    assert FOLLOWED not in app.session_state, "or the page would be drawn again and again"
