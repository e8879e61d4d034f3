"""Folding on the Compare page in AppTest; tasks of workers run in this process or not at all."""

import json
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from bnlab.charts.formatting import escape_markdown
from bnlab.model.folding import FoldError
from bnlab.runs.run import RunState
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.storage import delete_checkpoints
from bnlab.runs.store import Store
from bnlab.runs.tasks import TaskError
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import parse_spec
from bnlab.ui.compare.folding import SHARED
from bnlab.ui.components import PERCENT
from bnlab.ui.downloads import downloads
from tests.asgi import get
from tests.download_links import download_links
from tests.in_process_training import train_in_process
from tests.one_thread import one_thread  # noqa: F401
from tests.opened_page import OpenPage, open_page
from tests.stored_runs import make_evaluation, record_run

__all__ = ["open_page"]

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow's

SPEC = RunSpec(placement="before_activation", hidden_units=(16,), epochs=1, train_examples=64)
QUERY = {"v": "Small~colour~0~placement~before_activation~hidden_units~16", "epochs": 1, "train_examples": 64}
PLAIN = {"v": "Plain~colour~0~hidden_units~16", "epochs": 1, "train_examples": 64}


ONLY_INPUT = QUERY | {"v": "Conv~colour~0~hidden_units~16", "architecture": "conv", "input_normalization": "true"}


def store_at(folder: Path) -> Store:
    return Store(f"sqlite:///{folder / 'bnlab.db'}")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_at(tmp_path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with one network, trained on 64 images."""
    store = store_at(tmp_path_factory.mktemp("folding"))
    train_in_process(store, SPEC, "Small")
    return store


def submit_now(_scheduler: Scheduler, function: Callable[..., Any], *arguments: object) -> "Future[Any]":
    """`Scheduler.submit` that runs the task at once, in this process."""
    future: Future[Any] = Future()
    try:
        future.set_result(function(*arguments))
    except FoldError as cause:
        error = TaskError(f"It failed with FoldError: {cause}")
        error.__cause__ = cause
        future.set_exception(error)
    return future


def folding(app: AppTest) -> Any:
    """The expander with the fold."""
    (expander,) = [e for e in app.expander if e.label.startswith("Merge BN into neighboring layers")]
    return expander


def infos(app: AppTest) -> list[str]:
    return [info.value for info in folding(app).info]


def test_a_trained_network_is_folded_and_measured(
    open_page: OpenPage, trained: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scheduler, "submit", submit_now)
    app = open_page(trained, **QUERY)
    assert app.selectbox(key="fold-run").options == ["Small"]
    app.button(key="fold-start").click().run()
    assert not app.exception
    assert not app.error
    measured, ledger = (table.value for table in folding(app).dataframe)
    assert measured["network"].tolist() == ["As trained", "Folded"]
    assert measured["params"].tolist() == [784 * 16 + 16 + 64 + 170, 784 * 16 + 16 + 170]
    assert measured["layers"].tolist() == [4, 3]
    assert measured["val_accuracy"].diff().abs().max() < 0.1
    assert measured["val_accuracy"].between(5, 100).all(), "in percent"
    columns = json.loads(folding(app).dataframe[0].proto.columns)
    assert columns["val_accuracy"]["type_config"]["format"] == PERCENT
    assert measured[["latency_1", "latency_256"]].gt(0).all(axis=None)
    assert ledger["layer"].tolist() == ["dense_1", "bn_1", "output", "total"]
    (finding,) = [text.value for text in folding(app).markdown]
    assert "Over 10,000 validation images" in finding
    assert finding.endswith("as rounding to 32-bit numbers leaves them.")
    (link,) = [link for link in download_links(app) if link.name.startswith("folded-")]
    assert link.label.startswith("Download the folded network")
    app.run()
    assert link in download_links(app), "the address lasts"
    answer = get(Starlette(routes=[downloads().route()]), link.url)
    assert (answer.status, answer.body[:2]) == (200, b"PK")


@pytest.mark.parametrize("owners", [set(), {"another"}])
def test_times_measured_beside_runs_are_labelled(
    owners: set[str], open_page: OpenPage, trained: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scheduler, "submit", submit_now)
    monkeypatch.setattr(Store, "leaseholders", lambda _store: owners)
    app = open_page(trained, **QUERY)
    app.button(key="fold-start").click().run()
    assert not app.exception
    assert (SHARED in [text.value for text in folding(app).caption]) is bool(owners)


CONV = {
    "v": "Conv~colour~0~architecture~conv~input_normalization~true~placement~before_activation~hidden_units~4",
    "epochs": 1, "train_examples": 64,
}  # fmt: skip


@pytest.mark.slow
def test_layers_that_stay_are_named_before_the_button_is_pressed(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = RunSpec(
        architecture="conv", input_normalization=True, placement="before_activation", hidden_units=(4,), epochs=1,
        train_examples=64,
    )  # fmt: skip
    train_in_process(store, spec, "Conv")
    monkeypatch.setattr(Scheduler, "submit", submit_now)
    app = open_page(store, **CONV)
    (caption,) = [text.value for text in folding(app).caption if "stays" in text.value]
    assert "stands before conv" in caption
    app.button(key="fold-start").click().run()
    assert not app.exception
    assert not app.error
    ledger = folding(app).dataframe[1].value.set_index("layer")
    assert ledger.loc["bn_input", "after"] == 4
    assert ledger["after"].isna()["bn_1"]


def test_networks_that_cannot_be_folded_are_named_with_the_reason(open_page: OpenPage, store: Store) -> None:
    changes: dict[str, dict[str, Any]] = {
        "BN": {}, "*LN*": {"normalizer": "layer_normalization"}, "Plain": {"placement": "none"},
        "RMS": {"normalizer": "rms_normalization"},
    }  # fmt: skip
    for fields in changes.values():
        spec = SPEC.model_copy(update=fields)
        record_run(store, spec, (2.0, 1.0), (make_evaluation(0), make_evaluation(2)), RunState.COMPLETED)
    common = {"placement": "before_activation", "hidden_units": "16"}
    variants = [
        "~".join([label, "colour", str(index), *(f"{name}~{value}" for name, value in (common | fields).items())])
        for index, (label, fields) in enumerate(changes.items())
    ]
    app = open_page(store, **QUERY | {"v": variants})
    assert not app.exception
    assert app.selectbox(key="fold-run").options == ["BN"]
    named = [text.value for text in folding(app).caption if "material/block" in text.value]
    assert len(named) == 3
    for text, parts in zip(named, (("*LN*", "Layer norm"), ("Plain", "no norm"), ("RMS", "RMS norm")), strict=True):
        assert all(escape_markdown(part) in text for part in parts)


def test_of_several_seeds_those_without_weights_are_named(open_page: OpenPage, store: Store) -> None:
    runs = [
        record_run(store, SPEC.model_copy(update={"seed": seed}), (2.0, 1.0), (make_evaluation(0),), state)
        for seed, state in enumerate((RunState.COMPLETED, RunState.DIVERGED, RunState.COMPLETED))
    ]
    delete_checkpoints(store, [runs[-1].digest])
    app = open_page(store, **QUERY, seeds=3)
    assert not app.exception
    assert app.selectbox(key="fold-run").options == ["Small, seed 0"]
    captions = [text.value for text in folding(app).caption if "material/block" in text.value]
    assert [("seed 1" in text, "seed 2" in text) for text in captions] == [(True, False), (False, True)]
    assert "diverged" in captions[0]
    assert "no longer kept" in captions[1]


def test_while_a_worker_folds_the_page_says_so(open_page: OpenPage, trained: Store) -> None:
    app = open_page(trained, **QUERY)
    app.button(key="fold-start").click().run()
    assert not app.exception
    assert infos(app) == ["A worker folds the network and measures both; this takes some seconds."]


def test_what_cannot_be_folded_is_one_sentence_and_can_be_tried_again(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scheduler, "submit", submit_now)
    record_run(store, SPEC, (2.0, 1.0), (make_evaluation(0), make_evaluation(2)), RunState.COMPLETED)
    monkeypatch.setattr("bnlab.ui.compare.folding.fold_run", refuse)
    app = open_page(store, **QUERY)
    app.button(key="fold-start").click().run()
    assert not app.exception
    assert [error.value for error in folding(app).error] == ["The run has no weights."]
    app.button(key="fold-task-again").click().run()
    assert app.button(key="fold-start").label == "Fold and measure"


def refuse(*_: object) -> None:
    raise FoldError("The run has no weights.")


@pytest.mark.slow
def test_of_several_seeds_one_is_chosen_and_a_result_belongs_to_its_run(
    open_page: OpenPage, trained: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scheduler, "submit", submit_now)
    second = SPEC.model_copy(update={"seed": 1})
    record_run(trained, second, (2.0, 1.0), (make_evaluation(0), make_evaluation(2)), RunState.COMPLETED)
    app = open_page(trained, **QUERY, seeds=2)
    choice = app.selectbox(key="fold-run")
    assert choice.options == ["Small, seed 0", "Small, seed 1"]
    app.button(key="fold-start").click().run()
    assert len(folding(app).dataframe) == 2
    app.selectbox(key="fold-run").set_value(second.digest).run()
    assert not app.exception
    assert not folding(app).dataframe
    assert app.button(key="fold-start")


@pytest.mark.parametrize(
    ("query", "state", "origin", "why"),
    [
        (PLAIN, RunState.COMPLETED, "", "There is no normalization"),
        (QUERY | {"normalizer": "layer_normalization"}, RunState.COMPLETED, "", "Layer normalization cannot be folded"),
        (ONLY_INPUT, RunState.COMPLETED, "", escape_markdown("bn_input stays: it stands before conv_1, which pads")),
        (QUERY, RunState.RUNNING, "", "A network can be folded when its training is over."),
        (QUERY, RunState.COMPLETED, "yesterday", "The recorded networks came without their weights: press Train"),
    ],
)
def test_where_nothing_can_be_folded_the_page_says_why(
    query: dict[str, object], state: RunState, origin: str, why: str, open_page: OpenPage, store: Store
) -> None:
    changes: dict[str, Any] = {"placement": "none"} if query in (PLAIN, ONLY_INPUT) else {}
    changes |= {k: v for k, v in query.items() if k in RunSpec.model_fields}
    spec = parse_spec({**SPEC.model_dump(), **changes})
    record_run(store, spec, (2.0, 1.0), (make_evaluation(0), make_evaluation(2)), state)
    if origin:
        from sqlalchemy import insert

        from bnlab.runs.schema import recordings

        with store.engine.begin() as connection:
            connection.execute(insert(recordings), [{"run": spec.digest, "origin": origin}])
    app = open_page(store, **query)
    assert not app.exception
    (info,) = infos(app)
    assert info.startswith(why)
    assert not [button for button in app.button if (button.key or "").startswith("fold")]
