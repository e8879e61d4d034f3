"""A claim and its experiment: a statement, and the comparisons that decide it; all of it fixed before any run."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

import pandas as pd

from bnlab.runs.measurements import Measurement
from bnlab.runs.reader import Arrays
from bnlab.runs.run import Run
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec


@dataclass(frozen=True)
class SpecMeasure:
    """A number that follows from the spec alone."""

    value: Callable[[RunSpec], float]


@dataclass(frozen=True)
class RunMeasure:
    """A number of an ended run, computed from the run and its evaluations (see `bnlab.runs.reader.read_evaluations`).

    `value` is called for runs that diverged, too.
    """

    value: Callable[[Run, Arrays], float]


@dataclass(frozen=True)
class WorkerMeasure:
    """A number that a worker has to measure.

    `measurement` says what is measured of a spec, and `value` reads the number off the resulting table.
    `after_training` is true where the measurement needs the spec's completed run.
    """

    measurement: Callable[[RunSpec], Measurement]
    value: Callable[[pd.DataFrame], float]
    after_training: bool = False


@dataclass(frozen=True)
class Measure:
    """What is compared: one number for each seed and arm.

    `source` gives a number for each spec of the arm, and `aggregate` reduces them to one. Ids are unique among all
    measures.
    """

    id: str
    title: str
    unit: str
    source: SpecMeasure | RunMeasure | WorkerMeasure
    aggregate: Callable[[Sequence[float]], float] = fmean

    @property
    def difference_unit(self) -> str:
        """The unit of a difference: percentages differ by points."""
        return "points" if self.unit == "%" else self.unit


@dataclass(frozen=True)
class Prediction:
    """What the claim predicts of treatment minus control, and the smallest effect that counts, with its reason.

    `direction` is +1 (more), −1 (less) or 0 (no difference).
    """

    direction: Literal[-1, 0, 1]
    smallest_effect: float
    reason: str


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: one spec, or several whose numbers are reduced to one.

    `run_title` is what the labels of its runs begin with, the title unless it is given.
    """

    title: str
    specs: tuple[RunSpec, ...]
    run_title: str = ""


@dataclass(frozen=True)
class Condition:
    """One comparison of two arms, which are trained with the same seeds. Ids are unique within a claim."""

    id: str
    title: str
    treatment: Arm
    control: Arm
    measure: Measure
    prediction: Prediction

    @property
    def arms(self) -> tuple[Arm, Arm]:
        """The control first."""
        return self.control, self.treatment


@dataclass(frozen=True)
class Size:
    """How large an experiment is: fields changed in every spec, and how many seeds unless others are given."""

    changes: Mapping[str, Any]
    seeds: int


COUNTED_SIZE = Size({}, 1)
"""For claims whose measures all follow from the specs: nothing is trained, and the seed makes no difference."""


@dataclass(frozen=True)
class Finding:
    """What the literature found, in one sentence, and where."""

    sentence: str
    source: str


@dataclass(frozen=True)
class Claim:
    """A statement of the notebook, in its words, and the question that is answered by measuring.

    `conditions` decide the verdict. `supplementary` ones are measured and shown with them, but decide nothing.
    `remarks` explain the comparison, in a sentence or a few each. `discussion` says where the recorded full trial and
    the literature differ, or seem to, and why.
    """

    id: str
    statement: str
    question: str
    conditions: tuple[Condition, ...]
    quick: Size
    full: Size
    literature: tuple[Finding, ...] = ()
    supplementary: tuple[Condition, ...] = ()
    remarks: tuple[str, ...] = ()
    discussion: str = ""

    @property
    def all_conditions(self) -> tuple[Condition, ...]:
        """Those that decide, then the supplementary ones."""
        return (*self.conditions, *self.supplementary)

    @property
    def measure(self) -> Measure:
        """The first condition's, which is shown first."""
        return self.conditions[0].measure

    @property
    def needs_workers(self) -> bool:
        """Whether anything has to be trained or measured; otherwise the verdict follows from the specs."""
        return not all(isinstance(condition.measure.source, SpecMeasure) for condition in self.all_conditions)


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
