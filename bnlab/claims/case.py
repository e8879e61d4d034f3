"""An experiment: a claim in one of its sizes, with its seeds. Its name is what the store's queue contains."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bnlab.claims.claim import Arm, Claim, Size
from bnlab.spec.parse import revise_spec
from bnlab.spec.run_spec import RunSpec

QUICK, FULL = "quick", "full"
SIZES = (QUICK, FULL)


@dataclass(frozen=True)
class Experiment:
    """A claim, the name of its size, and the seeds of the runs."""

    claim: Claim
    size_name: str
    seeds: range

    @property
    def size(self) -> Size:
        """The size of that name."""
        return self.claim.quick if self.size_name == QUICK else self.claim.full

    @property
    def name(self) -> str:
        """As `parse_experiment` reads it: `A2 quick 0:5`."""
        return f"{self.claim.id} {self.size_name} {self.seeds.start}:{self.seeds.stop}"

    def specs(self, arm: Arm, seed: int) -> tuple[RunSpec, ...]:
        """The arm's specs in this size and with that seed: the runs of both arms see the same batches in order."""
        return tuple(revise_spec(spec, {**self.size.changes, "seed": seed}) for spec in arm.specs)

    def with_more_seeds(self, count: int) -> "Experiment":
        """The same with `count` further seeds, after the present ones."""
        return Experiment(self.claim, self.size_name, range(self.seeds.start, self.seeds.stop + count))


def plan_experiment(claim: Claim, size_name: str = QUICK, seeds: range | None = None) -> Experiment:
    """The experiment for `claim` in a size; its seeds are as many as the size says, from 0, unless they are given.

    Raises:
        ValueError: there is no such size.
    """
    if size_name not in SIZES:
        raise ValueError(f"a trial is quick or full, not {size_name!r}")
    size = claim.quick if size_name == QUICK else claim.full
    return Experiment(claim, size_name, range(size.seeds) if seeds is None else seeds)


def parse_experiment(name: str, claims: Mapping[str, Claim]) -> Experiment | None:
    """The experiment of that name; None if it has another form or `claims` has no such claim."""
    match = re.fullmatch(r"(\w+) (quick|full) (\d+):(\d+)", name, re.ASCII)
    claim = claims.get(match[1]) if match else None
    return Experiment(claim, match[2], range(int(match[3]), int(match[4]))) if match and claim else None
