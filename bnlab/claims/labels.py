"""Labels for the runs of an experiment, so that each can be told from the others in a list of runs."""

from bnlab.claims.case import Experiment
from bnlab.claims.evidence import trained_specs
from bnlab.spec.comparison import LONGEST_LABEL
from bnlab.spec.differences import NOTHING, differing_fields
from bnlab.spec.run_spec import RunSpec

_ACTIVATION = str(RunSpec.model_fields["activation"].title)


def labelled_specs(experiment: Experiment) -> list[tuple[RunSpec, str]]:
    """The specs whose runs the experiment needs with their labels, as `A1: BN on the input, raw pixels`."""
    labels = spec_labels(experiment)
    first_seed = {"seed": experiment.seeds.start}
    return [
        (spec, _prefix(experiment) + labels[spec.model_copy(update=first_seed)]) for spec in trained_specs(experiment)
    ]


def spec_labels(experiment: Experiment) -> dict[RunSpec, str]:
    """What each spec of the first seed is called within the experiment, as `BN on the input, raw pixels`.

    The title of its arm and, where several specs have an arm of that title, the values that distinguish them; with the
    claim's id before it, at most LONGEST_LABEL characters.
    """
    seed = experiment.seeds.start
    arms = [arm for condition in experiment.claim.all_conditions for arm in condition.arms]
    arms.sort(key=lambda arm: len(arm.specs))
    # A spec can be in several arms: the smallest describes it best and is therefore assigned last.
    titles = {spec: arm.run_title or arm.title for arm in reversed(arms) for spec in experiment.specs(arm, seed)}
    longest = LONGEST_LABEL - len(_prefix(experiment))
    labels: dict[RunSpec, str] = {}
    for title in set(titles.values()):
        specs = [spec for spec in titles if titles[spec] == title]
        labels |= {spec: _label(title, values, longest) for spec, values in _distinguishing_values(specs).items()}
    return labels


def _prefix(experiment: Experiment) -> str:
    return f"{experiment.claim.id}: "


def _distinguishing_values(specs: list[RunSpec]) -> dict[RunSpec, dict[str, str]]:
    """For each spec, the values that distinguish it from the others, of few fields, by the fields' titles."""
    fields = differing_fields({spec.digest: spec for spec in specs})
    chosen: dict[RunSpec, dict[str, str]] = {spec: {} for spec in specs}
    # The activation says most, and "yes" or "no" least.
    for title in sorted(fields, key=lambda title: ("yes" in fields[title].values(), title != _ACTIVATION)):
        extended = {spec: values | {title: fields[title][spec.digest]} for spec, values in chosen.items()}
        if _count_distinct(extended) > _count_distinct(chosen):
            chosen = extended
    return chosen


def _count_distinct(values_by_spec: dict[RunSpec, dict[str, str]]) -> int:
    return len({tuple(values.values()) for values in values_by_spec.values()})


def _label(title: str, values: dict[str, str], longest: int) -> str:
    """The title and the values; numbers are preceded by what they are, as in `rate 0.1`, if there is room for that."""
    values = {field: value for field, value in values.items() if value != NOTHING}
    named = [f"{field.lower().split()[-1]} {value}" if value[0].isdigit() else value for field, value in values.items()]
    full, short = (", ".join([title, *parts]) for parts in (named, values.values()))
    return full if len(full) <= longest else short[:longest]
