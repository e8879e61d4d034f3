"""The parts of a claim: its conditions with their arms, measures and predictions, and the experiment that tests it."""

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
    """A number computed from the spec alone."""

    value: Callable[[RunSpec], float]


@dataclass(frozen=True)
class RunMeasure:
    """A number computed from a finished run and its evaluations (see `bnlab.runs.reader.read_evaluations`).

    `value` must handle diverged runs, too.
    """

    value: Callable[[Run, Arrays], float]


@dataclass(frozen=True)
class WorkerMeasure:
    """A number that takes a worker to measure.

    Attributes:
        measurement: Returns the measurement of a spec.
        value: Reads the number from the resulting table.
        after_training: Whether the measurement needs the completed run of the spec.
    """

    measurement: Callable[[RunSpec], Measurement]
    value: Callable[[pd.DataFrame], float]
    after_training: bool = False


@dataclass(frozen=True)
class Measure:
    """The quantity that a condition compares: one number per seed and arm.

    Attributes:
        id: Unique among all measures.
        title: The name on pages.
        unit: The unit of a value; see `difference_unit` for that of a difference.
        source: How the number of one spec is obtained.
        aggregate: Reduces the numbers of an arm's specs to one.
    """

    id: str
    title: str
    unit: str
    source: SpecMeasure | RunMeasure | WorkerMeasure
    aggregate: Callable[[Sequence[float]], float] = fmean

    @property
    def difference_unit(self) -> str:
        """The unit of a difference: percentage points for percentages."""
        return "points" if self.unit == "%" else self.unit


@dataclass(frozen=True)
class Prediction:
    """The predicted difference, treatment minus control.

    Attributes:
        direction: +1 (more), −1 (less) or 0 (no difference).
        smallest_effect: The smallest difference that counts, above 0.
        reason: Why this is the smallest effect, as a sentence.
    """

    direction: Literal[-1, 0, 1]
    smallest_effect: float
    reason: str


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: one or several specs, whose numbers `Measure.aggregate` reduces to one.

    `run_title` replaces the title in the labels of the arm's runs.
    """

    title: str
    specs: tuple[RunSpec, ...]
    run_title: str = ""


@dataclass(frozen=True)
class Condition:
    """A comparison of two arms trained with the same seeds. Ids are unique within a claim."""

    id: str
    title: str
    treatment: Arm
    control: Arm
    measure: Measure
    prediction: Prediction

    @property
    def arms(self) -> tuple[Arm, Arm]:
        """Control and treatment."""
        return self.control, self.treatment


@dataclass(frozen=True)
class Size:
    """The size of an experiment: changes to every spec, by field, and the default number of seeds."""

    changes: Mapping[str, Any]
    seeds: int


COUNTED_SIZE = Size({}, 1)
"""For claims whose measures all follow from the specs: nothing is trained, and the seed makes no difference."""


@dataclass(frozen=True)
class Finding:
    """A result from the literature, as a sentence, and its source."""

    sentence: str
    source: str


@dataclass(frozen=True, eq=False)
class Claim:
    """A statement of the notebook and the experiment that tests it, both fixed before any run. Compared by identity.

    Attributes:
        id: The notebook's section and a number, such as `A2`.
        statement: The notebook's sentence.
        question: The question that the experiment answers.
        conditions: The comparisons that decide the verdict.
        quick: The size for about a minute of training.
        full: The size of the recorded results.
        literature: Results of others on the statement.
        supplementary: Comparisons that are measured and shown, but do not count for the verdict.
        remarks: Notes on the comparison.
        discussion: Where the recorded results and the literature differ, and why.
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
        """The deciding conditions, then the supplementary ones."""
        return (*self.conditions, *self.supplementary)

    @property
    def measure(self) -> Measure:
        """The measure of the first condition, by which the claim is summarized."""
        return self.conditions[0].measure

    @property
    def needs_workers(self) -> bool:
        """Whether anything has to be trained or measured; otherwise the verdict follows from the specs."""
        return not all(isinstance(condition.measure.source, SpecMeasure) for condition in self.all_conditions)


QUICK, FULL = "quick", "full"
SIZES = (QUICK, FULL)


@dataclass(frozen=True)
class Experiment:
    """A claim tested in one of its sizes with some seeds."""

    claim: Claim
    size_name: str
    seeds: range

    @property
    def size(self) -> Size:
        """The claim's size called `size_name`."""
        return self.claim.quick if self.size_name == QUICK else self.claim.full

    @property
    def name(self) -> str:
        """The name that `parse_experiment` reads, such as `A2 quick 0:5`."""
        return f"{self.claim.id} {self.size_name} {self.seeds.start}:{self.seeds.stop}"

    def specs(self, arm: Arm, seed: int) -> tuple[RunSpec, ...]:
        """The arm's specs in this size and with `seed`, so that the runs of both arms see the same batches in order."""
        return tuple(revise_spec(spec, {**self.size.changes, "seed": seed}) for spec in arm.specs)

    def with_more_seeds(self, count: int) -> "Experiment":
        """The experiment with `count` more seeds after the present ones."""
        return Experiment(self.claim, self.size_name, range(self.seeds.start, self.seeds.stop + count))


def plan_experiment(claim: Claim, size_name: str = QUICK, seeds: range | None = None) -> Experiment:
    """The experiment for `claim` in a size, by default with the size's number of seeds, from 0.

    Raises:
        ValueError: There is no size of that name.
    """
    if size_name not in SIZES:
        raise ValueError(f"the size of an experiment is quick or full, not {size_name!r}")
    size = claim.quick if size_name == QUICK else claim.full
    return Experiment(claim, size_name, range(size.seeds) if seeds is None else seeds)


def parse_experiment(name: str, claims: Mapping[str, Claim]) -> Experiment | None:
    """The experiment called `name` (see `Experiment.name`); None for other texts and for claims not in `claims`."""
    match = re.fullmatch(r"(\w+) (quick|full) (\d+):(\d+)", name, re.ASCII)
    claim = claims.get(match[1]) if match else None
    return Experiment(claim, match[2], range(int(match[3]), int(match[4]))) if match and claim else None
