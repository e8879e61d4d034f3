"""The field for the teacher's key, on the Runs page of a deployment that has one."""

import streamlit as st

from bnlab.ui.visitor import KEY_FIELD, enter_key, has_teacher, is_teacher


def render_teacher() -> None:
    """Draw the field, or that the key was entered."""
    if not has_teacher():
        return
    with st.expander("For teachers", icon=":material/key:", key="for-teachers"):
        if is_teacher():
            st.markdown("You may stop, rename, tag and delete everybody’s runs until this page is closed or reloaded.")
            return
        st.text_input(
            "Teacher’s key",
            type="password",
            help="With it you may stop, rename, tag and delete everybody’s runs.",
            on_change=enter_key,
            key=KEY_FIELD,
        )
        if st.session_state.get(KEY_FIELD):
            st.error("That is not the key.", icon=":material/key_off:")
