"""Links to files, styled as buttons; see `bnlab.live.downloads` for why they are not Streamlit's."""

import html
from functools import cache

import streamlit as st

from bnlab.live.downloads import Downloads
from bnlab.ui.assets import base_path


@cache
def downloads() -> Downloads:
    """The files that sessions offer."""
    return Downloads(base_path())


def render_link(label: str, url: str, name: str, *, key: str, is_primary: bool = False) -> None:
    """Draw a link that saves what is at `url` under `name`."""
    kind = "primary" if is_primary else "secondary"
    with st.container(key=key):
        st.html(f'<a class="download {kind}" href="{html.escape(url)}" download="{name}">{html.escape(label)}</a>')


def render_download(label: str, content: bytes, name: str, *, key: str, is_primary: bool = False) -> None:
    """Draw a link to `content`, which the session keeps until it offers another one under `key`."""
    kept = st.session_state.get(f"{key}-file")
    if kept is None or kept.content is not content:
        kept = st.session_state[f"{key}-file"] = downloads().offer(content, name)
    render_link(label, kept.url, name, key=key, is_primary=is_primary)
