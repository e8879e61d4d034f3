"""Plotly's JavaScript, taken from the installed plotly wheel and served by Streamlit beside our own.

The file weighs 4.8 MB and belongs to whatever plotly is installed, so it is copied at install time, by
``python -m bnlab.ui.assets``, instead of committed. Streamlit serves only regular files below ``static/``; a link out
of it is refused.
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
    """Put plotly.min.js into ``static`` unless it is there already, and return the address it is served at."""
    target = static / PLOTLY_NAME
    digest = _digest(PLOTLY_SOURCE)
    if not target.is_file() or _digest(target) != digest:
        static.mkdir(exist_ok=True)
        _copy_atomically(PLOTLY_SOURCE, target)
    return _static_url(PLOTLY_NAME, digest)


def versioned_url(name: str, static: Path = STATIC) -> str:
    """The address of a file in ``static``; it changes with the file's content, so browsers may cache it for ever."""
    return _static_url(name, _digest(static / name))


def _static_url(name: str, version: str) -> str:
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"{'/' + base if base else ''}/app/static/{name}?v={version}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def _copy_atomically(source: Path, target: Path) -> None:
    """Several servers may start at once beside one ``static``: none of them ever sees half a file."""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        temporary = Path(file.name)
    try:
        shutil.copyfile(source, temporary)
        temporary.chmod(0o644)  # a temporary file's 0600 would hide it from a server under another account
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


if __name__ == "__main__":
    print(install_plotly_js())
