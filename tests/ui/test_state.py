"""A visitor's state: to the address and back, and what an address may hold besides."""

from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from bnlab.charts.curve_settings import X_AXES, CurveSettings, settings_from_url
from bnlab.specs.comparison import MAX_LABEL_LENGTH, Comparison, Variant
from bnlab.specs.lesson import ALL_FIELDS, PARTS, Lesson
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.url import default_comparison
from bnlab.ui.state import (
    LINK_NUMBER,
    PAGE_PARAMETERS,
    STATE_KEY,
    STATE_PARAMETERS,
    PageState,
    link_parameters,
    state_from_url,
    state_to_url,
    try_change,
)

PRESET = PRESETS["notebook"].comparison
PLAIN = PageState(PRESET, CurveSettings(), Lesson(), [])

labels = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="~"), min_size=1, max_size=40)
random_comparisons = st.lists(labels, min_size=1, max_size=8, unique=True).map(
    lambda names: Comparison(tuple(Variant(name, RunSpec(seed=index), index) for index, name in enumerate(names)))
)
comparisons = st.sampled_from([preset.comparison for preset in PRESETS.values()]) | random_comparisons
lessons = st.builds(
    Lesson,
    st.lists(st.sampled_from([ALL_FIELDS, *RunSpec.model_fields]), unique=True, max_size=4).map(tuple),
    st.lists(st.sampled_from(list(PARTS)), unique=True).map(tuple),
)


@st.composite
def states(draw: st.DrawFn) -> PageState:
    comparison = draw(comparisons)
    flags = ("log_x", "log_y", "singles", "differences", "projector")
    view = CurveSettings(
        x=draw(st.sampled_from(list(X_AXES))),
        smoothing=draw(st.floats(0, 0.99)),
        baseline=draw(st.sampled_from(["", *comparison.labels])),
        **{flag: draw(st.booleans()) for flag in flags},
    )
    return PageState(comparison, view, draw(lessons), [])


@given(states())
def test_url_restores_the_state(state: PageState) -> None:
    query = urlencode(state_to_url(state), doseq=True)
    assert state_from_url(parse_qs(query, keep_blank_values=True)) == state
    assert set(state_to_url(state)) <= set(STATE_PARAMETERS)


def test_what_is_as_it_was_at_first_is_not_in_the_address() -> None:
    first = PageState(default_comparison(), CurveSettings(), Lesson(), [])
    assert state_to_url(first) == {}
    assert state_from_url({}) == first


def test_the_parameters_names_do_not_clash() -> None:
    assert len(set(STATE_PARAMETERS)) == len(STATE_PARAMETERS)


def test_an_address_can_be_read() -> None:
    view = CurveSettings(x="seconds", smoothing=0.25, log_y=True, baseline="Approach 2", differences=True)
    state = PageState(PRESET.with_changes({"epochs": 3}), view, Lesson(("epochs", "seed"), ("results",)), [])
    assert state_to_url(state) == {
        "preset": ["notebook"],
        "epochs": ["3"], "x": ["seconds"], "smoothing": ["0.25"], "log_y": ["true"], "baseline": ["Approach 2"],
        "differences": ["true"], "lock": ["epochs.seed"], "hide": ["results"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"x": ["weeks"]}, "X axis (x) must be one of epoch, step, seconds, but 'weeks' was given."),
        ({"smoothing": ["1"]}, "Smoothing must be a number from 0 to 0.99, but 1 was given."),
        ({"smoothing": ["NaN"]}, "Smoothing must be a number from 0"),
        ({"smoothing": [""]}, "Smoothing must be a number from 0"),
        ({"log_x": ["perhaps"]}, "Log x must be true or false, but 'perhaps' was given."),
        ({"baseline": ["x" * 41]}, "Baseline must be"),
    ],
)
def test_what_a_view_cannot_be_is_said_and_left_at_its_default(parameters: dict[str, list[str]], says: str) -> None:
    view, faults = settings_from_url(parameters | {"projector": ["true"], "log_y": ["true"]}, PRESET)
    assert view == CurveSettings(projector=True, log_y=True)
    assert len(faults) == 1
    assert faults[0].startswith(says)


def test_of_a_parameter_given_twice_the_last_one_counts() -> None:
    assert settings_from_url({"x": ["weeks", "step"], "smoothing": ["9", "0"]}, PRESET) == (
        CurveSettings(x="step", smoothing=0),
        [],
    )


@pytest.mark.parametrize("name", ["true", "1", "null", "[1]"])
def test_a_baseline_is_a_name_whatever_it_looks_like(name: str) -> None:
    state = PageState(Comparison((Variant(name, RunSpec()),)), CurveSettings(baseline=name), Lesson(), [])
    assert state_from_url(state_to_url(state)) == state


def test_a_baseline_that_is_not_there_is_said() -> None:
    state = state_from_url({"baseline": ["Nobody"], "x": ["step"]})
    assert state.settings == CurveSettings(x="step")
    assert state.faults == ["There is no variant 'Nobody' to compare with."]


def test_every_fault_of_an_address_is_told() -> None:
    state = state_from_url({"epochs": ["0"], "x": ["weeks"], "lock": ["weight"], "hide": ["results.ads"]})
    assert (state.comparison, state.settings, state.lesson) == (PRESET, CurveSettings(), Lesson(hide=("results",)))
    nothing = "Unknown name '{}' to {}".format
    starts = ("Epochs must be", "X axis (x) must be", nothing("weight", "lock"), nothing("ads", "hide"))
    assert [fault.startswith(start) for fault, start in zip(state.faults, starts, strict=True)] == [True] * 4


def test_what_an_address_cannot_hold_is_told_with_what_may_be_meant() -> None:
    parameters = {"epchs": ["3"], "Placement": ["none"], "colour-of-the-sky": ["blue"], "epochs": ["2"]}
    state = state_from_url(parameters)
    assert state.comparison == PRESET.with_changes({"epochs": 2})
    assert state.faults == [
        "Unknown parameter 'epchs'; did you mean epochs?",
        "Unknown parameter 'Placement'; did you mean placement?",
        "Unknown parameter 'colour-of-the-sky'.",
    ]


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("log_loss", "log_y"), ("Log loss", "log_y"), ("logloss", "log_y"), ("every_seed", "singles"),
        ("initializer", "kernel_initializer"), ("bn_momentum", "momentum"), ("learningrate", "learning_rate"),
    ],
)  # fmt: skip
def test_a_control_may_be_called_by_its_title(name: str, means: str) -> None:
    assert state_from_url({name: ["true"]}).faults == [f"Unknown parameter {name!r}; did you mean {means}?"]


def test_a_name_is_suggested_only_where_it_is_really_near() -> None:
    assert state_from_url({"nonsense": [""]}).faults == ["Unknown parameter 'nonsense'."]


def test_what_is_given_more_than_once_is_told() -> None:
    parameters = {"epochs": ["2", "3"], "x": ["step", "step"], "lock": ["epochs", "seed"], "v": ["A", "B"]}
    state = state_from_url(parameters)
    assert state.faults == ["epochs is there more than once; the last, '3', counts."]
    assert {variant.spec.epochs for variant in state.comparison.variants} == {3}


def test_what_streamlit_and_the_pages_widgets_keep_in_the_address_is_let_pass() -> None:
    assert state_from_url({name: ["true"] for name in ("embed", "embed_options")}).faults == []
    assert state_from_url({name: [""] for name in PAGE_PARAMETERS}).faults == []


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from([*STATE_PARAMETERS, *PAGE_PARAMETERS, "other"]),
        st.lists(st.text(max_size=30), max_size=3),
        max_size=6,
    )
)
def test_any_url_is_a_state(parameters: dict[str, list[str]]) -> None:
    state = state_from_url(parameters)
    assert state.comparison.specs()
    assert all(fault.strip() for fault in state.faults)
    again = state_from_url(state_to_url(state))
    assert (again.comparison, again.settings, again.lesson, again.faults) == (
        state.comparison,
        state.settings,
        state.lesson,
        [],
    ), "what the address becomes is sound"


def test_a_change_is_made_or_its_fault_is_returned() -> None:
    state = state_from_url({"epochs": ["0"]})
    assert "Epochs must be" in try_change(state, lambda comparison: comparison.with_changes({"epochs": -1}))
    assert (state.comparison, len(state.faults)) == (PRESET, 1), "nothing has changed"
    assert try_change(state, lambda comparison: comparison.with_changes({"epochs": 3}, "Baseline")) == ""
    assert state.comparison == PRESET.with_changes({"epochs": 3}, "Baseline")
    assert state.faults == []


def test_a_baseline_leaves_with_its_variant() -> None:
    state = PageState(PRESET, CurveSettings(baseline="Baseline", differences=True), Lesson(), [])
    state.change(PRESET.without_variant("Approach 2"))
    assert state.settings.baseline == "Baseline"
    state.change(PRESET.without_variant("Baseline"))
    assert state.settings == CurveSettings(differences=True)
    assert state_from_url(state_to_url(state)) == state


def page() -> None:
    from functools import partial

    import streamlit as st

    from bnlab.specs.comparison import Comparison
    from bnlab.ui.state import page_state, try_change

    state = page_state()
    longer = partial(Comparison.with_changes, changes={"epochs": 4})
    st.button("Change", key="change", on_click=try_change, args=(state, longer))
    for fault in state.faults:
        st.error(fault)


def test_url_follows_the_state_and_keeps_foreign_parameters() -> None:
    app = AppTest.from_function(page)
    for name, values in {"epochs": ["2", "3"], "embed_options": ["a", "b"], "x": ["weeks"], "epchs": ["9"]}.items():
        app.query_params[name] = values
    app.run()
    assert not app.exception
    assert [error.value.split("'")[0] for error in app.error] == [
        "Unknown parameter ",
        "epochs is there more than once; the last, ",
        "X axis (x) must be one of epoch, step, seconds, but ",
    ]
    assert dict(app.query_params) == {"preset": "notebook", "epochs": "3", "embed_options": ["a", "b"]}, (
        "what means nothing has left it"
    )
    app.button(key="change").click().run()
    assert not app.error
    assert dict(app.query_params) == {"preset": "notebook", "epochs": "4", "embed_options": ["a", "b"]}


def test_link_opens_its_comparison_once() -> None:
    app = AppTest.from_function(page)
    app.query_params.update({"v": ["A", "B"], "baseline": "A", "projector": "true", "lock": "momentum"})
    opening = link_parameters(app.run().session_state[STATE_KEY], Comparison((Variant("C", RunSpec(epochs=2)),)))
    opened = follow_url(app, opening)
    assert (opened.comparison.labels, opened.settings, opened.lesson) == (
        ["C"],
        CurveSettings(projector=True),
        Lesson(("momentum",)),
    )
    app.button(key="change").click().run()
    assert follow_url(app, opening).comparison["C"].spec.epochs == 4, "by the browser's way back it is not opened again"
    again = link_parameters(app.session_state[STATE_KEY], Comparison((Variant("D", RunSpec()),)))
    assert follow_url(app, again).comparison.labels == ["D"]
    elsewhere = AppTest.from_function(page)
    assert follow_url(elsewhere, again).comparison.labels == ["D"], "in another tab too"


def follow_url(app: AppTest, parameters: dict[str, list[str]]) -> PageState:
    app.query_params.clear()
    app.query_params.update(parameters)
    app.run()
    assert not app.exception
    assert not app.error
    assert LINK_NUMBER not in app.query_params
    state: PageState = app.session_state[STATE_KEY]
    return state


def test_the_longest_name_is_a_baseline_too() -> None:
    name = "x" * MAX_LABEL_LENGTH
    state = PageState(Comparison((Variant(name, RunSpec()),)), CurveSettings(baseline=name), Lesson(), [])
    assert state_from_url(state_to_url(state)) == state


def test_a_button_finds_its_variant_after_it_was_renamed() -> None:
    def rename(old: str, new: str) -> None:
        state.change(state.comparison.with_label(old, new), keeps_variants=True)

    state = PageState(
        Comparison((Variant("A", RunSpec()), Variant("B", RunSpec(seed=1)))), CurveSettings(), Lesson(), []
    )
    rename("A", "C")
    rename("C", "D")
    assert [state.current_label(label) for label in ("A", "B", "C", "D", "E")] == ["D", "B", "D", "D", "E"]
    rename("B", "A")
    assert [state.current_label(label) for label in ("A", "B", "C")] == ["A", "A", "D"]
    rename("A", "B")
    state.change(state.comparison.without_variant("B"))
    assert [state.current_label(label) for label in ("A", "B", "C")] == ["B", "B", "D"]
