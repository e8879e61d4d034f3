"""Labels: what the runs of a case are called, so that each can be told from the others in a list of runs."""

from bnlab.claims.case import Case
from bnlab.claims.claim import Arm
from bnlab.claims.evidence import every_condition, sized, trained_specs
from bnlab.spec.comparison import LONGEST_LABEL
from bnlab.spec.differences import NOTHING, differing_fields
from bnlab.spec.run_spec import RunSpec


def labelled_specs(case: Case) -> list[tuple[RunSpec, str]]:
    """The specs whose runs the trial needs with their labels, as `A1: BN on the input, raw pixels`.

    The claim, the arm, and where several specs have that arm's name, what they differ in; at most LONGEST_LABEL
    characters. The same for all seeds, which runs have beside their label.
    """
    seed = case.seeds.start
    arms = [arm for condition in every_condition(case.claim) for arm in condition.arms]
    arms.sort(key=lambda arm: len(arm.specs))
    # The smallest arm that a spec is in says most about it, so it has the last word.
    sides = {spec: _side(arm) for arm in reversed(arms) for spec in sized(arm, case, seed)}
    labels: dict[RunSpec, str] = {}
    for side in set(sides.values()):
        alike = [spec for spec, own in sides.items() if own == side]
        labels |= {spec: _label(f"{case.claim.id}: {side}", told) for spec, told in _told_apart(alike).items()}
    return [(spec, labels[spec.model_copy(update={"seed": seed})]) for spec in trained_specs(case)]


def _side(arm: Arm) -> str:
    """The arm's name; of one with several specs without what sums them up: `BN` of `BN, all 12 choices`."""
    return arm.name.partition(",")[0] if len(arm.specs) > 1 else arm.name


def _told_apart(specs: list[RunSpec]) -> dict[RunSpec, dict[str, str]]:
    """Each of `specs` with the values, by their fields' titles, that tell it from the others."""
    fields = differing_fields({spec.digest: spec for spec in specs})
    told: dict[RunSpec, dict[str, str]] = {spec: {} for spec in specs}
    for title in sorted(fields, key=lambda title: ("yes" in fields[title].values(), title != "Activation")):
        more = {spec: own | {title: fields[title][spec.digest]} for spec, own in told.items()}
        if _kinds(more) > _kinds(told):
            told = more
    return told


def _kinds(told: dict[RunSpec, dict[str, str]]) -> int:
    """How many of them can be told from each other."""
    return len({tuple(own.values()) for own in told.values()})


def _label(start: str, told: dict[str, str]) -> str:
    """With what the numbers are, as `rate 0.1`, if there is room for that."""
    values = {title: value for title, value in told.items() if value != NOTHING}
    named = [f"{title.lower().split()[-1]} {value}" if value[0].isdigit() else value for title, value in values.items()]
    full, short = (", ".join([start, *parts]) for parts in (named, values.values()))
    return full if len(full) <= LONGEST_LABEL else short[:LONGEST_LABEL]
