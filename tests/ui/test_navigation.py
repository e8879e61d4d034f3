"""The files in pages/, the front page, and the contrast of the themes' colours."""

import tomllib

import pytest
from streamlit import config
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_cache import populate_hash_if_needed
from streamlit.testing.v1 import AppTest

from bnlab.ui.navigation import PAGES, ROOT
from tests.charts.test_style import contrast

APP = ROOT / "bnlab" / "ui" / "main.py"


def test_every_file_in_pages_is_a_page() -> None:
    assert {path.stem for path in (ROOT / "pages").glob("*.py")} == {entry.name for entry in PAGES}


def test_the_app_runs_its_front_page() -> None:
    app = AppTest.from_file(str(APP)).run(timeout=60)
    assert not app.exception
    assert app.title[0].value == "Batch normalization lab"


@pytest.mark.parametrize("name", ["light", "dark"])
def test_words_on_the_themes_colours_can_be_read(name: str) -> None:
    theme = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())["theme"][name]
    assert contrast("#ffffff", theme["primaryColor"]) >= 4.5, "a primary button's words are white"
    for background in ("backgroundColor", "secondaryBackgroundColor"):
        assert contrast(theme["textColor"], theme[background]) >= 7
        assert contrast(theme["linkColor"], theme[background]) >= 4.5


def test_nothing_is_sent_as_a_reference_to_what_the_browser_may_have_dropped() -> None:
    message = ForwardMsg()
    message.delta.new_element.markdown.body = "x" * 10_000_000
    populate_hash_if_needed(message)
    assert not message.metadata.cacheable


def test_no_page_shows_a_traceback() -> None:
    assert config.get_option("client.showErrorDetails") == "none"


def test_one_thread_runs_the_scripts_of_a_session() -> None:
    """Two threads have no common lock on the session's state."""
    assert not config.get_option("runner.fastReruns")
