"""Numbers, sizes and users' text, formatted for sentences, headings, Markdown and HTML."""

import html
import math
import re
from collections.abc import Sequence

import humanize

MINUS = "−"
WORD_JOINER = "\u2060"

# Streamlit replaces icons (:name:), emoji and arrows after Markdown has removed the backslashes. The second colon may
# follow the text in the sentence that it is part of.
STREAMLIT_REPLACEMENTS = r":(?=[\w+-]+(/\w+)?(:|$))|(?<!\S)[<>~-](?=(->|[>=-])(?!\S))"
# Addresses, which become links even where a character in them is escaped.
LINKS = r"https?:(?=//)|\bwww(?=\.)|(?<=[\w.+-])@(?=[\w-])"
# An underscore within a word has no meaning in Markdown, nor has a colon that no letter follows.
MARKDOWN_SYNTAX = r"[\\`*\[\]<~$&|]|(?<![^\W_])_|_(?![^\W_])|:(?=[^\W_])"
# A heading, a quotation, a list or a rule.
MARKDOWN_BLOCK_START = r"^(\s*[0-9]*)([#>]|[.)+](?=\s|$)|-(?=[\s-]|$))"


def format_fixed(value: float, decimals: int = 2) -> str:
    """`value` with a fixed number of decimals: −0.50, and 0.00 for −0.001."""
    return f"{value:z.{decimals}f}".replace("-", MINUS)


def format_digits(value: float, digits: int = 3) -> str:
    """`value` with a number of significant digits: −0.0123, 1.5e−06."""
    return f"{value:z.{digits}g}".replace("-", MINUS)


def format_power(value: float, decimals: int = 1) -> str:
    """`value` with a power of ten: 1.7 × 10⁻⁶."""
    return humanize.scientific(value, decimals).replace(" x ", " × ").replace("-", MINUS) if value else "0"


def format_signed(value: float) -> str:
    """A difference with its sign and about three digits: +3.14, −1,234, 0."""
    if not math.isfinite(value):
        return "not a number"
    size = abs(value)
    if size == 0:
        return "0"
    decimals = 0 if size >= 100 or size.is_integer() else 1 if size >= 10 else 2 if size >= 1 else 3
    return (MINUS if value < 0 else "+") + (format_power(size) if size < 0.001 else f"{size:,.{decimals}f}")


def keep_percents(text: str) -> str:
    """`text` without line breaks between numbers and their percent signs."""
    return re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", text)


def divergence_text(label: str, steps: Sequence[int], seeds: int) -> str:
    """Which seeds of a variant diverged: `BN: 1 of 4 seeds diverged at step 12`; `BN diverged at step 12` of one."""
    return f"{label}{':' if seeds > 1 else ''} {divergence_remark(steps, seeds)}"


def divergence_remark(steps: Sequence[int], seeds: int) -> str:
    """The same without the variant: `1 of 4 seeds diverged at step 12`; `diverged at step 12` of one."""
    times = f"step {min(steps):,}" if len(set(steps)) == 1 else f"steps {min(steps):,} to {max(steps):,}"
    return f"{len(steps)} of {seeds} seeds diverged at {times}" if seeds > 1 else f"diverged at {times}"


def format_size(size: int) -> str:
    """A number of bytes: 1.7 MB, 40.5 kB."""
    return humanize.naturalsize(size)


def escape_markdown(text: str) -> str:
    """`text` escaped so that Streamlit shows it literally in Markdown, labels of widgets and cells of `st.table`.

    Icons, emoji, arrows and addresses cannot be escaped by a backslash: an invisible word joiner is inserted into them.
    """
    escaped = re.sub(MARKDOWN_SYNTAX, r"\\\g<0>", _separate(text))
    return re.sub(MARKDOWN_BLOCK_START, r"\1\\\2", escaped)


def escape_html(text: str) -> str:
    """`text` escaped for Markdown in which HTML is allowed: every sign becomes a character reference."""
    return "".join(char if char.isalnum() or char.isspace() else f"&#{ord(char)};" for char in _separate(text))


def escape_plotly(text: str) -> str:
    """`text` escaped for Plotly, which interprets tags such as <b> in names, titles and annotations."""
    return html.escape(text, quote=False)


def _separate(text: str) -> str:
    """`text` with a word joiner in what Streamlit replaces after Markdown has removed the escapes."""
    return re.sub(f"{STREAMLIT_REPLACEMENTS}|{LINKS}", rf"\g<0>{WORD_JOINER}", text, flags=re.IGNORECASE)
