"""The parts of a claim: its conditions with their arms, measures and predictions, and the experiment that tests it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import fmean
from typing import Any, Literal

import pandas as pd

from bnlab.claims.sequential_design import error_share, look_at, next_seeds
from bnlab.claims.statistics import CONFIDENCE
from bnlab.claims.verdicts import Verdict
from bnlab.runs.measurements import Measurement
from bnlab.runs.reader import Arrays
from bnlab.runs.run import Run
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec

Better = Literal["higher", "lower", "neither"]


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
        better: Which values are better: costs, distances and shifts are better if lower.
    """

    id: str
    title: str
    unit: str
    source: SpecMeasure | RunMeasure | WorkerMeasure
    aggregate: Callable[[Sequence[float]], float] = fmean
    better: Better = "lower"

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
    """A comparison of two arms trained with the same seeds. Ids are unique within a claim.

    Conditions with the same `group`, such as an activation, stand together in charts.
    """

    id: str
    title: str
    treatment: Arm
    control: Arm
    measure: Measure
    prediction: Prediction
    group: str = ""

    @property
    def arms(self) -> tuple[Arm, Arm]:
        """Control and treatment."""
        return self.control, self.treatment


@dataclass(frozen=True)
class Size:
    """The size of an experiment: changes to every spec, by field, and the number of seeds at the first look."""

    changes: Mapping[str, Any]
    seeds: int


COUNTED_SIZE = Size({}, 1)
"""For claims whose measures all follow from the specs: nothing is trained, and the seed makes no difference."""


@dataclass(frozen=True)
class Finding:
    """A result from the literature, as a sentence, and its source."""

    sentence: str
    source: str


class Topic(StrEnum):
    """What a claim is about, in the order of the page; the values are its headings."""

    RESULTS = "Does it train faster and better?"
    CHOICES = "Does it make other choices matter less?"
    GRADIENTS = "What does it do to gradients?"
    USE = "Where does it belong?"
    COST = "What does it cost?"
    PARTS = "What does it consist of?"


@dataclass(frozen=True)
class QuotedNumber:
    """A number that an answer names, and the recorded value that it stands for.

    Attributes:
        text: The number as in the sentence, such as `10,403`; words, such as `a third`, need bounds.
        condition: The condition's id.
        of: The mean of an arm, how much `more` or `less` the treatment is than the control, or treatment / control.
        low, high: The bounds of the value; by default those that round to `text`.
    """

    text: str
    condition: str
    of: Literal["control", "treatment", "more", "less", "ratio"]
    low: float | None = None
    high: float | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest value for which the text is right."""
        if self.low is not None and self.high is not None:
            return self.low, self.high
        number = self.text.replace(",", "").replace("−", "-")
        unit = 10.0 ** -len(number.partition(".")[2])
        return float(number) - unit / 2, float(number) + unit / 2


@dataclass(frozen=True)
class ClaimAnswer:
    """The answer to a claim in one sentence, and what of the recorded result it asserts.

    Attributes:
        verdict: The verdict on the claim.
        sentence: The answer.
        short: The verdict in a few words, where the label of `verdict` says too little.
        numbers: Those that the sentence names.
        verdicts: Verdicts on conditions, by their ids, that the sentence states.
        shown: The id of the condition in the small figure beside the sentence; empty for the first one.
    """

    verdict: Verdict
    sentence: str
    short: str = ""
    numbers: tuple[QuotedNumber, ...] = ()
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    shown: str = ""


@dataclass(frozen=True, eq=False)
class Claim:
    """A statement and the experiment that tests it, both fixed before any run. Compared by identity.

    Attributes:
        id: The notebook's section and a number, such as `A2`; P for common advice that is not the notebook's.
        statement: The statement as a sentence.
        topic: Where the claim stands on the page.
        question: The question that the experiment answers.
        conditions: The comparisons that decide the verdict.
        quick: The size for about a minute of training.
        full: The size of the recorded results.
        literature: Results of others on the statement.
        supplementary: Comparisons that are measured and shown, but do not count for the verdict.
        remarks: Notes on the comparison.
        discussion: Where the recorded results and the literature differ, and why.
        answer: The answer by the recorded result; None until there is one.
    """

    id: str
    statement: str
    topic: Topic
    question: str
    conditions: tuple[Condition, ...]
    quick: Size
    full: Size
    literature: tuple[Finding, ...] = ()
    supplementary: tuple[Condition, ...] = ()
    remarks: tuple[str, ...] = ()
    discussion: str = ""
    answer: ClaimAnswer | None = None

    @property
    def all_conditions(self) -> tuple[Condition, ...]:
        """The deciding conditions, then the supplementary ones."""
        return (*self.conditions, *self.supplementary)

    @property
    def measure(self) -> Measure:
        """The measure of the first condition, by which the claim is summarized."""
        return self.conditions[0].measure

    @property
    def shown_condition(self) -> Condition:
        """The condition in the small figure on the page."""
        shown = self.answer.shown if self.answer else ""
        return next((condition for condition in self.all_conditions if condition.id == shown), self.conditions[0])

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

    @property
    def confidence(self) -> float:
        """The confidence of intervals with so many seeds, such that all looks have CONFIDENCE together."""
        return 1 - (1 - CONFIDENCE) * error_share(look_at(len(self.seeds), self.size.seeds))

    @property
    def next_look(self) -> "Experiment | None":
        """The experiment with the seeds of the next look, which include the present ones; None after the last."""
        seeds = next_seeds(len(self.seeds), self.size.seeds)
        if seeds is None:
            return None
        return Experiment(self.claim, self.size_name, range(self.seeds.start, self.seeds.start + seeds))


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
