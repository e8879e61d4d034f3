"""Sentences stay what they are in Streamlit's Markdown."""

import pytest

from bnlab.charts.formatting import escape_html, escape_markdown, format_size


def test_signs_of_markdown_are_escaped_and_words_are_not() -> None:
    assert escape_markdown("hidden_units must be at least 1, but 0 was given.") == (
        "hidden_units must be at least 1, but 0 was given."
    )
    assert escape_markdown("LABEL~FIELD $a_1$ **q** <b>") == r"LABEL\~FIELD \$a_1\$ \*\*q\*\* \<b>"


@pytest.mark.parametrize(
    ("words", "escaped"),
    [
        ("_a_ `c`", r"\_a\_ \`c\`"),
        ("__a__ a__b a_b", r"\_\_a\_\_ a\_\_b a_b"),
        (":red[c] 1:2 a: b", r"\:red\[c\] 1\:2 a: b"),
        (r"\* &amp; a|b", r"\\\* \&amp; a\|b"),
        ("# a", r"\# a"),
        ("> a", r"\> a"),
        ("1. a", r"1\. a"),
        ("- a", r"\- a"),
        ("---", r"\---"),
        ("-1, 0.5 and 3.", "-1, 0.5 and 3."),
    ],
)
def test_names_are_shown_as_they_are(words: str, escaped: str) -> None:
    assert escape_markdown(words) == escaped


@pytest.mark.parametrize(
    "sign", [":material/home:", ":smile:", ":+1:", ":streamlit:", "a -> b", "<- a", "a <->", "--", ">= 3", "~="]
)
def test_no_icon_or_arrow_is_made_of_a_name(sign: str) -> None:
    """Streamlit looks for them in what Markdown has left, where an escaped colon is a colon again."""
    shown = escape_markdown(sign).replace("\\", "")
    assert sign not in shown
    assert shown.replace("\u2060", "") == sign


def test_a_label_among_html_is_no_html() -> None:
    assert escape_html("<b>a_1</b>") == "&#60;b&#62;a&#95;1&#60;&#47;b&#62;"


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 kB"), (1, "1 kB"), (40_500, "41 kB"), (1_740_000, "1.7 MB"), (2_500_000_000, "2,500.0 MB")],
)
def test_sizes_as_people_say_them(size: int, words: str) -> None:
    assert format_size(size) == words
