"""What can be watched: a view for each address of a page."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from bnlab.live.claims import ClaimsView
from bnlab.live.compare import CompareView
from bnlab.live.events import Document
from bnlab.live.layers import LayersView
from bnlab.live.reading import DEFAULT_VERSION, Reading
from bnlab.live.runs import RunsView


class View(Protocol):
    """Something that is watched. Equal views are computed once; so a view is hashable."""

    @property
    def digests(self) -> Collection[str] | None:
        """The runs that the view shows; None for all there are."""

    @property
    def drawn_digests(self) -> Collection[str]:
        """Those whose curves it draws."""

    def inputs(self, reading: Reading) -> object:
        """Everything in a reading on which the document depends: it is computed again when this has changed."""

    def document(self, reading: Reading) -> Document:
        """What is shown of a reading."""


@dataclass(frozen=True)
class StoreView:
    """Nothing but that the store can be read, for pages that could not."""

    digests: ClassVar[Collection[str]] = ()
    drawn_digests: ClassVar[Collection[str]] = ()

    def inputs(self, reading: Reading) -> object:
        """Nothing changes in it."""
        return True

    def document(self, reading: Reading) -> Document:
        """A version that no page was rendered for, so that those that wait for the store are rendered again."""
        return {"page": {DEFAULT_VERSION: "store"}}


VIEWS: dict[str, Callable[[Mapping[str, Sequence[str]]], View]] = {
    "compare": CompareView.from_url,
    "claims": lambda _parameters: ClaimsView(),
    "layers": LayersView.from_url,
    "runs": lambda _parameters: RunsView(),
    "store": lambda _parameters: StoreView(),
}
"""By the page's name: makes the view of the parameters in the page's address."""
