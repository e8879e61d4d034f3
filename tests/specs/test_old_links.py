"""Links made by bnlab 0.1 still mean the same runs; and the presets' runs have kept their digests."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from bnlab.specs.presets import PRESETS
from bnlab.specs.url import comparison_from_url
from tests.old_store import DESCRIPTION

LINKS = [link for link in DESCRIPTION["links"] if not link["renorm"]]  # which trains differently now


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link["query"][:40] or "(empty)")
def test_a_link_means_the_same_runs(link: dict[str, Any]) -> None:
    comparison, faults = comparison_from_url(parse_qs(link["query"], keep_blank_values=True))
    specs = comparison.specs()
    assert (comparison.seeds, len(faults)) == (link["seeds"], link["faults"])
    assert [
        {"label": v.label, "colour": v.colour, "digests": [spec.digest for spec in specs[v.label]]}
        for v in comparison.variants
    ] == link["variants"]


@pytest.mark.parametrize("name", PRESETS)
def test_the_digests_of_a_preset_are_unchanged(name: str) -> None:
    specs = PRESETS[name].comparison.with_seeds(2).specs()
    assert {label: [spec.digest for spec in own] for label, own in specs.items()} == DESCRIPTION["presets"][name]
