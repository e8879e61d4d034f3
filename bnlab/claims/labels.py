"""Labels of an experiment's runs, unique within the experiment and short enough for Compare."""

from bnlab.claims.model import Experiment
from bnlab.claims.results import trained_specs
from bnlab.specs.comparison import MAX_LABEL_LENGTH
from bnlab.specs.diff import NO_VALUE, differing_fields
from bnlab.specs.run_spec import RunSpec

_ACTIVATION = str(RunSpec.model_fields["activation"].title)


def labelled_specs(experiment: Experiment) -> list[tuple[RunSpec, str]]:
    """The specs whose runs the experiment needs, with their labels, such as `A1: BN on the input, raw pixels`."""
    labels, prefix = spec_labels(experiment), _prefix(experiment)
    first_seed = {"seed": experiment.seeds.start}
    return [(spec, prefix + labels[spec.model_copy(update=first_seed)]) for spec in trained_specs(experiment)]


def spec_labels(experiment: Experiment) -> dict[RunSpec, str]:
    """The labels of the first seed's specs without the claim's id, such as `BN on the input, raw pixels`.

    A label is the arm's title and, where arms of that title have several specs, the values that distinguish the spec.
    With the claim's id before it, it has at most MAX_LABEL_LENGTH characters.
    """
    seed = experiment.seeds.start
    arms = [arm for condition in experiment.claim.all_conditions for arm in condition.arms]
    arms.sort(key=lambda arm: len(arm.specs))
    # A spec can be in several arms: the smallest describes it best and is therefore assigned last.
    titles = {spec: arm.run_title or arm.title for arm in reversed(arms) for spec in experiment.specs(arm, seed)}
    max_length = MAX_LABEL_LENGTH - len(_prefix(experiment))
    labels: dict[RunSpec, str] = {}
    for title in set(titles.values()):
        specs = [spec for spec in titles if titles[spec] == title]
        labels |= {spec: _format_label(title, values, max_length) for spec, values in _distinguish(specs).items()}
    return labels


def _prefix(experiment: Experiment) -> str:
    return f"{experiment.claim.id}: "


def _distinguish(specs: list[RunSpec]) -> dict[RunSpec, dict[str, str]]:
    """The values of few fields that distinguish each spec from the others, by the field's title."""
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


def _format_label(title: str, values: dict[str, str], max_length: int) -> str:
    """The title and the values; numbers follow the name of their field, as in `rate 0.1`, if the length allows it."""
    values = {field: value for field, value in values.items() if value != NO_VALUE}
    named = [f"{field.lower().split()[-1]} {value}" if value[0].isdigit() else value for field, value in values.items()]
    full, short = (", ".join([title, *parts]) for parts in (named, values.values()))
    return full if len(full) <= max_length else short[:max_length]
