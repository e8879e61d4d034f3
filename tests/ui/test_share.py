"""The URL of a page and its lesson, as Share shows it."""

from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from bnlab.charts.curve_settings import CurveSettings
from bnlab.specs.comparison import Comparison, Variant
from bnlab.specs.lesson import ALL_FIELDS, PARTS, Lesson
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.url import default_comparison
from bnlab.ui import share
from bnlab.ui.share import page_url
from bnlab.ui.state import PageState, state_from_url

PAGE = "https://lab.example:8501/base/layers"
PRESET = PRESETS["notebook"].comparison
ODD = Comparison((Variant("γ & β = 100 % #1?", RunSpec(hidden_units=(20, 10)), 3), Variant("+ a/b", RunSpec(), 0)), 2)


@pytest.fixture(autouse=True)
def url(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the reader is."""
    show_page(monkeypatch, PAGE)


def show_page(monkeypatch: pytest.MonkeyPatch, url: str | None) -> None:
    monkeypatch.setattr(share, "st", SimpleNamespace(context=SimpleNamespace(url=url)))


def state(comparison: Comparison, view: CurveSettings | None = None, lesson: Lesson | None = None) -> PageState:
    return PageState(comparison, view or CurveSettings(), lesson or Lesson(), [])


def opened(address: str) -> PageState:
    return state_from_url(parse_qs(urlsplit(address).query, keep_blank_values=True))


def test_the_page_as_it_is_at_first_is_its_own_address() -> None:
    assert page_url(state(default_comparison()), Lesson(), {}) == PAGE


@pytest.mark.parametrize("comparison", [PRESET, PRESET.with_changes({"epochs": 3}).with_seeds(4), ODD])
def test_a_link_opens_the_same_page_with_its_lesson(comparison: Comparison) -> None:
    view = CurveSettings(x="step", baseline=comparison.labels[0], differences=True)
    lesson = Lesson((ALL_FIELDS, "seed"), tuple(PARTS))
    address = page_url(state(comparison, view, Lesson(("epochs",))), lesson, {})
    assert address.startswith(f"{PAGE}?")
    assert opened(address) == state(comparison, view, lesson)


def test_a_link_is_one_word_that_can_be_read() -> None:
    address = page_url(state(ODD, CurveSettings(smoothing=0.25)), Lesson(("epochs", "seed")), {})
    assert address.isascii()
    assert not set(' "<>\\^`{|}') & set(address)
    assert "~hidden_units~20-10" in address
    assert address.endswith("&seeds=2&smoothing=0.25&lock=epochs.seed")


def test_what_the_layers_page_shows_is_in_the_link() -> None:
    widgets = {"layers-view": ["heatmaps"], "layers-networks": ["Baseline", "Approach 2"]}
    address = page_url(state(PRESET.with_seeds(2)), Lesson(), widgets)
    assert (
        address
        == f"{PAGE}?preset=notebook&seeds=2&layers-view=heatmaps&layers-networks=Baseline&layers-networks=Approach+2"
    )
    assert opened(address) == state(PRESET.with_seeds(2))


def test_making_a_link_changes_nothing() -> None:
    original = state(PRESET)
    page_url(original, Lesson(("epochs",)), {})
    assert original == state(PRESET)


@pytest.mark.parametrize("url", ["http://localhost:8501/?epochs=9&lock=all#top", "http://localhost:8501/"])
def test_the_link_has_nothing_of_the_address_before(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    show_page(monkeypatch, url)
    assert page_url(state(PRESET.with_seeds(2)), Lesson(), {}) == "http://localhost:8501/?preset=notebook&seeds=2"


def test_without_a_browser_there_is_still_a_query(monkeypatch: pytest.MonkeyPatch) -> None:
    show_page(monkeypatch, None)
    assert page_url(state(PRESET.with_seeds(2)), Lesson(), {}) == "?preset=notebook&seeds=2"
