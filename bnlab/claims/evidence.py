"""What an experiment needs, the runs and measurements, and the numbers that are read from them."""

from collections.abc import Iterable

from bnlab.claims.case import Experiment
from bnlab.claims.claim import Condition, Measure, RunMeasure, SpecMeasure, WorkerMeasure
from bnlab.runs.answers import Measurement, read_measurements
from bnlab.runs.frames import read_moments
from bnlab.runs.run import Run
from bnlab.runs.states import RunState
from bnlab.runs.store import Store
from bnlab.spec.run_spec import RunSpec


def trained_specs(experiment: Experiment) -> tuple[RunSpec, ...]:
    """The specs whose runs the experiment needs, each once, ordered by seed."""
    conditions = experiment.claim.all_conditions
    return _specs_of([condition for condition in conditions if _needs_run(condition.measure)], experiment)


def needed_measurements(experiment: Experiment) -> tuple[Measurement, ...]:
    """The measurements that the experiment needs from workers, each once."""
    measurements: dict[Measurement, None] = {}
    for condition in experiment.claim.all_conditions:
        if isinstance(source := condition.measure.source, WorkerMeasure):
            measurements |= dict.fromkeys(map(source.measurement, _specs_of([condition], experiment)))
    return tuple(measurements)


def briefly_trained(experiment: Experiment) -> int:
    """How many networks are trained within a measurement alone: for some steps, without a run in the store."""
    measured = {measurement.spec for measurement in needed_measurements(experiment)}
    return len(measured - set(trained_specs(experiment)))


def is_usable(run: Run) -> bool:
    """Whether a run can be evaluated: it was trained here and has ended, be it that it diverged."""
    return run.state in (RunState.COMPLETED, RunState.DIVERGED) and not run.recorded


class Evidence:
    """The runs, evaluations and measurements of an experiment, read from the store once."""

    def __init__(self, store: Store, specs: Iterable[RunSpec], measurements: Iterable[Measurement]) -> None:
        """Read the runs of `specs` and the results of `measurements`, as far as they are stored."""
        self.runs = {run.digest: run for run in store.runs([spec.digest for spec in specs])}
        self.tables = read_measurements(store, measurements)
        self._evaluations = read_moments(store, list(self.runs.values()))

    def number(self, measure: Measure, specs: Iterable[RunSpec]) -> float:
        """The measure of one arm, whose specs all have the same seed.

        Raises:
            KeyError: a run or a measurement that it needs is missing.
        """
        return float(measure.aggregate([self._value(measure.source, spec) for spec in specs]))

    def _value(self, source: SpecMeasure | RunMeasure | WorkerMeasure, spec: RunSpec) -> float:
        match source:
            case SpecMeasure():
                return source.value(spec)
            case WorkerMeasure():
                return source.value(self.tables[source.measurement(spec)])
            case RunMeasure():
                return source.value(self.runs[spec.digest], self._evaluations[spec.digest])


def _specs_of(conditions: Iterable[Condition], experiment: Experiment) -> tuple[RunSpec, ...]:
    arms = [arm for condition in conditions for arm in condition.arms]
    return tuple(
        dict.fromkeys(spec for seed in experiment.seeds for arm in arms for spec in experiment.specs(arm, seed))
    )


def _needs_run(measure: Measure) -> bool:
    source = measure.source
    return source.after_training if isinstance(source, WorkerMeasure) else isinstance(source, RunMeasure)
