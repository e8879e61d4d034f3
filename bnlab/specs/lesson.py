"""What a teacher's link locks or hides, so that a class looks at one thing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bnlab.specs.choices import Choice
from bnlab.specs.normalizers import FORMER_FIELDS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import closest_name

EVERYTHING = "all"
PARTS: dict[str, Choice] = {
    "variants": Choice("Adding and editing variants", "The networks stay as the link has them."),
    "training": Choice("Train, stop and continue", "Nothing can be started or ended."),
    "view": Choice("Axes, smoothing and differences", "The curves stay as the link shows them."),
    "results": Choice("The results", "No table under the curves."),
}
LOCK_TITLES: dict[str, str] = {
    EVERYTHING: "Everything",
    **{name: str(field.title) for name, field in RunSpec.model_fields.items()},
}
"""What can be locked, and what it is called where a link is made."""
HIDE_TITLES: dict[str, str] = {name: part.title for name, part in PARTS.items()}
"""The same of what can be hidden."""


@dataclass(frozen=True)
class Lesson:
    """`lock` names RunSpec's fields that cannot be changed (or "all"), `hide` the parts of the page left out."""

    lock: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()

    def locks(self, field: str) -> bool:
        """Whether a field cannot be changed."""
        return EVERYTHING in self.lock or field in self.lock

    def keeps_networks(self) -> bool:
        """Whether opening other networks would undo what is locked or hidden."""
        return bool(self.lock) or self.hides("variants")

    def is_given(self) -> bool:
        """Whether anything is locked or hidden at all."""
        return bool(self.lock or self.hide)

    def hides(self, part: str) -> bool:
        """Whether a part of the page is left out."""
        return part in self.hide


def lesson_from_url(parameters: Mapping[str, Sequence[str]]) -> tuple[Lesson, list[str]]:
    """The lesson of an address, and one sentence for each name in it that there is not."""
    faults: list[str] = []
    lock = _known(parameters, "lock", LOCK_TITLES, faults)
    hide = _known(parameters, "hide", HIDE_TITLES, faults)
    return Lesson(lock, hide), faults


def lesson_to_url(lesson: Lesson) -> dict[str, list[str]]:
    """The parameters that `read_lesson` makes this lesson of."""
    given = {"lock": lesson.lock, "hide": lesson.hide}
    return {name: [".".join(values)] for name, values in given.items() if values}


def _known(
    parameters: Mapping[str, Sequence[str]], parameter: str, names: Mapping[str, str], faults: list[str]
) -> tuple[str, ...]:
    given = [name for text in parameters.get(parameter, ()) for name in text.replace(",", ".").split(".") if name]
    given = [FORMER_FIELDS.get(name, name) for name in given]
    unknown = [name for name in given if name not in names]
    if unknown:
        faults.append(_unheard_of(parameter, unknown[0], names))
    return tuple(dict.fromkeys(name for name in given if name in names))


def _unheard_of(parameter: str, name: str, names: Mapping[str, str]) -> str:
    """One sentence, in the words under which Share offers what there is; "everything" is what it calls "all"."""
    near = closest_name(name, [*names, *names.values()])
    own = next((own for own, title in names.items() if near in (own, title)), "")
    end = f"; did you mean {own} ({names[own]})?" if own else ". Share lists what there is."
    return f"There is nothing called {name[:40]!r} to {parameter}{end}"
