"""Sentences stay what they are in Streamlit's Markdown."""

from bnlab.ui.words import plain, plain_html


def test_signs_of_markdown_are_escaped_and_words_are_not() -> None:
    assert plain("hidden_units must be at least 1, but 0 was given.") == (
        "hidden_units must be at least 1, but 0 was given."
    )
    assert plain("LABEL~FIELD $a_1$ **q** <b>") == r"LABEL\~FIELD \$a_1\$ \*\*q\*\* \<b>"


def test_a_label_among_html_is_no_html() -> None:
    assert plain_html("<b>a_1</b>") == "&#60;b&#62;a&#95;1&#60;&#47;b&#62;"
