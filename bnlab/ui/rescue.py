"""What brings the app back where an error in Streamlit's own script has taken all of it from the screen."""

import streamlit as st

AGAIN_SECONDS = 10
"""Not sooner than so many after the last time: a page that fails as soon as it is there must not flicker."""

# Nothing is lost by loading anew: what a page shows is in its address.
_SCRIPT = """<style>[data-testid="stElementContainer"]:has(> .stHtml > #rescue) { display: none; }</style>
<div id="rescue"></div>
<script>
(() => {
  const root = document.getElementById("root");
  if (!root || window.bnlabRescue) return;
  window.bnlabRescue = new MutationObserver(() => {
    const last = Number(sessionStorage.getItem("bnlab-rescued") ?? 0);
    if (root.childElementCount > 0 || Date.now() - last < SECONDS * 1000) return;
    sessionStorage.setItem("bnlab-rescued", Date.now());
    location.reload();
  });
  window.bnlabRescue.observe(root, { childList: true });
})();
</script>"""


def install_reload_guard() -> None:
    """Have the browser load the page anew when it has become empty; called once a run, by the door of all pages."""
    st.html(_SCRIPT.replace("SECONDS", str(AGAIN_SECONDS)), unsafe_allow_javascript=True)
