"""The Compare page, run by Streamlit's AppTest on stores of the tests' own; no worker process is started."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.runs import lab as lab_module
from bnlab.runs.recordings import read_recording
from bnlab.runs.states import RunState
from bnlab.runs.store import Store
from bnlab.spec.comparison import comparison_specs
from bnlab.spec.network import describe_network
from bnlab.spec.presets import PRESETS
from bnlab.spec.run_spec import RunSpec
from bnlab.ui import services
from bnlab.ui.navigation import ROOT
from bnlab.ui.words import plain_html
from tests.one_thread import one_thread  # noqa: F401
from tests.opened_page import OpenPage, open_page
from tests.recording import OWNER, moment, open_journal, record

__all__ = ["open_page"]

PRESET = next(iter(PRESETS.values()))
TINY = {"epochs": 1, "train_examples": 64}
CURVES = ["Training loss", "Training accuracy", "Validation loss", "Validation accuracy"]
LEVERS = ["Train", "Stop all"]
# Without workers, which would compete with the other tests.
IMPORTED = """
import sys
from streamlit.testing.v1 import AppTest
from bnlab.runs import lab
def connect(*_):
    raise lab.ClusterError("Nobody is there.")
lab.connect = connect
app = AppTest.from_file("app.py").run(timeout=30)
assert not app.exception and app.button
print([name for name in ("tensorflow", "keras") if name in sys.modules])
"""


def tiny_specs() -> dict[str, RunSpec]:
    return {label: specs[0] for label, specs in comparison_specs(PRESET.variants, dict(TINY)).items()}


def store_at(folder: Path) -> Store:
    return Store(f"sqlite:///{folder / 'bnlab.db'}")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_at(tmp_path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store in which the preset's four networks were trained on 64 images."""
    from bnlab.runs.work import train_slice

    store = store_at(tmp_path_factory.mktemp("trained"))
    for label, spec in tiny_specs().items():
        store.launch(spec, label, OWNER)
        while not store.run(spec.digest).state.is_finished():
            fence = store.next_fence(spec.digest, OWNER)
            assert fence is not None
            train_slice(store.url, spec.digest, fence)
    return store


def buttons(app: AppTest) -> list[str]:
    """All that are not in a popover or an expander."""
    return [button.label for button in app.button if not (button.key or "").startswith(("show-", "add-", "fold-"))]


def words(app: AppTest) -> list[str]:
    """What each network's row says of its progress."""
    return [bar.proto.text for bar in app.get("progress")]


def charts(app: AppTest) -> dict[str, dict]:
    """What was sent to the browser for each chart."""
    return {chart["chart"]: chart for chart in (json.loads(c.proto.json) for c in app.get("bidi_component"))}


def traces(app: AppTest, chart: str) -> list[dict]:
    return json.loads(charts(app)[chart]["figure"])["data"]


def lines(app: AppTest, chart: str) -> dict[str, dict]:
    """The variants' own lines, without what stands behind them."""
    return {trace["name"]: trace for trace in traces(app, chart) if trace.get("showlegend", True)}


def assert_sound(app: AppTest) -> None:
    assert not app.exception
    assert not app.error
    assert not app.warning


def test_at_first_sight_there_are_recorded_curves_and_a_button_to_train_them(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "read_recording", read_recording)
    app = open_page(store)
    assert_sound(app)
    assert buttons(app) == [*LEVERS, *["Edit"] * 4]
    assert not app.button(key="train").disabled
    assert app.button(key="stop_all").disabled
    assert all(text.startswith("Recorded: ") for text in words(app))
    assert any("Recorded, not trained here" in caption.value for caption in app.caption)
    assert list(charts(app)) == CURVES
    for name in CURVES:
        assert set(lines(app, name)) == {variant.label for variant in PRESET.variants}
    assert app.dataframe[0].value["val_accuracy"].between(91, 99).all(), "in percent"
    assert all(run.recorded for run in store.runs()), "a visit trains nothing"
    app.button(key="train").click().run()
    assert_sound(app)
    places = [f", number {place} in the queue" if place > 1 else "" for place in range(1, 5)]
    assert words(app) == [f"Waiting for a worker{place}" for place in places]


def test_without_runs_there_are_four_networks_and_an_invitation(open_page: OpenPage, store: Store) -> None:
    app = open_page(store)
    assert_sound(app)
    labels = [text.value for text in app.markdown]
    for variant in PRESET.variants:
        assert sum(f"**{plain_html(variant.label)}**" in label for label in labels) == 1
    assert words(app) == ["Not trained yet"] * 4
    assert all(chart["alt"] == f"{name}: nothing trained yet." for name, chart in charts(app).items())
    assert not store.runs()


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
        monkeypatch.setattr("bnlab.runs.places.user_data_path", lambda _: tmp_path)
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
    assert buttons(app) == [*LEVERS, *["Edit", "Stop"] * 4]
    assert not app.button(key="stop_all").disabled
    assert app.button(key="train").disabled
    assert all(said.startswith("Waiting for a worker") for said in words(app))

    other = open_page(store, **TINY)
    assert words(other) == words(app)
    assert other.button(key="train").disabled


def test_another_seed_is_another_run(open_page: OpenPage, trained: Store) -> None:
    app = open_page(trained, **TINY)
    app.number_input(key="seeds").set_value(2).run()
    assert_sound(app)
    assert words(app) == ["1 of 2 seeds done"] * 4
    assert app.button(key="train").label == "Train"
    assert "1 of 2 seeds" in words(app)[0]


def test_finished_runs_are_curves_and_a_table(open_page: OpenPage, trained: Store) -> None:
    app = open_page(trained, **TINY)
    assert_sound(app)
    assert buttons(app) == ["Trained", "Stop all", *["Edit"] * 4]
    assert app.button(key="stop_all").disabled
    assert app.button(key="train").disabled
    assert all(text.startswith("Done: ") for text in words(app))
    for name in CURVES:
        assert list(lines(app, name)) == list(tiny_specs())
        assert all(label in charts(app)[name]["alt"] for label in tiny_specs())

    (table,) = app.dataframe
    assert table.value["label"].tolist() == list(tiny_specs())
    assert json.loads(table.proto.columns)["label"]["pinned"], "who scrolls sideways still sees whose row it is"
    networks = [describe_network(spec) for spec in tiny_specs().values()]
    assert table.value["params"].tolist() == [network.params for network in networks]
    assert table.value["trainable"].tolist() == [network.trainable for network in networks]
    measured = ["val_loss", "val_accuracy", "seconds_per_epoch", "latency_1", "latency_256"]
    assert table.value[measured].notna().all(axis=None)


def test_the_view_is_in_the_address_and_changes_the_curves(open_page: OpenPage, trained: Store) -> None:
    app = open_page(trained, **TINY, x="step", baseline="Baseline", differences="true")
    assert_sound(app)
    figure = json.loads(charts(app)["Validation loss"]["figure"])
    assert figure["layout"]["title"] == {"text": "Validation loss", "subtitle": {"text": "minus Baseline’s"}}
    assert figure["layout"]["xaxis"]["title"]["text"] == "step"
    assert app.dataframe[0].value["difference"].notna().sum() == 3
    app.segmented_control(key="view-x").set_value("seconds").run()
    assert_sound(app)
    assert app.query_params["x"] == "seconds"


def test_a_field_for_all_and_one_of_a_variant_are_in_the_address(open_page: OpenPage, store: Store) -> None:
    app = open_page(store)
    app.number_input(key="all-epochs").set_value(3).run()
    assert_sound(app)
    assert app.query_params == {"epochs": "3"}
    app.button(key="edit-0").click().run()
    assert_sound(app)
    app.toggle(key="field-0-use_bias").set_value(False).run()
    app.text_input(key="field-0-hidden_units").set_value("3 x 20, 10").run()
    app.text_input(key="name-0").set_value("Mine").run()
    assert_sound(app)
    variants = app.query_params["v"]
    assert variants[0] == (
        "Mine~colour~0~use_bias~false~kernel_initializer~he_normal~activation~leaky_relu~hidden_units~20-20-20-10"
    )
    assert app.query_params["epochs"] == "3"


def test_what_is_entered_wrongly_is_told_and_changes_nothing(open_page: OpenPage, store: Store) -> None:
    app = open_page(store)
    app.button(key="edit-0").click().run()
    app.text_input(key="field-0-hidden_units").set_value("wide").run()
    assert not app.exception
    assert [error.value for error in app.error] == [
        "Hidden units must be a list of 1 to 50 entries, each a whole number from 1 to 2,048, "
        "but an entry of 'wide' was given."
    ]
    assert app.query_params == {}


def test_a_number_out_of_bounds_is_told_until_one_within_is_given(open_page: OpenPage, store: Store) -> None:
    """The browser would refuse it without a word if the control knew the bounds."""
    app = open_page(store)
    assert not any(control.proto.has_min or control.proto.has_max for control in app.number_input)
    for key, said in (("all-epochs", "Epochs must be a whole number from 1 to 1,000"), ("seeds", "Seeds must be")):
        app.number_input(key=key).set_value(0).run()
        assert not app.exception
        assert [error.value.startswith(said) for error in app.error] == [True]
        assert app.number_input(key=key).value != 0, "it stays as it was"
        app.number_input(key=key).set_value(2).run()
        assert_sound(app)
    app.button(key="edit-0").click().run()
    for key, good in (("field-0-momentum", 0.5), ("field-0-epochs", 4), ("field-0-learning_rate", 0.2)):
        app.number_input(key=key).set_value(-1).run()
        assert [error.value.endswith("was given.") for error in app.error] == [True]
        app.number_input(key=key).set_value(good).run()
        assert_sound(app)


def test_variants_are_duplicated_removed_and_added_up_to_eight(open_page: OpenPage, store: Store) -> None:
    app = open_page(store)
    for _ in range(4):
        app.button(key="edit-0").click().run()
        app.button(key="duplicate").click().run()
        app.button(key="done").click().run()
    assert_sound(app)
    assert len(words(app)) == 8
    assert app.button(key="add-depth-0").disabled
    app.button(key="edit-7").click().run()
    app.button(key="remove").click().run()
    app.button(key="add-depth-0").click().run()
    assert_sound(app)
    assert len(words(app)) == 8


def test_an_added_variant_is_trained_as_long_and_on_as_much_as_the_others(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, epochs=2, train_examples=2000)
    app.button(key="add-depth-0").click().run()
    assert_sound(app)
    assert len(words(app)) == 5
    assert app.number_input(key="all-epochs").value == 2
    assert app.number_input(key="all-train_examples").value == 2000


def test_a_lesson_locks_fields_and_hides_parts(open_page: OpenPage, trained: Store) -> None:
    app = open_page(trained, **TINY, lock="use_bias.epochs", hide="results.view")
    assert_sound(app)
    assert app.number_input(key="all-epochs").disabled
    assert not app.dataframe
    app.button(key="edit-1").click().run()
    assert app.toggle(key="field-1-use_bias").disabled
    assert not app.selectbox(key="field-1-activation").disabled
    app = open_page(trained, **TINY, lock="all")
    assert app.number_input(key="seeds").disabled
    app.button(key="edit-0").click().run()
    assert_sound(app)
    assert app.text_input(key="name-0").disabled
    assert app.button(key="remove").disabled
    for part in ("variants", "training"):
        app = open_page(trained, **TINY, hide=part)
        assert_sound(app)
        assert ("Edit" in buttons(app)) == (part != "variants")
        assert ("Trained" in buttons(app)) == (part != "training")


def test_everything_is_one_lock_and_a_locked_page_offers_none(open_page: OpenPage, store: Store) -> None:
    app = open_page(store)
    app.multiselect(key="share-lock").set_value(["epochs", "all", "seed"]).run()
    assert_sound(app)
    assert app.multiselect(key="share-lock").value == ["all"]
    assert any(code.value.endswith("?lock=all") for code in app.code)
    app = open_page(store, lock="epochs.seed", hide="results")
    assert_sound(app)
    assert not app.multiselect
    told = "It keeps what a teacher has locked: Epochs, Seed and hidden: The results."
    assert any(told in text.value for text in app.markdown)
    assert any("lock=epochs.seed&hide=results" in code.value for code in app.code), "who copies it copies the lock"


@pytest.mark.parametrize(
    ("state", "says", "offers"),
    [
        (RunState.RUNNING, "Training, step 2 of 2", "Stop"),
        (RunState.STOPPED, "Stopped at step 2 of 2", "Continue"),
        (RunState.FAILED, "Failed at step 2 of 2", "Retry"),
        (RunState.DIVERGED, "Diverged: the loss was no longer a number at step 2 of 2", None),
        (RunState.COMPLETED, "Done: 0.2 s of training", None),
    ],
)
def test_a_row_says_the_state_and_offers_what_fits(
    state: RunState, says: str, offers: str | None, open_page: OpenPage, store: Store
) -> None:
    spec = next(iter(tiny_specs().values()))
    record(store, spec, (2.0, 1.0), (moment(0), moment(2)), state)
    app = open_page(store, **TINY)
    assert_sound(app)
    assert words(app) == [says] + ["Not trained yet"] * 3
    own = [button for button in app.button if button.key in ("stop-0", "continue-0")]
    assert [button.label for button in own] == ([offers] if offers else [])


def test_a_stopped_run_is_continued_by_its_button(open_page: OpenPage, store: Store) -> None:
    spec = next(iter(tiny_specs().values()))
    record(store, spec, (2.0,), (moment(0),), RunState.STOPPED)
    app = open_page(store, **TINY)
    app.button(key="continue-0").click().run()
    assert_sound(app)
    assert words(app)[0] == "Waiting for a worker, at step 1 of 2"
    assert [run.state for run in store.runs()] == [RunState.QUEUED]


def test_why_a_run_failed_stands_below_its_row(open_page: OpenPage, store: Store) -> None:
    spec = next(iter(tiny_specs().values()))
    open_journal(store, spec)
    store.finish(spec.digest, OWNER, RunState.FAILED, "The dataset cannot be had.")
    app = open_page(store, **TINY)
    assert not app.exception
    assert [error.value for error in app.error] == ["The dataset cannot be had."]


@pytest.mark.parametrize("losses", [(float("nan"),), (1.0, float("inf"))])
def test_a_run_that_diverged_beside_one_that_did_not(
    losses: tuple[float, ...], open_page: OpenPage, store: Store
) -> None:
    first, second = list(tiny_specs().values())[:2]
    overflowed = moment(1, val_loss=float("nan"), val_accuracy=0.1, snapshots=())
    record(store, first, losses, (moment(0), overflowed), RunState.DIVERGED)
    record(store, second, (2.0, 1.0), (moment(0), moment(2)), RunState.COMPLETED)
    app = open_page(store, **TINY)
    assert_sound(app)
    assert list(lines(app, "Training loss")) == list(tiny_specs())
    assert app.dataframe[0].value["label"].tolist() == list(tiny_specs())[:2]


def test_a_scheduler_that_does_not_answer_is_one_warning(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: object) -> None:
        raise lab_module.ClusterError("No Dask scheduler answers.")

    monkeypatch.setattr(lab_module, "connect", nobody)
    app = open_page(store, **TINY)
    while not app.warning:
        app.run()
    assert not app.exception
    assert [warning.value for warning in app.warning] == ["No Dask scheduler answers."]
    app.button(key="train").click().run()
    assert all(said.startswith("Waiting") for said in words(app)), "it waits until the scheduler is back"


@pytest.mark.parametrize("query", [{"epochs": 0}, {"epochs": "many"}, {"x": "time"}, {"preset": "no"}, {"lock": "it"}])
def test_an_address_with_nonsense_in_it_says_so_and_shows_the_preset(
    query: dict, open_page: OpenPage, store: Store
) -> None:
    app = open_page(store, **query)
    assert not app.exception
    (warning,) = app.warning
    assert warning.value.startswith("In this page's address: ")
    assert next(iter(query)) in warning.value.lower()
    assert words(app) == ["Not trained yet"] * 4
