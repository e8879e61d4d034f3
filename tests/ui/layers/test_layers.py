"""The Layers page's views, run by Streamlit's AppTest on runs with made-up records."""

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import insert

from bnlab.charts.distributions import shown_variables
from bnlab.charts.layer_charts import ShownRun
from bnlab.charts.layer_views import LAYER_VIEWS, QUESTIONS
from bnlab.charts.shared_axes import EXTENT
from bnlab.charts.style import style_of
from bnlab.live.layers import EVALUATION, legend_remarks
from bnlab.runs.run import RunState
from bnlab.runs.schema import recordings
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import Evaluation, Snapshot
from bnlab.ui.layers import depth_profile as xray
from bnlab.ui.layers.choices import VIEW_IDS
from bnlab.ui.layers.page import UNTRAINED
from bnlab.ui.layers.url import LAYERS_PARAMETERS
from tests.stored_runs import OWNER
from tests.ui.layer_records import (
    NORMALIZED,
    PLAIN,
    SMALL,
    answer,
    charts,
    components,
    document,
    infos,
    notes,
    open_view,
    record_run,
    record_two_runs,
    store,
    traces,
    two_runs,
)

__all__ = ["store", "two_runs"]

VARIABLES = shown_variables([NORMALIZED])
KINDS = ("button_group", "multiselect", "number_input", "toggle")
VIEWS_OF_RUNS = [*LAYER_VIEWS, "tables"]


def test_nothing_trained_is_a_sentence(store: Store) -> None:
    assert infos(open_view(store)) == [UNTRAINED]


@pytest.mark.parametrize("view", VIEWS_OF_RUNS)
def test_every_view_of_a_run_with_batch_normalization_and_one_without(view: str, two_runs: Store) -> None:
    app = open_view(two_runs, view)
    assert not infos(app)
    shown = charts(app)
    assert all(name.startswith("layers-") for name in shown)
    assert bool(shown) == (view != "tables")
    assert all(chart["traces"] and chart["alt"] for chart in shown.values())
    assert [table.value for table in app.dataframe] if view == "tables" else not app.dataframe


@pytest.mark.parametrize("view", VIEWS_OF_RUNS)
def test_every_view_of_a_run_that_has_only_begun_is_a_line(view: str, store: Store) -> None:
    record_run(store, "Waiting", NORMALIZED, ())
    app = open_view(store, view)
    assert not infos(app)
    assert not charts(app)
    assert answer(app) == ("" if view == "tables" else "Nothing measured yet.")


def test_every_view_at_the_first_moment(store: Store) -> None:
    record_run(store, "Begun", NORMALIZED, (0,))
    for view in VIEWS_OF_RUNS:
        assert not infos(open_view(store, view))


@pytest.mark.parametrize("view", VIEWS_OF_RUNS)
def test_without_batch_normalization_there_are_still_layers(view: str, two_runs: Store) -> None:
    app = open_view(two_runs, view, networks=["Plain"])
    assert bool(infos(app)) == (view in LAYER_VIEWS and LAYER_VIEWS[view].shows_normalizations)
    assert bool(charts(app)) == (view in ("pre-activations", "gradients"))


@pytest.mark.parametrize(
    ("view", "parts"),
    [
        ("distributions", ["With seed 0, at epoch 2: in “With BN” gamma has moved from 1 to between "]),
        (
            "gradients",
            ["With seed 0, at epoch 2: in “Plain” the gradient stays about the same from layer 2 to layer 1;"],
        ),
        (
            "pre-activations",
            ["in “Plain” 90 % of the values are between −2 and 2 in layer 1 and between −2 and 2 in "],
        ),
    ],
)
def test_a_question_opens_with_its_answer(view: str, parts: list[str], two_runs: Store) -> None:
    app = open_view(two_runs, view)
    assert all(part in answer(app) for part in parts), answer(app)
    assert any(text.value.startswith("- **") for text in app.markdown), "a glossary"


@pytest.mark.parametrize(("old", "view"), VIEW_IDS.items())
def test_views_in_old_links(old: str, view: str, two_runs: Store) -> None:
    app = open_view(two_runs, old)
    assert not app.exception
    question = QUESTIONS[app.session_state["layers-question"]]
    assert view in question.views
    assert app.session_state["layers-view"] == view


def test_a_chart_a_layer_and_variable(two_runs: Store) -> None:
    names = [f"layers-distribution-{layer}-{v}" for layer in ("bn_input", "bn_1", "bn_2") for v in VARIABLES]
    assert list(charts(open_view(two_runs))) == names


def test_runs_lie_over_one_another(two_runs: Store) -> None:
    drawn = traces(open_view(two_runs, "gradients"), "layers-gradient-dense_1")
    assert [trace["uid"] for trace in drawn] == [PLAIN.digest, NORMALIZED.digest, EXTENT]
    drawn = traces(open_view(two_runs, "gradients", networks=["With BN"]), "layers-gradient-dense_1")
    assert [trace["uid"] for trace in drawn] == [NORMALIZED.digest, EXTENT]


def test_what_the_widgets_keep_in_the_address_is_known_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xray, "_measure", lambda *_: None)  # it would start workers
    record_run(store, "Deep", RunSpec(hidden_units=(3,) * 12, train_examples=64, placement="before_activation"))
    apps = [open_view(store, view, measure=True) for view in {*VIEW_IDS.values()}]
    widgets = [widget for app in apps for kind in KINDS for widget in app.get(kind)]
    of_views = set(LAYERS_PARAMETERS) - {"layers-view", "layers-seed", "layers-networks", EVALUATION}
    assert {widget.proto.query_param_key for widget in widgets} - {""} == of_views


def test_at_first_two_networks_with_normalization_are_shown_and_one_without_to_compare(store: Store) -> None:
    record_two_runs(store)
    record_run(store, "Z: plain too", PLAIN.model_copy(update={"seed": 1}))
    for seed in (1, 2):
        record_run(store, f"BN {seed}", NORMALIZED.model_copy(update={"seed": seed}))

    def chosen(view: str) -> list[str]:
        return list(open_view(store, view).button_group(key="layers-networks").value or ())

    assert chosen("distributions") == ["With BN", "BN 1"]
    assert chosen("gradients") == ["Plain", "With BN", "BN 1"]


def test_the_legend_says_what_was_not_trained_here(store: Store) -> None:
    record_two_runs(store)
    with store.engine.begin() as connection:
        connection.execute(insert(recordings).values(run=NORMALIZED.digest, origin="elsewhere"))
    app = open_view(store, networks=["Plain", "With BN"])
    (remarks,) = [data["text"] for data in components(app) if data.get("path") == "remarks"]
    assert remarks == "Without normalization: Plain · Recorded, not trained here: With BN"
    assert document(app)["remarks"] == remarks


def test_no_network_chosen_is_a_sentence(two_runs: Store) -> None:
    assert infos(open_view(two_runs, networks=[])) == ["Choose at least one network."]


def test_a_variable_that_is_not_learned_says_so(store: Store) -> None:
    record_run(store, "No beta", RunSpec(**SMALL, placement="after_activation", center=False))
    for view, key in (("distributions", "distribution"), ("heatmaps", "heat-0"), ("histograms", "histogram")):
        app = open_view(store, view)
        assert not infos(app)
        assert f"layers-{key}-bn_1-beta" not in charts(app)
        assert any("No beta: center is off" in note for note in notes(app))
        assert traces(app, f"layers-{key}-bn_1-gamma")


def still_evaluation(_: RunSpec, step: int) -> Evaluation:
    """Nothing but rounding is in the input's normalization."""
    noise = np.linspace(-1e-9, 1e-9, 784, dtype=np.float32)
    values = {"gamma": noise + 1, "beta": noise, "moving_mean": noise, "moving_variance": noise + 1}
    return Evaluation(step, float(step), 1.0, 0.5, (), (Snapshot("bn_input", values),))


def test_what_never_moves_is_explained_and_its_rounding_is_not_magnified(store: Store) -> None:
    record_run(store, "With BN", NORMALIZED, evaluate=still_evaluation)
    for view, key in (("distributions", "distribution"), ("heatmaps", "heat-0"), ("histograms", "histogram")):
        app = open_view(store, view)
        assert not infos(app)
        assert any(note.startswith("Beta stays at 0: bn_1 follows") for note in notes(app))
        for trace in traces(app, f"layers-{key}-bn_input-beta") if view != "heatmaps" else ():
            values = trace["z" if trace["type"] == "heatmap" else "x" if view == "histograms" else "y"]
            assert values.size
            assert not np.any((np.abs(values) > 0) & (np.abs(values) < 1e-6))


def test_what_several_runs_have_in_common_is_said_once(store: Store) -> None:
    record_run(store, "With BN", NORMALIZED, evaluate=still_evaluation)
    record_run(store, "Again", NORMALIZED.model_copy(update={"seed": 1}), evaluate=still_evaluation)
    app = open_view(store, networks=["With BN", "Again"])
    (sentence,) = (note for note in notes(app) if "beta stays at 0" in note)
    assert set(sentence.partition(":")[0].split(", ")) == {"With BN", "Again"}


def test_of_many_layers_some_are_chosen(store: Store) -> None:
    deep = {"hidden_units": (3,) * 12, "train_examples": 64, "placement": "before_activation"}
    record_run(store, "Deep", RunSpec(**deep))
    app = open_view(store)
    assert app.multiselect[0].options == [f"bn_{number}" for number in range(1, 13)]
    assert len(charts(app)) == 3 * len(VARIABLES)
    app.multiselect[0].set_value(["bn_12"]).run()
    assert list(charts(app)) == [f"layers-distribution-bn_12-{v}" for v in VARIABLES]
    (depth,) = traces(open_view(store, "gradients"), "layers-gradient-depth")
    assert len(depth["marker"]) == 1


def test_the_input_is_also_a_picture(two_runs: Store) -> None:
    shown = charts(open_view(two_runs, "histograms"))
    pictures = [name for name in shown if "picture" in name]
    assert pictures == [f"layers-picture-0-bn_input-{v}" for v in VARIABLES]


def test_tables_count_as_the_network_does(two_runs: Store) -> None:
    app = open_view(two_runs, "tables", networks=["With BN"])
    summary, variables = (table.value for table in app.dataframe)
    network = describe_network(NORMALIZED)
    assert summary["params"].sum() == network.params
    assert variables["params"].sum() == sum(layer.params for layer in network.normalizations)
    assert any("4 × 784 = 3,136" in text.value for text in app.markdown)


@pytest.mark.parametrize(
    ("state", "remark"),
    [
        (RunState.QUEUED, "Waiting for a worker"),
        (RunState.RUNNING, "Training"),
        (RunState.STOPPED, "Stopped"),
        (RunState.FAILED, "Failed"),
        (RunState.DIVERGED, "Diverged, the loss was not finite"),
    ],
)
def test_a_run_that_is_not_complete_is_told_with_the_step_of_its_charts(
    state: RunState, remark: str, store: Store
) -> None:
    run = replace(record_run(store, "With BN", NORMALIZED), state=state, step=1)  # read before the charts
    drawn = ShownRun(run.digest, 4, style_of("With BN", 0), run.spec)
    assert legend_remarks([run], [drawn]) == {remark: ["With BN (measured to step 4 of 4)"]}
    assert not legend_remarks([replace(run, state=RunState.COMPLETED)], [drawn])


def test_a_run_that_failed_says_why(store: Store) -> None:
    record_run(store, "With BN", NORMALIZED)
    store.finish(NORMALIZED.digest, OWNER, RunState.FAILED, "The worker ran out of memory.")
    app = open_view(store)
    assert not app.exception
    assert [error.value for error in app.error] == ["With BN: The worker ran out of memory."]


def test_a_run_without_measurements_has_no_step(store: Store) -> None:
    run = store.launch(NORMALIZED, "With BN", OWNER)
    drawn = ShownRun(run.digest, -1, style_of("With BN", 0), run.spec)
    assert legend_remarks([run], [drawn]) == {"Waiting for a worker": ["With BN"]}
