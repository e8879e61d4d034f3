"""Labels: what the runs of a case are called, so that each can be told from the others in a list of runs."""

from collections import defaultdict
from itertools import combinations

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
    names = {spec.model_copy(update={"seed": 0}): name for spec, name in _names(case).items()}
    return [(spec, names[spec.model_copy(update={"seed": 0})]) for spec in trained_specs(case)]


def _names(case: Case) -> dict[RunSpec, str]:
    """Those of the first seed's specs."""
    arms = [arm for condition in every_condition(case.claim) for arm in condition.arms]
    called: dict[RunSpec, str] = {}
    for arm in sorted(arms, key=lambda arm: len(arm.specs)):  # the name of one spec says more than that of several
        for spec in sized(arm, case, case.seeds.start):
            called.setdefault(spec, _side(arm))
    alike: dict[str, list[RunSpec]] = defaultdict(list)
    for spec, name in called.items():
        alike[name].append(spec)
    return {
        spec: _fitting(f"{case.claim.id}: {name}", told)
        for name, specs in alike.items()
        for spec, told in zip(specs, _differences(specs), strict=True)
    }


def _side(arm: Arm) -> str:
    """The arm's name; of one with several specs without what sums them up: `BN` of `BN, all 12 choices`."""
    return arm.name.partition(",")[0] if len(arm.specs) > 1 else arm.name


def _differences(specs: list[RunSpec]) -> list[list[tuple[str, str]]]:
    """What each of `specs` is, as titles and values, in as few fields as tell them apart; words say more than yes."""
    fields = differing_fields({spec.digest: spec for spec in specs})
    said = sorted(fields.items(), key=lambda field: ("yes" in field[1].values(), field[0] != "Activation"))
    sets = (some for size in range(len(said) + 1) for some in combinations(said, size))
    chosen = next((some for some in sets if _tell(some, specs)), ())
    return [
        [(title, values[spec.digest]) for title, values in chosen if values[spec.digest] != NOTHING] for spec in specs
    ]


def _tell(fields: tuple[tuple[str, dict[str, str]], ...], specs: list[RunSpec]) -> bool:
    """Whether no two specs have the same values."""
    return len({tuple(values[spec.digest] for _, values in fields) for spec in specs}) == len(specs)


def _fitting(start: str, differences: list[tuple[str, str]]) -> str:
    """With what the numbers are, as `rate 0.1`, if there is room for that."""
    full = [f"{title.lower().split()[-1]} {value}" if value[0].isdigit() else value for title, value in differences]
    text = ", ".join([start, *full])
    return (
        text if len(text) <= LONGEST_LABEL else ", ".join([start, *(value for _, value in differences)])[:LONGEST_LABEL]
    )
