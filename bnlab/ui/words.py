"""Sentences shown as they are."""

import re


def plain(sentence: str) -> str:
    """The sentence with everything escaped that Streamlit's Markdown would make something else of."""
    return re.sub(r"([~$*<`\[\]])", r"\\\1", sentence)
