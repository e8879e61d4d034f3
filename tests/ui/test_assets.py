"""The scripts of the pages, served under the app's base path."""

import pytest
from streamlit import config

from bnlab.ui.assets import FILES, base_path


def test_all_scripts_exist() -> None:
    assert {"plotly.min.js", "live_chart.js", "live_stream.js"} <= set(FILES)
    assert all(path.is_file() for path in FILES.values())


@pytest.mark.parametrize(("setting", "base"), [("", ""), ("lab", "/lab"), ("/lab/", "/lab")])
def test_the_base_path_has_one_form(setting: str, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "get_option", {"server.baseUrlPath": setting}.__getitem__)
    assert base_path() == base
