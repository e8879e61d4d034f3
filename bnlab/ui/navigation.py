"""The pages of the app, and the entry that each of them goes through."""

import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

MIN_SECONDS_BETWEEN = 10
"""Not sooner than so many after the last time: a page that fails as soon as it is there must not flicker."""


# Nothing is lost by loading anew: what a page shows is in its address.
_SCRIPT = """<script>
(() => {
  const root = document.getElementById("root");
  if (!root || window.bnlabReloadGuard) return;
  window.bnlabReloadGuard = new MutationObserver(() => {
    const last = Number(sessionStorage.getItem("bnlab-reloaded") ?? 0);
    if (root.childElementCount > 0 || Date.now() - last < SECONDS * 1000) return;
    sessionStorage.setItem("bnlab-reloaded", Date.now());
    location.reload();
  });
  window.bnlabReloadGuard.observe(root, { childList: true });
})();
</script>"""


def install_reload_guard() -> None:
    """Have the browser load the page anew when it has become empty; called once a run, for all pages."""
    with st.container(key="reload-guard"):
        st.html(_SCRIPT.replace("SECONDS", str(MIN_SECONDS_BETWEEN)), unsafe_allow_javascript=True)


ROOT = Path(__file__).resolve().parents[2]


STYLE = Path(__file__).with_name("style.css")


_CALLED_BY_APP = "_called_by_app"


@dataclass(frozen=True)
class PageEntry:
    """One page: the file ``pages/{name}.py``, which is also its address ``/{name}``."""

    name: str
    title: str
    icon: str


# The first is the front page.
PAGES: tuple[PageEntry, ...] = (
    PageEntry("compare", "Compare", ":material/stacked_line_chart:"),
    PageEntry("layers", "Layers", ":material/layers:"),
    PageEntry("claims", "Claims", ":material/gavel:"),
    PageEntry("runs", "Runs", ":material/list:"),
    PageEntry("how_it_works", "How it works", ":material/school:"),
)


def run_current_page() -> None:
    """Show the navigation and run the page that the address asks for. Called by app.py alone."""
    # .streamlit/config.toml hides what a new server shows of pages/ before app.py has spoken: it came with a wider
    # sidebar, which stayed.
    st.set_option("client.showSidebarNavigation", True)
    st.html(STYLE)
    install_reload_guard()
    page = st.navigation(_navigation_pages())
    st.set_page_config(page_title=f"{page.title} · bnlab")  # or all tabs of a browser would be called the same
    st.session_state[_CALLED_BY_APP] = True
    page.run()


def enter_through_app() -> None:
    """The first call of every page.

    Beside a folder named ``pages/``, a server that has not run app.py yet answers a deep link by running the page
    alone, with wrong titles and no navigation. Such a page hands over to app.py, which comes back to it. The mark is
    taken off here, so a run that ends early cannot leave it for the next.
    """
    if not st.session_state.pop(_CALLED_BY_APP, False):
        runpy.run_path(str(ROOT / "app.py"))
        st.stop()


def _navigation_pages() -> list[st.Page]:
    """The pages as Streamlit takes them.

    Streamlit serves its default page at ``/`` alone and calls its own name unknown, so the front page is listed a
    second time, out of sight, for links to ``/{name}``.
    """
    front = PAGES[0]
    return [
        _page(front, default=True, url_path=""),
        *[_page(entry) for entry in PAGES[1:]],
        _page(front, visibility="hidden"),
    ]


def _page(
    entry: PageEntry,
    *,
    default: bool = False,
    url_path: str | None = None,
    visibility: Literal["visible", "hidden"] = "visible",
) -> st.Page:
    path = ROOT / "pages" / f"{entry.name}.py"
    return st.Page(path, title=entry.title, icon=entry.icon, default=default, url_path=url_path, visibility=visibility)
