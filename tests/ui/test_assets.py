"""Plotly's JavaScript beside the app."""

from pathlib import Path

import pytest
from streamlit import config

from bnlab.ui import assets
from bnlab.ui.assets import install_plotly_js, versioned_url


@pytest.fixture(autouse=True)
def small_plotly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    source = tmp_path / "wheel.js"
    source.write_text("plotly, version 1")
    monkeypatch.setattr(assets, "PLOTLY_SOURCE", source)
    return source


def install(static: Path) -> str:
    """As in a new process, which has not looked yet."""
    return install_plotly_js.__wrapped__(static)


def test_installs_where_there_is_nothing(tmp_path: Path) -> None:
    static = tmp_path / "static"
    assert install(static).startswith("/app/static/plotly.min.js?v=")
    assert [file.name for file in static.iterdir()] == ["plotly.min.js"]
    assert (static / "plotly.min.js").read_text() == "plotly, version 1"
    assert (static / "plotly.min.js").stat().st_mode & 0o444 == 0o444


def test_another_version_replaces_it_and_changes_the_address(tmp_path: Path, small_plotly: Path) -> None:
    before = install(tmp_path / "static")
    small_plotly.write_text("plotly, version 2")
    after = install(tmp_path / "static")
    assert after != before
    assert (tmp_path / "static" / "plotly.min.js").read_text() == "plotly, version 2"


def test_a_right_file_is_not_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = install(tmp_path / "static")
    monkeypatch.setattr(assets, "_copy_atomically", read_only)
    assert install(tmp_path / "static") == url


def test_a_failed_copy_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets.shutil, "copyfile", read_only)
    with pytest.raises(OSError, match="read-only"):
        install(tmp_path / "static")
    assert list((tmp_path / "static").iterdir()) == []


@pytest.mark.parametrize("base", ["lab", "/lab/"])
def test_addresses_respect_the_base_path(base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "get_option", {"server.baseUrlPath": base}.__getitem__)
    assert install(tmp_path).startswith("/lab/app/static/plotly.min.js?v=")


def test_an_address_changes_with_the_content(tmp_path: Path) -> None:
    script = tmp_path / "live_chart.js"
    script.write_text("one")
    first = versioned_url("live_chart.js", tmp_path)
    script.write_text("two")
    assert versioned_url("live_chart.js", tmp_path) != first


def read_only(*_: object) -> None:
    raise OSError("read-only file system")
