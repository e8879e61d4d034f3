"""The scripts that bnlab's pages load: Plotly's from the installed plotly package, and those in ``static/``."""

from functools import cache
from pathlib import Path

import plotly
from streamlit import config

from bnlab.live.routes import Assets

STATIC = Path(__file__).resolve().parents[2] / "static"
PLOTLY = "plotly.min.js"
FILES = {
    PLOTLY: Path(plotly.__file__).parent / "package_data" / "plotly.min.js",
    **{path.name: path for path in sorted(STATIC.glob("*.js"))},
}


def base_path() -> str:
    """The path under which the app is served, empty or like ``/lab``."""
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


@cache
def assets() -> Assets:
    """The served files."""
    return Assets(base_path(), FILES)
