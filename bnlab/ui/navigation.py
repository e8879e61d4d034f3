"""The pages of the app, and how main.py runs them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.runs.datasets import register_datasets
from bnlab.specs.datasets import DatasetError
from bnlab.ui import services
from bnlab.ui.controls import FAULT, apply_lone_changes, install_scripts
from bnlab.ui.live import event_stream
from bnlab.ui.live_chart import preload_charts
from bnlab.ui.store_errors import catch_store_errors

ROOT = Path(__file__).resolve().parents[2]
STYLE = Path(__file__).with_name("style.css")

# On a narrow screen the sidebar covers the page, and Streamlit leaves it open when a page has been chosen, also for the
# next visit. This listener is called after Streamlit's.
_SIDEBAR_SCRIPT = """<script>
(() => {
  if (window.bnlabSidebar) return;
  window.bnlabSidebar = true;
  addEventListener("click", (event) => {
    if (innerWidth > 768 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (!event.target.closest?.('[data-testid="stSidebarNavLink"]')) return;
    document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
    // Streamlit remembers it in the browser, and would leave the sidebar closed in a wide window, too.
    setTimeout(() => Object.keys(localStorage).filter((key) => key.startsWith("stSidebarCollapsed"))
      .forEach((key) => localStorage.removeItem(key)), 500);
  });
})();
</script>"""


@dataclass(frozen=True)
class PageEntry:
    """A page: the file ``pages/{name}.py``, served at ``/{name}``."""

    name: str
    title: str
    icon: str


# The first is the front page.
PAGES: tuple[PageEntry, ...] = (
    PageEntry("compare", "Compare", ":material/stacked_line_chart:"),
    PageEntry("layers", "Layers", ":material/layers:"),
    PageEntry("claims", "Claims", ":material/fact_check:"),
    PageEntry("runs", "Runs", ":material/list:"),
    PageEntry("how_it_works", "How it works", ":material/school:"),
)


def run_current_page() -> None:
    """Draw the navigation and run the page of the current URL. Called by main.py."""
    # .streamlit/config.toml hides the navigation that Streamlit shows before main.py has run: it came with a wider
    # sidebar, and the width stayed.
    st.set_option("client.showSidebarNavigation", True)
    st.html(STYLE)
    preload_charts()
    install_scripts()
    with st.container(key="sidebar-script"):
        st.html(_SIDEBAR_SCRIPT, unsafe_allow_javascript=True)
    datasets_error = _register_datasets()
    page = st.navigation(_navigation_pages())
    if page.title != PAGES[0].title:
        st.session_state.pop(FAULT, None)  # a button's on Compare
    st.set_page_config(page_title=f"{page.title} · bnlab")  # or all browser tabs would have the same title
    if datasets_error:
        st.error(escape_markdown(datasets_error), icon=":material/folder_off:")
    with event_stream(), catch_store_errors():
        apply_lone_changes()
        page.run()
    services.first_page.set()


def _register_datasets() -> str:
    """Look for datasets in the settings' folder; one sentence if it cannot be read, else empty."""
    try:
        register_datasets()
    except DatasetError as error:
        return str(error)
    return ""


def page_path(name: str) -> str:
    """The file of a page, for ``st.page_link``."""
    return str(ROOT / "pages" / f"{name}.py")


def _navigation_pages() -> list[st.Page]:
    """The pages for ``st.navigation``.

    Streamlit serves its default page only at ``/`` and not under the page's name, so the front page is listed a second
    time, hidden, for links to ``/{name}``.
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
    path = page_path(entry.name)
    return st.Page(path, title=entry.title, icon=entry.icon, default=default, url_path=url_path, visibility=visibility)
