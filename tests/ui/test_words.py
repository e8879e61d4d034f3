"""Sentences stay what they are in Streamlit's Markdown."""

import pytest

from bnlab.ui.words import plain, plain_html, size_words


def test_signs_of_markdown_are_escaped_and_words_are_not() -> None:
    assert plain("hidden_units must be at least 1, but 0 was given.") == (
        "hidden_units must be at least 1, but 0 was given."
    )
    assert plain("LABEL~FIELD $a_1$ **q** <b>") == r"LABEL\~FIELD \$a_1\$ \*\*q\*\* \<b>"


def test_a_label_among_html_is_no_html() -> None:
    assert plain_html("<b>a_1</b>") == "&#60;b&#62;a&#95;1&#60;&#47;b&#62;"


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 kB"), (1, "1 kB"), (40_500, "41 kB"), (1_740_000, "1.7 MB"), (2_500_000_000, "2,500.0 MB")],
)
def test_sizes_as_people_say_them(size: int, words: str) -> None:
    assert size_words(size) == words
