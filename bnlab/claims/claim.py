"""A claim: a statement, and the experiment that puts it on trial; all of it fixed before any run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

import pandas as pd

from bnlab.runs.run import Run
from bnlab.spec.run_spec import RunSpec


@dataclass(frozen=True)
class Counted:
    """A number that follows from the spec alone."""

    of: Callable[[RunSpec], float]


@dataclass(frozen=True)
class Trained:
    """A number of an ended run, from the run and its moments (`bnlab.runs.frames.moments_frame`).

    A run that diverged has a number too: `of` says what it counts as.
    """

    of: Callable[[Run, pd.DataFrame], float]


@dataclass(frozen=True)
class Probed:
    """A number of a probe's answer.

    `ask` is sent to a worker by name (see `bnlab.runs.lab.Lab.submit`) and called there with the store's URL and the
    spec; `of` makes a number of the table that it answers. `after_training` where it asks about the spec's ended run.
    """

    ask: Callable[[str, RunSpec], pd.DataFrame]
    of: Callable[[pd.DataFrame], float]
    after_training: bool = False


@dataclass(frozen=True)
class Measure:
    """One number for each seed and arm: `source` gives each spec's, `over` makes one of an arm with several."""

    name: str
    unit: str
    source: Counted | Trained | Probed
    over: Callable[[Sequence[float]], float] = fmean

    @property
    def difference_unit(self) -> str:
        """What a difference of two such numbers is in: that of two percentages is in points."""
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
    """One side of a comparison: a name and one spec, or several that are summed up in one number."""

    name: str
    specs: tuple[RunSpec, ...]


@dataclass(frozen=True)
class Condition:
    """One comparison under one name: the arms run on the same seeds."""

    name: str
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
    """How large a trial is: fields changed in every spec, and how many seeds unless others are asked for."""

    changes: Mapping[str, Any]
    seeds: int


@dataclass(frozen=True)
class Finding:
    """What the literature found, in one sentence, and where."""

    sentence: str
    source: str


@dataclass(frozen=True)
class Claim:
    """A statement of the notebook, in its words, with the question that bnlab measures an answer to.

    `conditions` decide; those `beside` are measured and shown with them, but decide nothing. `remarks` say what else
    is to be known of the comparison, a sentence or a few each.
    """

    id: str
    statement: str
    question: str
    conditions: tuple[Condition, ...]
    quick: Size
    full: Size
    literature: tuple[Finding, ...] = ()
    beside: tuple[Condition, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def measure(self) -> Measure:
        """The first condition's, which is shown first."""
        return self.conditions[0].measure
