"""Two visitors on the same runs: each stops for itself, and sees that others want them, not who."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.live.compare import UNWANTED, WANTED, CompareView
from bnlab.live.compare_offer import visitor_name
from bnlab.live.reading import DEFAULT_VERSION, STATES_VERSION, Reader
from bnlab.runs.rights import Rights, others_text
from bnlab.runs.run import Run, RunState
from bnlab.runs.shares import COMMAND_LINE, NO_VISITOR, Shares
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.ui import services
from bnlab.ui import visitor as visitor_module
from bnlab.ui.navigation import page_path
from bnlab.ui.runs.table import CHOSEN
from bnlab.ui.visitor import is_key
from tests.opened_page import OpenPage, open_page
from tests.slow import all_but_one_slow
from tests.stored_runs import OWNER
from tests.ui.compare_page import TINY, assert_sound, component_data, store, tiny_specs
from tests.visitors import become

__all__ = ["open_page", "store"]


def run_in(state: RunState, seed: int) -> Run:
    spec = RunSpec(seed=seed)
    return Run(spec.digest, "A", spec, state, 0, spec.total_steps, 0.0, 0.0, 0.0, 0.0, "", False, "", 0.0)


def has_effect(app: AppTest, key: str) -> bool:
    """Whether the page shows the button as one that has something to do: the others are pale."""
    pale = [html.proto.body for html in app.get("html") if "opacity" in html.proto.body and len(html.proto.body) < 200]
    return not any(f".st-key-{key} button" in body for body in pale)


def texts(app: AppTest) -> list[str]:
    """What the page shows of others until the stream has a newer text."""
    return [data["text"] for data in component_data(app) if data.get("path", "").startswith("others/") and data["text"]]


def followed(app: AppTest) -> dict:
    """What the page was rendered for."""
    return next(data for data in component_data(app) if "tasks" in data)


def stopping(store: Store) -> set[bool]:
    return {run.stop_requested or run.state is RunState.STOPPED for run in store.runs()}


def test_each_visitor_stops_for_itself(open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    become(monkeypatch, "ann")
    ann = open_page(store, **TINY)
    ann.button(key="train").click().run()
    assert_sound(ann)
    assert (has_effect(ann, "train"), has_effect(ann, "stop_all"), texts(ann)) == (False, True, [])

    become(monkeypatch, "ben")
    ben = open_page(store, **TINY)
    assert texts(ben) == ["Also watched by 1"] * 4
    assert (has_effect(ben, "train"), has_effect(ben, "stop_all")) == (True, False), "ben may join, and not stop"
    assert not [key for key in ben.button if str(key.key).startswith("stop-")]
    ben.button(key="train").click().run()
    assert (has_effect(ben, "train"), has_effect(ben, "stop_all")) == (False, True)
    assert not ben.button(key="stop-0").disabled
    assert set(store.shares().values()) == {Shares(frozenset(["ann", "ben"]))}

    become(monkeypatch, "ann")
    ann.run()
    assert texts(ann) == ["Also watched by 1"] * 4
    ann.button(key="stop_all").click().run()
    assert stopping(store) == {False}, "ben still wants them"
    assert (has_effect(ann, "train"), has_effect(ann, "stop_all")) == (True, False)

    become(monkeypatch, "ben")
    ben.run().button(key="stop-1").click().run()
    assert [run.label for run in store.runs() if run.stop_requested] == [list(tiny_specs())[1]]
    ben.button(key="stop_all").click().run()
    assert stopping(store) == {True}
    assert_sound(ben)


def test_a_page_and_its_stream_name_the_same_version_of_each_visitor(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = CompareView.from_url({name: [str(value)] for name, value in TINY.items()} | {"preset": ["notebook"]})
    rendered = {}
    for visitor, presses in (("ann", True), ("ben", True), ("eve", False)):
        become(monkeypatch, visitor)
        app = open_page(store, **TINY)
        if presses:
            app.button(key="train").click().run()
        app.run()
        rendered[visitor] = followed(app)
    document = view.document(Reader(services.start_scheduler, services.claim_service).read(view.digests))
    for visitor, page in rendered.items():
        assert page["name"] == visitor_name(visitor)
        assert page["version"] == document["page"].get(page["name"], document["page"][DEFAULT_VERSION]), visitor
    assert rendered["ann"]["version"] == rendered["ben"]["version"] != rendered["eve"]["version"]
    assert document["others"]["0"] == {WANTED: "Also watched by 1", UNWANTED: "Also watched by 2"}


def test_what_a_teacher_may_stop_has_the_version_of_all_states(store: Store, open_page: OpenPage) -> None:
    open_page(store, **TINY)
    view = CompareView.from_url({name: [str(value)] for name, value in TINY.items()} | {"preset": ["notebook"]})
    reader = Reader(services.start_scheduler, services.claim_service)

    def version() -> object:
        return view.document(reader.read(view.digests))["page"][STATES_VERSION]

    labelled = [(spec, label) for label, spec in tiny_specs().items()]
    store.launch_runs(labelled, OWNER, visitor="ann")
    versions = [version()]
    store.launch_runs(labelled, OWNER, visitor="ben")
    versions.append(version())
    store.request_stop([spec.digest for spec, _ in labelled], "ann")
    versions.append(version())
    assert len(set(versions)) == 3
    assert version() == versions[-1]


def test_runs_offers_to_stop_only_what_would_stop(
    open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Store(f"sqlite:///{tmp_path}/runs.db")
    spec = RunSpec(train_examples=64)
    opened.launch_runs([(spec, "A")], OWNER, visitor="ann")
    become(monkeypatch, "ben")
    app = open_page(opened)
    app.session_state[CHOSEN] = {spec.digest}
    app.switch_page(page_path("runs")).run()
    assert app.button(key="runs-stop").disabled
    opened.launch_runs([(spec, "A")], OWNER, visitor="ben")
    app.run()
    app.button(key="runs-stop").click().run()
    assert not app.exception
    assert stopping(opened) == {False}
    become(monkeypatch, "ann")
    app.run().button(key="runs-stop").click().run()
    assert stopping(opened) == {True}


def test_the_teachers_key_is_tried_by_one_visitor_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNLAB_TEACHER_KEY", "the key")
    monkeypatch.setattr(visitor_module, "SECONDS_PER_KEY", 0.05)
    began = time.monotonic()
    with ThreadPoolExecutor(4) as visitors:
        assert list(visitors.map(is_key, ["a guess", "", "the key", "the kéy"])) == [False, False, True, False]
    assert time.monotonic() - began >= 4 * 0.05


@pytest.mark.parametrize("launched_by", all_but_one_slow([NO_VISITOR, COMMAND_LINE], fast=COMMAND_LINE))
def test_runs_of_no_visitor_are_stopped_by_anybody(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch, launched_by: str
) -> None:
    store.launch_runs([(spec, label) for label, spec in tiny_specs().items()], OWNER, visitor=launched_by)
    become(monkeypatch, "ann")
    app = open_page(store, **TINY)
    assert texts(app) == []
    app.button(key="stop_all").click().run()
    assert stopping(store) == {True}


def test_a_cookie_that_was_not_signed_is_nobody(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(monkeypatch, "ann")
    monkeypatch.setenv("BNLAB_SECRET", "another key")
    app = open_page(store, **TINY)
    app.button(key="train").click().run()
    assert_sound(app)
    assert len(store.runs()) == 4
    assert store.shares() == {}


def test_others_are_counted_once_over_all_seeds() -> None:
    waiting = [run_in(RunState.QUEUED, seed) for seed in range(3)]
    ended = run_in(RunState.COMPLETED, 3)
    shares = {run.digest: Shares(frozenset(["me", "ann", f"visitor {run.spec.seed}"])) for run in [*waiting, ended]}
    rights = Rights("me", shares)
    assert rights.others(waiting[:1]) == 2
    assert rights.others([*waiting, ended]) == 4
    assert [others_text(number) for number in (0, 4)] == ["", "Also watched by 4"]
