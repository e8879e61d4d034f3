"""Cached results: which of an experiment's runs and measurements are in the store already."""

from dataclasses import dataclass

from bnlab.claims.case import Experiment
from bnlab.claims.evidence import needed_measurements, trained_specs
from bnlab.runs.answers import stored_keys
from bnlab.runs.groups import ended_runs
from bnlab.runs.store import Store


@dataclass(frozen=True)
class Coverage:
    """How many of the `runs` needed are `trained`, and how many of the `measurements` needed are `measured`."""

    runs: int
    trained: int
    measurements: int
    measured: int

    @property
    def is_complete(self) -> bool:
        """Whether the trial can be read."""
        return self.trained == self.runs and self.measured == self.measurements

    @property
    def is_partial(self) -> bool:
        """Whether some of it is there, but not all."""
        return not self.is_complete and self.trained + self.measured > 0


@dataclass(frozen=True)
class CachedResults:
    """The digests of all runs that were trained here to their end, and the keys of all measurements."""

    runs: frozenset[str]
    measurements: frozenset[tuple[str, str]]

    def coverage(self, experiment: Experiment, besides: Experiment | None = None) -> Coverage:
        """How much of `experiment` there is; if `besides` is given, of what is not part of that one."""
        measurements = {(measurement.key, measurement.spec.digest) for measurement in needed_measurements(experiment)}
        runs = {spec.digest for spec in trained_specs(experiment)}
        if besides is not None:
            measurements -= {(other.key, other.spec.digest) for other in needed_measurements(besides)}
            runs -= {spec.digest for spec in trained_specs(besides)}
        trained, measured = len(self.runs & runs), len(self.measurements & measurements)
        return Coverage(len(runs), trained, len(measurements), measured)


def read_cached_results(store: Store) -> CachedResults:
    """What the store contains."""
    return CachedResults(frozenset(ended_runs(store)), frozenset(stored_keys(store)))
