"""Numbers, sizes and escaped text."""

import html
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bnlab.charts.formatting import (
    escape_html,
    escape_markdown,
    escape_plotly,
    format_digits,
    format_fixed,
    format_power,
    format_signed,
    format_size,
    keep_percents,
)


@given(st.floats(-1e300, 1e300), st.integers(0, 6))
def test_there_is_no_negative_zero(value: float, decimals: int) -> None:
    for text in (format_fixed(value, decimals), format_digits(value, decimals + 1)):
        assert not re.fullmatch(r"−[0.]+", text)
        assert "-" not in text
        assert float(text.replace("−", "-")) == pytest.approx(value, rel=0.51, abs=0.51)


@pytest.mark.parametrize(
    ("value", "decimals", "text"), [(-0.001, 2, "0.00"), (-0.006, 2, "−0.01"), (-1e300, 0, f"−{int(1e300)}")]
)
def test_decimals(value: float, decimals: int, text: str) -> None:
    assert format_fixed(value, decimals) == text


@pytest.mark.parametrize(
    ("value", "text"), [(-0.0, "0"), (-0.01234, "−0.0123"), (-1.5e-6, "−1.5e−06"), (float("nan"), "nan")]
)
def test_digits(value: float, text: str) -> None:
    assert format_digits(value) == text


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(1.7e-6, 1, "1.7 × 10⁻⁶"), (-2.04e12, 0, "−2 × 10¹²"), (-3e-12, 0, "−3 × 10⁻¹²"), (0.0, 1, "0"), (-0.0, 1, "0")],
)
def test_powers_of_ten(value: float, decimals: int, text: str) -> None:
    assert format_power(value, decimals) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (2.0, "+2"),
        (-0.4249, "−0.425"),
        (3.14159, "+3.14"),
        (-31.4159, "−31.4"),
        (1234.5, "+1,234"),
        (0.000017, "+1.7 × 10⁻⁵"),
        (math.nan, "not a number"),
        (-math.inf, "not a number"),
    ],
)
def test_a_difference_has_its_sign(value: float, text: str) -> None:
    assert format_signed(value) == text


def test_markdown_is_escaped() -> None:
    assert escape_markdown("hidden_units must be at least 1, but 0 was given.") == (
        "hidden_units must be at least 1, but 0 was given."
    )
    assert escape_markdown("LABEL~FIELD $a_1$ **q** <b>") == r"LABEL\~FIELD \$a_1\$ \*\*q\*\* \<b>"


@pytest.mark.parametrize(
    ("text", "escaped"),
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
def test_markdown_shows_text_literally(text: str, escaped: str) -> None:
    assert escape_markdown(text) == escaped


@pytest.mark.parametrize(
    "sign",
    [
        ":material/home:",
        ":smile:",
        ":+1:",
        ":streamlit:",
        "a -> b",
        "<- a",
        "a <->",
        "--",
        ">= 3",
        "~=",
        "http://x.y",
        "HTTPS://x.y",
        "www.x.y",
        "a.b@c.de",
    ],
)  # fmt: skip
def test_icons_arrows_and_addresses_are_separated(sign: str) -> None:
    """Streamlit looks for them in what Markdown has left, where an escaped colon is a colon again."""
    for shown in (escape_markdown(sign).replace("\\", ""), html.unescape(escape_html(sign))):
        assert sign not in shown
        assert shown.replace("\u2060", "") == sign


LABELS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=40) | st.lists(
    st.sampled_from([*"*_`[]()<>!#~$&|:\\-+=.1a ", "http://x.y", "->", ":smile:", "**", "&amp;", "www.a.b"]),
    min_size=1, max_size=12,
).map("".join)  # fmt: skip


def check_label(label: str) -> None:
    """The label within a sentence is one text without markup, for a reader of CommonMark as for Streamlit's regexes."""
    for before, after in (("", ""), ("Edit ", ": hints"), ("**", "**")):
        stripped = label.strip() or "x"
        (paragraph,) = [t for t in MARKDOWN.parse(f"{before}{escape_markdown(stripped)}{after}") if t.type == "inline"]
        expected = {"text", "text_special"} | ({"strong_open", "strong_close"} if before == "**" else set())
        if before != "**":
            assert {token.type for token in paragraph.children or ()} <= expected
            shown = "".join(token.content for token in paragraph.children or ())
            assert shown.replace("\u2060", "") == f"{before}{stripped}{after}".replace("\u2060", "")
            assert not re.search(r"https?://|(^|\s)(->|<-|<->|--|>=|<=|~=)(\s|$)|:[+\w-]+:", shown, re.ASCII)


MARKDOWN = MarkdownIt("commonmark").enable(["strikethrough", "table"])


@given(LABELS)
def test_any_label_is_literal(label: str) -> None:
    check_label(label)


@pytest.mark.slow
@settings(max_examples=4_000)
@given(LABELS)
def test_thousands_of_labels_are_literal(label: str) -> None:
    check_label(label)


def test_html_is_escaped() -> None:
    assert escape_plotly("<b>a & 'b'</b>") == "&lt;b&gt;a &amp; 'b'&lt;/b&gt;"
    assert escape_html("<b>a_1</b>") == "&#60;b&#62;a&#95;1&#60;&#47;b&#62;"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 Bytes"), (1, "1 Byte"), (40_500, "40.5 kB"), (1_740_000, "1.7 MB"), (2_500_000_000, "2.5 GB")],
)
def test_sizes(size: int, text: str) -> None:
    assert format_size(size) == text


def test_a_percent_sign_stays_with_its_number() -> None:
    assert keep_percents("95 % of 12 to 37 %, in %") == "95\N{NO-BREAK SPACE}% of 12 to 37\N{NO-BREAK SPACE}%, in %"
