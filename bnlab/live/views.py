"""What can be watched: a view for each address of a page."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from bnlab.live.compare import CompareView
from bnlab.live.events import Document
from bnlab.live.reading import Reading


class View(Protocol):
    """Something that is watched. Equal views are computed once; so a view is hashable."""

    @property
    def digests(self) -> Collection[str]:
        """The runs that the view shows."""

    def document(self, reading: Reading) -> Document:
        """What is shown of a reading."""


VIEWS: dict[str, Callable[[Mapping[str, Sequence[str]]], View]] = {"compare": CompareView.from_url}
"""By the page's name: makes the view of the parameters in the page's address."""
