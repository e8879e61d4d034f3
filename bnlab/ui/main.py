"""The script that Streamlit runs for each visitor, below app.py's server."""

if __name__ == "__main__":  # as Streamlit runs it; a spawned worker process imports its parent's script
    import streamlit as st

    from bnlab.ui.navigation import run_current_page
    from bnlab.ui.script_turns import script_turn

    # Without an icon of the app's own the browser would fetch those of the pages from elsewhere.
    st.set_page_config(page_title="bnlab", page_icon="📈", layout="wide", initial_sidebar_state=210)
    with script_turn():
        run_current_page()
