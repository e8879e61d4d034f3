"""Words of users shown as they are, whatever Markdown and HTML would make of them."""

import math
import re

_UNSEEN = "\u2060"  # WORD JOINER
# An underscore within a word means nothing, nor does a colon with no letter after it.
_REPLACED = r":(?=[\w+-]+(/\w+)?:)|(?<!\S)[<>~-](?=(->|[>=-])(?!\S))"
_SIGNS = r"[\\`*\[\]<~$&|]|(?<![^\W_])_|_(?![^\W_])|:(?=[^\W_])"
_AT_THE_BEGINNING = r"^(\s*[0-9]*)([#>]|[.)+](?=\s)|-(?=[\s-]))"  # a heading, a quotation, a list, a rule


def plain(sentence: str) -> str:
    """A sentence for Markdown, with everything escaped that Streamlit would make something else of.

    Icons, emojis and arrows it finds in what Markdown has left, where nothing is escaped any more: those are parted by
    a sign that is not seen.
    """
    parted = re.sub(_REPLACED, rf"\g<0>{_UNSEEN}", sentence)
    escaped = re.sub(_SIGNS, r"\\\g<0>", parted)
    return re.sub(_AT_THE_BEGINNING, r"\1\\\2", escaped)


def size_words(size: int) -> str:
    """Bytes as people say them: 1.7 MB, 41 kB."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{math.ceil(size / 1e3)} kB"


def plain_html(label: str) -> str:
    """A label for Markdown in which HTML is allowed: no sign of it means anything there."""
    return "".join(f"&#{ord(sign)};" if not sign.isalnum() and not sign.isspace() else sign for sign in label)
