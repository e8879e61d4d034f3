"""Words of users shown as they are, whatever Markdown and HTML would make of them."""

import math
import re


def plain(sentence: str) -> str:
    """A sentence for Markdown, with everything escaped that Streamlit would make something else of."""
    return re.sub(r"([~$*<`\[\]])", r"\\\1", sentence)


def size_words(size: int) -> str:
    """Bytes as people say them: 1.7 MB, 41 kB."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{math.ceil(size / 1e3)} kB"


def plain_html(label: str) -> str:
    """A label for Markdown in which HTML is allowed: no sign of it means anything there."""
    return "".join(f"&#{ord(sign)};" if not sign.isalnum() and not sign.isspace() else sign for sign in label)
