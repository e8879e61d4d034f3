"""The Layers page, run by Streamlit's AppTest."""

from pathlib import Path

import pytest

from bnlab.runs.states import RunState
from bnlab.runs.store import Store
from bnlab.spec.presets import PRESETS
from tests.opened_page import OpenPage, open_page
from tests.recording import moment, record

__all__ = ["open_page"]


@pytest.mark.parametrize("seeds", [1, 2])
def test_every_seed_of_a_comparison_has_its_layers(seeds: int, open_page: OpenPage, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    comparison = PRESETS["notebook"].comparison.revised({"epochs": 1, "train_examples": 64}).repeated(seeds)
    for specs in comparison.specs().values():
        for spec in specs:
            record(store, spec, (2.0, 1.0), (moment(0), moment(2)), RunState.COMPLETED)
    app = open_page(store, epochs=1, train_examples=64, seeds=seeds).switch_page("pages/layers.py").run()
    assert not app.exception
    assert app.get("bidi_component")
    if seeds > 1:
        app.button_group(key="layers-seed").set_value(1).run()
        assert not app.exception


def test_what_was_not_trained_leads_to_compare(open_page: OpenPage, tmp_path: Path) -> None:
    app = open_page(Store(f"sqlite:///{tmp_path}/bnlab.db")).switch_page("pages/layers.py").run()
    assert not app.exception
    assert app.info[0].value.startswith("None of these networks has been trained")


def test_the_projector_leaves_the_view_as_it_is(open_page: OpenPage, tmp_path: Path) -> None:
    """The address is written anew then, in which the view is a widget's own."""
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    record(store, PRESETS["notebook"].comparison.variants[0].spec, (2.0, 1.0), (moment(0), moment(2)))
    app = open_page(store, **{"layers-view": "Tables"}).switch_page("pages/layers.py").run()
    app.toggle(key="projector").set_value(True).run()
    assert not app.exception
    assert app.query_params["layers-view"] == "Tables"
    assert app.query_params["projector"] == "true"
    app.toggle(key="projector").set_value(False).run()
    assert not app.exception
    assert "projector" not in app.query_params
