"""The Layers page, run by Streamlit's AppTest."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bnlab.charts.curve_settings import CurveSettings
from bnlab.charts.formatting import escape_markdown
from bnlab.live.layers import EVALUATION
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.comparison import Comparison, Variant
from bnlab.specs.lesson import Lesson
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.layers.choices import LATEST
from bnlab.ui.navigation import page_path
from bnlab.ui.state import STATE_KEY, PageState
from tests.opened_page import OpenPage, open_page
from tests.slow import all_but_one_slow
from tests.stored_runs import make_evaluation, record_run

__all__ = ["open_page"]


@pytest.mark.parametrize("seeds", all_but_one_slow([1, 2], 2))
def test_every_seed_of_a_comparison_has_its_layers(seeds: int, open_page: OpenPage, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    comparison = PRESETS["notebook"].comparison.with_changes({"epochs": 1, "train_examples": 64}).with_seeds(seeds)
    for specs in comparison.specs().values():
        for spec in specs:
            record_run(store, spec, (2.0, 1.0), (make_evaluation(0), make_evaluation(2)), RunState.COMPLETED)
    app = open_page(store, epochs=1, train_examples=64, seeds=seeds).switch_page(page_path("layers")).run()
    assert not app.exception
    assert app.get("bidi_component")
    if seeds > 1:
        app.button_group(key="layers-seed").set_value(1).run()
        assert not app.exception


LAYERS = page_path("layers")


def recorded(path: Path, seeds: int = 1) -> tuple[Store, dict[str, object]]:
    """A store with the first comparison's runs, and the address of it."""
    store = Store(f"sqlite:///{path}/bnlab.db")
    sizes = {"epochs": 1, "train_examples": 96}
    for specs in PRESETS["notebook"].comparison.with_changes(sizes).with_seeds(seeds).specs().values():
        for spec in specs:
            record_run(store, spec, (3.0, 2.0, 1.0), [make_evaluation(step) for step in range(4)], RunState.COMPLETED)
    return store, {**sizes, "seeds": seeds}


def test_the_seed_is_in_the_address(open_page: OpenPage, tmp_path: Path) -> None:
    store, query = recorded(tmp_path, seeds=3)
    app = open_page(store, **query, **{"layers-seed": "2"}).switch_page(LAYERS)
    app.query_params["layers-seed"] = "2"
    app.run()
    assert not app.exception
    seed = app.button_group(key="layers-seed")
    assert (seed.value, seed.proto.query_param_key) == (2, "layers-seed")


def test_the_moment_is_in_the_address_unless_it_is_the_latest(open_page: OpenPage, tmp_path: Path) -> None:
    store, query = recorded(tmp_path)
    app = open_page(store, **query).switch_page(LAYERS)
    app.query_params |= {"layers-view": "histograms", EVALUATION: "0.333333"}
    app.run()
    assert not app.exception
    assert app.session_state[EVALUATION] == 1 / 3
    app.session_state[EVALUATION] = 2 / 3
    app.run()
    assert app.query_params[EVALUATION] == "0.666667"
    app.toggle(key="projector").set_value(True).run()
    assert app.query_params[EVALUATION] == "0.666667", "the rest of the address is written again"
    app.session_state[EVALUATION] = LATEST
    app.run()
    assert not app.exception
    assert EVALUATION not in app.query_params


@pytest.mark.parametrize("nonsense", ["late", "nan", "1e999"])
def test_a_moment_that_is_none_is_the_latest(nonsense: str, open_page: OpenPage, tmp_path: Path) -> None:
    store, query = recorded(tmp_path)
    app = open_page(store, **query, **{EVALUATION: nonsense}).switch_page(LAYERS)
    app.query_params |= {"layers-view": "histograms", EVALUATION: nonsense}
    app.run()
    assert not app.exception
    assert app.session_state[EVALUATION] == LATEST
    (warning,) = app.warning
    assert warning.value == (
        f"In this page's address: The evaluation must be an epoch of 0 or more, but '{nonsense}' was given."
    )


def test_what_was_not_trained_leads_to_compare(open_page: OpenPage, tmp_path: Path) -> None:
    app = open_page(Store(f"sqlite:///{tmp_path}/bnlab.db")).switch_page(page_path("layers")).run()
    assert not app.exception
    assert app.info[0].value.startswith("None of these networks has been trained")


def test_the_projector_leaves_the_view_as_it_is(open_page: OpenPage, tmp_path: Path) -> None:
    """The address is written again then, in which the view is a widget's own."""
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    record_run(
        store, PRESETS["notebook"].comparison.variants[0].spec, (2.0, 1.0), (make_evaluation(0), make_evaluation(2))
    )
    app = open_page(store, **{"layers-view": "tables"}).switch_page(page_path("layers")).run()
    app.toggle(key="projector").set_value(True).run()
    assert not app.exception
    assert app.query_params["layers-view"] == "tables"
    assert app.query_params["projector"] == "true"
    app.toggle(key="projector").set_value(False).run()
    assert not app.exception
    assert "projector" not in app.query_params


SIGNS = {"": "Plain *one*", "before_activation": "B_N_ [x](y)", "after_activation": "a -> b"}
"""Names with signs of Markdown, by placement."""


@pytest.mark.parametrize("written", [lambda label: label, escape_markdown], ids=["plain", "as its button shows it"])
def test_links_name_networks_by_their_labels(
    written: Callable[[str], str], open_page: OpenPage, tmp_path: Path
) -> None:
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    variants = [
        Variant(label, RunSpec(epochs=1, train_examples=32, placement=placement or "none"))
        for placement, label in SIGNS.items()
    ]
    for variant in variants:
        record_run(store, variant.spec, (1.0,), (make_evaluation(0), make_evaluation(1)), RunState.COMPLETED)
    app = open_page(store)
    app.session_state[STATE_KEY] = PageState(Comparison(tuple(variants)), CurveSettings(), Lesson(), [])
    names = list(SIGNS.values())
    app.switch_page(LAYERS).query_params["layers-networks"] = [written(names[0]), written(names[2])]
    app.run()
    assert not app.exception
    assert app.button_group(key="layers-networks").value == [names[0], names[2]]
    assert app.query_params["layers-networks"] == [names[0], names[2]], "a link that is copied has labels"
    app.button_group(key="layers-networks").set_value([]).run()
    assert app.query_params["layers-networks"] == ""
    app.button_group(key="layers-networks").set_value(names[1:]).run()
    assert not app.exception
    assert "layers-networks" not in app.query_params, "the default"
