"""The Claims page's parameter in the URL: the rows that are open, such as `claim=a3`."""

from collections.abc import Mapping, Sequence

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.specs.validation import did_you_mean

OPEN = "claim"
CLAIMS_PARAMETERS = (OPEN,)
"""Parameters that the page writes itself."""


def opened_claims(parameters: Mapping[str, Sequence[str]]) -> list[str]:
    """The ids of the claims that the URL opens, without unknown ones."""
    return [text.upper() for text in parameters.get(OPEN, ()) if text.upper() in CLAIMS]


def claims_faults(parameters: Mapping[str, Sequence[str]]) -> list[str]:
    """A sentence for a claim that does not exist."""
    known = [name.lower() for name in CLAIMS]
    unknown = [text for text in parameters.get(OPEN, ()) if text and text.lower() not in known]
    return [f"There is no claim {unknown[0][:40]!r}{did_you_mean(unknown[0], known)}"] if unknown else []
