"""Sentences stay what they are in Streamlit's Markdown."""

from bnlab.ui.words import plain


def test_signs_of_markdown_are_escaped_and_words_are_not() -> None:
    assert plain("hidden_units must be at least 1, but 0 was given.") == (
        "hidden_units must be at least 1, but 0 was given."
    )
    assert plain("LABEL~FIELD $a_1$ **q** <b>") == r"LABEL\~FIELD \$a_1\$ \*\*q\*\* \<b>"
