"""The fields of a spec as controls."""

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from bnlab.charts.formatting import escape_markdown
from bnlab.specs.choices import ACTIVATIONS
from bnlab.specs.diff import format_value
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import SpecError, parse_spec
from bnlab.ui.compare.form import (
    DATA_FIELDS,
    DEPTH,
    MAIN_FIELDS,
    NORMALIZATION_FIELDS,
    PROPERTIES,
    TRAINING_FIELDS,
    changed_fields,
    field_value,
)
from tests.dataset_files import write_dataset
from tests.opened_page import OpenPage, open_page
from tests.ui.compare_page import store_at

__all__ = ["open_page"]

widths = st.lists(st.integers(1, 2048), min_size=1, max_size=50)
FIELDS = (*MAIN_FIELDS, *TRAINING_FIELDS, *NORMALIZATION_FIELDS, *DATA_FIELDS)


def units_of(entered: str) -> tuple[int, ...]:
    return parse_spec({"hidden_units": field_value("hidden_units", entered)}).hidden_units


def test_every_field_of_a_spec_is_in_one_place() -> None:
    assert Counter(FIELDS) == dict.fromkeys(RunSpec.model_fields, 1)


@given(widths, st.sampled_from([", ", ",", " ", " · ", ";", "\t", ",,"]))
def test_widths_are_parted_by_whatever_is_usual(units: list[int], sign: str) -> None:
    assert units_of(sign.join(map(str, units))) == tuple(units)


@given(widths)
def test_widths_may_be_entered_as_they_are_shown(units: list[int]) -> None:
    assert units_of(format_value("hidden_units", tuple(units))) == tuple(units)


@pytest.mark.parametrize(
    ("entered", "units"),
    [
        ("300, 100", [300, 100]),
        ("10 x 100", [100] * 10),
        ("10x100", [100] * 10),
        (" 2 X 50 ; 7", [50, 50, 7]),
        ("3 × 100 · 50", [100, 100, 100, 50]),
        ("", []),
        (" , ", []),
    ],
)
def test_equal_layers_can_be_counted(entered: str, units: list[int]) -> None:
    assert field_value("hidden_units", entered) == units


@pytest.mark.parametrize(
    "entered",
    [
        "", "many", "300, -1", "300, 0", "3.5", "2049", "51 x 10", "10 x", "x 100", "ten x 100", "2.5 x 100",
        "0 x 100, 50", "-3 x 100, 50", "2 x 3 x 4", "1e9 x 5", "999999999 x 5", "9999999999 x 5", "[300", "true",
        "1" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_list_of_widths_is_refused_in_words(entered: str) -> None:
    with pytest.raises(SpecError, match=r"^Hidden units must be a list of 1 to 50 entries, each a whole number"):
        units_of(entered)


@given(st.text(max_size=40))
def test_any_text_is_widths_or_refused(entered: str) -> None:
    with suppress(SpecError):
        assert units_of(entered)


@pytest.mark.parametrize(
    ("entered", "number"),
    [
        ("0.5", 0.5), ("0,5", 0.5), (" 1e-3 ", 1e-3), ("1,5E-3", 1.5e-3), (".5", 0.5), (",5", 0.5), ("1.", 1.0),
        ("+0.5", 0.5),
    ],
)  # fmt: skip
def test_a_number_may_have_a_comma(entered: str, number: float) -> None:
    assert field_value("learning_rate", entered) == number


@pytest.mark.parametrize(
    ("entered", "quoted"),
    [
        ("", "nothing"), ("  ", "nothing"), ("fast", "'fast'"), ("1.000,5", "'1.000,5'"), ("0,5,5", "'0,5,5'"),
        ("1e", "'1e'"), ("-0,5", "-0.5"), ("0", "0"), ("1e999", "inf"), ("nan", "'nan'"), ("1_0e9", "'1_0e9'"),
    ],
)  # fmt: skip
def test_what_is_no_number_within_the_bounds_is_refused_as_it_was_entered(entered: str, quoted: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse_spec({"learning_rate": field_value("learning_rate", entered)})
    assert str(refused.value) == f"Learning rate must be a number above 0 and at most 100, but {quoted} was given."


def test_a_whole_number_is_refused_without_digits_that_nobody_typed() -> None:
    with pytest.raises(SpecError, match=r"from 1 to 1,000, but 1e\+99 was given\.$"):
        parse_spec({"epochs": field_value("epochs", 1e99)})


@pytest.mark.parametrize(
    ("units", "depth", "expected"),
    [((300, 100), 4.0, (300, 100, 100, 100)), ((300, 100), 1.0, (300,)), ((5,), 50.0, (5,) * 50), ((5, 6), 2, (5, 6))],
)
def test_added_layers_are_as_wide_as_the_last(units: tuple[int, ...], depth: float, expected: tuple[int, ...]) -> None:
    assert changed_fields(DEPTH, depth, RunSpec(hidden_units=units)) == {"hidden_units": expected}


@pytest.mark.parametrize("depth", [None, 0.0, -1.0, 51.0, 2.5, 1e300, float("inf"), float("nan")])
def test_a_number_of_layers_out_of_bounds_is_refused(depth: float | None) -> None:
    with pytest.raises(SpecError, match=r"^Hidden layers must be a whole number from 1 to 50, but .* was given\.$"):
        changed_fields(DEPTH, depth, RunSpec())


@pytest.mark.parametrize("name", [name for name in RunSpec.model_fields if name != "hidden_units"])
def test_other_fields_are_what_was_entered(name: str) -> None:
    for entered in (None, True, 3, 0.5, "relu"):
        assert field_value(name, entered) is entered


def page() -> None:
    import streamlit as st

    from bnlab.specs.validation import revise_spec
    from bnlab.ui.compare.form import changed_fields, render_field
    from tests.ui.compare.test_form import FIELDS, SPECS

    spec = st.session_state.setdefault("spec", SPECS[st.session_state["number"]])

    def change_field(name: str, entered: object) -> str:
        spec = st.session_state["spec"]
        st.session_state["spec"] = revise_spec(spec, changed_fields(name, entered, spec))
        return ""

    for name in FIELDS:
        render_field(name, [spec], name, change_field, disabled=st.session_state["number"] == 1)


SPECS = [
    RunSpec(),
    RunSpec(
        placement="after_activation", hidden_units=(5,) * 50, activation="tanh", kernel_initializer="ones",
        learning_rate=1e-5, epsilon=1.23456789e-7, momentum=0, epochs=1000, seed=2**31 - 1, train_examples=54_999,
        initializer_stddev=0,
    ),
]  # fmt: skip


def open_form(number: int) -> AppTest:
    app = AppTest.from_function(page)
    app.session_state["number"] = number
    app.run()
    assert not app.exception
    return app


def controls(app: AppTest) -> dict[str, Any]:
    kinds = (app.number_input, app.toggle, app.text_input, app.selectbox, app.button_group)
    return {str(control.key): control for kind in kinds for control in kind}


@pytest.mark.parametrize("number", range(len(SPECS)))
def test_every_field_is_a_control_at_its_value(number: int) -> None:
    app = open_form(number)
    form = controls(app)
    assert form.pop(DEPTH).value == len(SPECS[number].hidden_units)
    assert set(form) == set(FIELDS)
    for name, control in form.items():
        value = getattr(SPECS[number], name)
        assert field_value(name, control.value) == (list(value) if name == "hidden_units" else value), name
        assert control.proto.disabled == (number == 1)
        assert control.proto.help == PROPERTIES[name]["description"]


def test_what_is_entered_becomes_the_spec() -> None:
    app = open_form(0)
    app.text_input(key="hidden_units").set_value("3 x 20").run()
    app.number_input(key="train_examples").set_value(2000).run()
    app.text_input(key="learning_rate").set_value("0,1").run()
    assert app.text_input(key="learning_rate").value == "0.1"
    app.selectbox(key="activation").set_value("selu").run()
    app.toggle(key="noise").set_value(True).run()
    assert not app.exception
    expected = {
        "hidden_units": (20,) * 3, "train_examples": 2000, "learning_rate": 0.1, "activation": "selu",
        "noise": True,
    }  # fmt: skip
    assert app.session_state["spec"] == RunSpec(**expected)
    app.number_input(key="train_examples").set_value(None).run()
    assert app.session_state["spec"] == RunSpec(**expected | {"train_examples": None})
    app.number_input(key=DEPTH).set_value(2).run()
    assert app.session_state["spec"].hidden_units == (20, 20)
    assert app.text_input(key="hidden_units").value == "20, 20"
    assert ACTIVATIONS["selu"].description in [caption.value for caption in app.caption]


def test_datasets_of_the_folder_are_offered_and_refused_files_explained(
    open_page: OpenPage, tmp_path: Path, data_folder: Path
) -> None:
    write_dataset(data_folder / "school.npz")
    write_dataset(data_folder / "odd_*x*.npz", x_train=None)
    app = open_page(store_at(tmp_path), v="A~colour~0~dataset~school")
    app.button(key="edit-0").click().run()
    assert not app.exception
    captions = [caption.value for caption in app.caption]
    assert "Images from school.npz." in captions
    sentence = "odd_*x*.npz is no dataset for bnlab: it has no x_train."
    assert f":material/warning: {escape_markdown(sentence)}" in captions


def test_a_missing_folder_of_datasets_is_said_on_the_page(
    open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNLAB_DATA", str(tmp_path / "nowhere"))
    app = open_page(store_at(tmp_path))
    assert not app.exception
    assert [error.value for error in app.error if "cannot be read: No such file" in error.value]
