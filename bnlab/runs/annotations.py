"""What people write about a run: a note and tags. Both are plain text, and stored with the run.

The tags of a run are stored as one text, a line per tag.
"""

import unicodedata
from collections.abc import Iterable

MAX_NOTE_LENGTH = 500
MAX_TAGS = 10
MAX_TAG_LENGTH = 30
LINE_BREAK = "\n"
_INVISIBLE = ("Cc", "Cs", "Zl", "Zp")
"""Unicode categories: control characters, surrogates, and line and paragraph separators."""


class AnnotationError(ValueError):
    """A note or a tag that is not stored; `str()` is one sentence for the user."""


def check_note(text: str) -> str:
    """The note to be stored for what was entered: without space around it, with line breaks inside.

    Raises:
        AnnotationError: it is too long, or has control characters.
    """
    note = LINE_BREAK.join(text.splitlines()).strip()
    if len(note) > MAX_NOTE_LENGTH:
        raise AnnotationError(f"A note has at most {MAX_NOTE_LENGTH} characters, but this one has {len(note):,}.")
    if not _is_printable(note.replace(LINE_BREAK, " ").replace("\t", " ")):
        raise AnnotationError("A note is text without control characters.")
    return note


def check_tags(texts: Iterable[str]) -> tuple[str, ...]:
    """The tags to be stored for what was entered: single spaces, none twice, sorted without regard to case.

    Raises:
        AnnotationError: there are too many, or one is too long or has control characters.
    """
    tags = sorted({tag for text in texts if (tag := " ".join(text.split()))}, key=lambda tag: (tag.casefold(), tag))
    if len(tags) > MAX_TAGS:
        raise AnnotationError(f"A run has at most {MAX_TAGS} tags, but {len(tags)} were given.")
    for tag in tags:
        if len(tag) > MAX_TAG_LENGTH:
            raise AnnotationError(f"A tag has at most {MAX_TAG_LENGTH} characters, but “{tag[:20]}…” has {len(tag):,}.")
        if not _is_printable(tag):
            raise AnnotationError("A tag is one line of text without control characters.")
    return tuple(tags)


def join_tags(tags: Iterable[str]) -> str:
    """The text that is stored for tags that `check_tags` returned."""
    return LINE_BREAK.join(tags)


def split_tags(text: str) -> tuple[str, ...]:
    """The tags of a stored text."""
    return tuple(filter(None, text.split(LINE_BREAK)))


def _is_printable(text: str) -> bool:
    return not any(unicodedata.category(character) in _INVISIBLE for character in text)
