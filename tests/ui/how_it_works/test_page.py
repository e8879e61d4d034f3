"""The page How it works, run by Streamlit's AppTest: its sections, its figures' settings, and links to real runs."""

import json
import re
from typing import Any, get_args

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.specs.advice import Topic
from bnlab.specs.presets import PRESETS
from bnlab.ui.how_it_works.figure import plain_number
from bnlab.ui.how_it_works.sections import CONTROLS, FIGURES, SECTIONS
from bnlab.ui.navigation import ROOT, page_path
from bnlab.ui.state import state_from_url


def open_page(query: dict[str, str]) -> AppTest:
    page = AppTest.from_file(str(ROOT / "bnlab" / "ui" / "main.py"), default_timeout=60)
    page.query_params.update(query)
    page.switch_page(page_path("how_it_works")).run()
    assert not page.exception
    return page


@pytest.fixture
def app() -> AppTest:
    return open_page({})


def figures(app: AppTest) -> dict[str, Any]:
    """What each figure is sent, by its id."""
    sent = [json.loads(component.proto.json) for component in app.get("bidi_component") if component.proto.json]
    return {data["id"]: data for data in sent if "controls" in data}


def test_contents_lead_to_every_section(app: AppTest) -> None:
    anchors = [header.proto.anchor for header in app.header]
    assert anchors == [section.anchor for section in SECTIONS]
    contents = next(text.value for text in app.markdown if text.value.startswith("1. "))
    assert re.findall(r"\(#(\w+)\)", contents) == anchors
    assert {"statistics", "folding", *get_args(Topic)} <= set(anchors), "in links and advice"


def test_every_figure_is_there_with_its_controls_and_a_sentence(app: AppTest) -> None:
    sent = figures(app)
    assert set(sent) == {figure.id for figure in FIGURES}
    for figure in FIGURES:
        assert [control["id"] for control in sent[figure.id]["controls"]] == [c.id for c in figure.controls]
        assert figure.fallback.endswith(".")
    assert len(CONTROLS) == len({control.id for figure in FIGURES for control in figure.controls if not control.sets})


def test_defaults_are_among_the_values_of_their_controls() -> None:
    for control in CONTROLS.values():
        assert control.fault(str(control.value)) == ""


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("how-size", "33", "how-size must be from 1 to 32, but '33' was given."),
        ("how-size", "many", "how-size must be from 1 to 32, but 'many' was given."),
        (
            "how-normalizer",
            "instance",
            "how-normalizer must be one of batch, layer, group, rms, but 'instance' was given.",
        ),
        ("how-groups", "3", "how-groups must be one of 1, 2, 4, 8, but '3' was given."),
        ("how-other", "1", "Unknown parameter 'how-other'."),
    ],
)
def test_faults_in_the_address(name: str, text: str, fault: str) -> None:
    (found,) = state_from_url({name: [text]}).faults
    assert found.startswith(fault.removesuffix("."))


def test_settings_in_the_address_are_kept() -> None:
    page = open_page({"how-size": "12", "how-factor": str(1 / 255)})
    assert not page.warning
    assert page.query_params["how-size"] in ("12", ["12"])


def test_a_link_leads_to_the_recorded_runs(app: AppTest) -> None:
    (link,) = app.get("page_link")
    assert "preset=gamma_beta" in link.proto.query_string
    assert PRESETS["gamma_beta"].question


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (0.001, "0.001"), (1e-6, "1e-06"), (256, "256")])
def test_numbers_as_people_write_them(value: float, text: str) -> None:
    assert plain_number(value) == text


def test_a_projectors_address_is_large_at_first_sight_and_faults_are_told() -> None:
    page = open_page({"projector": "true", "bad": "1"})
    assert [fault.value for fault in page.warning] == ["In this page's address: Unknown parameter 'bad'."]
    assert page.toggle(key="projector").value, "the type is large where it is on: see style.css"
