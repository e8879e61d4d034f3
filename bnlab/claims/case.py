"""A case: a claim, in a size and with seeds; what is entered in the store when somebody asks for a trial."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bnlab.claims.claim import Claim, Size

QUICK, FULL = "quick", "full"
SIZES = (QUICK, FULL)


@dataclass(frozen=True)
class Case:
    """What a trial is about: its claim, the name of its size, and the seeds of its runs."""

    claim: Claim
    size_name: str
    seeds: range

    @property
    def size(self) -> Size:
        """What the size's name stands for."""
        return self.claim.quick if self.size_name == QUICK else self.claim.full

    @property
    def name(self) -> str:
        """As `read_case` reads it: `A2 quick 0:5`."""
        return f"{self.claim.id} {self.size_name} {self.seeds.start}:{self.seeds.stop}"

    def with_seeds(self, more: int) -> "Case":
        """With so many seeds more, after the present ones."""
        return Case(self.claim, self.size_name, range(self.seeds.start, self.seeds.stop + more))


def open_case(claim: Claim, size_name: str = QUICK, seeds: range | None = None) -> Case:
    """The case of `claim` in a size; the seeds are the size's own, from 0, unless they are given.

    Raises:
        ValueError: there is no such size.
    """
    if size_name not in SIZES:
        raise ValueError(f"a trial is quick or full, not {size_name!r}")
    size = claim.quick if size_name == QUICK else claim.full
    return Case(claim, size_name, range(size.seeds) if seeds is None else seeds)


def read_case(name: str, claims: Mapping[str, Claim]) -> Case | None:
    """The case of that name; None if it is none, or of a claim that `claims` does not have."""
    match = re.fullmatch(r"(\w+) (quick|full) (\d+):(\d+)", name, re.ASCII)
    claim = claims.get(match[1]) if match else None
    return Case(claim, match[2], range(int(match[3]), int(match[4]))) if match and claim else None
