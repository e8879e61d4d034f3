"""Plotly's JavaScript, copied from the installed plotly wheel and served by Streamlit from ``static/``.

The file has 4.8 MB and must match the installed plotly, so it is not committed but copied at install time, by
``python -m bnlab.ui.assets``. Streamlit serves only regular files below ``static/``, no links out of it.
"""

import hashlib
import shutil
import tempfile
from functools import cache
from pathlib import Path

import plotly
from streamlit import config

STATIC = Path(__file__).resolve().parents[2] / "static"
PLOTLY_SOURCE = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
PLOTLY_NAME = "plotly.min.js"


@cache
def install_plotly_js(static: Path = STATIC) -> str:
    """Copy plotly.min.js into ``static`` unless it is up to date, and return its URL."""
    target = static / PLOTLY_NAME
    digest = _digest(PLOTLY_SOURCE)
    if not target.is_file() or _digest(target) != digest:
        static.mkdir(exist_ok=True)
        _copy_atomically(PLOTLY_SOURCE, target)
    return _static_url(PLOTLY_NAME, digest)


def versioned_url(name: str, static: Path = STATIC) -> str:
    """The URL of a file in ``static``. It contains the file's digest, so browsers may cache it forever."""
    return _static_url(name, _digest(static / name))


def _static_url(name: str, version: str) -> str:
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"{'/' + base if base else ''}/app/static/{name}?v={version}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def _copy_atomically(source: Path, target: Path) -> None:
    """Copy by way of a temporary file, so that servers that start at the same time never read a partial file."""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        temporary = Path(file.name)
    try:
        shutil.copyfile(source, temporary)
        temporary.chmod(0o644)  # a temporary file's 0600 would hide it from a server run by another user
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


if __name__ == "__main__":
    print(install_plotly_js())
