"""Reloads the app where an error in Streamlit's own script has removed all of it from the screen."""

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
