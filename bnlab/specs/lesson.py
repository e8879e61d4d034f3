"""Lessons: what a teacher's link to Compare locks or hides, so that a class concentrates on one thing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bnlab.specs.choices import Choice
from bnlab.specs.normalizers import FORMER_FIELDS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import closest_name

ALL_FIELDS = "all"
"""Locks all fields, the variants and the number of seeds."""

PARTS: dict[str, Choice] = {
    "variants": Choice("Adding and editing variants", "The networks stay as the link has them."),
    "training": Choice("Train, stop and continue", "Nothing can be started or ended."),
    "view": Choice("Axes, smoothing and differences", "The curves stay as the link shows them."),
    "results": Choice("The results", "No table under the curves."),
}
"""The parts of the page that can be hidden."""

LOCK_TITLES: dict[str, str] = {
    ALL_FIELDS: "Everything",
    **{name: str(field.title) for name, field in RunSpec.model_fields.items()},
}
"""The names that can be locked, with their titles in the Share dialog."""

HIDE_TITLES: dict[str, str] = {name: part.title for name, part in PARTS.items()}
"""The names that can be hidden, with their titles in the Share dialog."""


@dataclass(frozen=True)
class Lesson:
    """`lock` names the RunSpec fields that cannot be changed (or `ALL_FIELDS`), `hide` the `PARTS` left out."""

    lock: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()

    def locks(self, field: str) -> bool:
        """Whether a field cannot be changed."""
        return ALL_FIELDS in self.lock or field in self.lock

    def hides(self, part: str) -> bool:
        """Whether a part of the page is left out."""
        return part in self.hide

    def is_active(self) -> bool:
        """Whether anything is locked or hidden."""
        return bool(self.lock or self.hide)

    def protects_variants(self) -> bool:
        """Whether opening other variants would undo what is locked or hidden."""
        return bool(self.lock) or self.hides("variants")


def lesson_from_url(parameters: Mapping[str, Sequence[str]]) -> tuple[Lesson, list[str]]:
    """Read the lesson from the query parameters of a URL.

    Returns:
        The lesson, and one sentence for the user per parameter with an unknown name; such names are ignored.
    """
    errors: list[str] = []
    lock = _read_names(parameters, "lock", LOCK_TITLES, errors)
    hide = _read_names(parameters, "hide", HIDE_TITLES, errors)
    return Lesson(lock, hide), errors


def lesson_to_url(lesson: Lesson) -> dict[str, list[str]]:
    """The query parameters from which `lesson_from_url` reads this lesson."""
    names_by_parameter = {"lock": lesson.lock, "hide": lesson.hide}
    return {parameter: [".".join(names)] for parameter, names in names_by_parameter.items() if names}


def _read_names(
    parameters: Mapping[str, Sequence[str]], parameter: str, titles: Mapping[str, str], errors: list[str]
) -> tuple[str, ...]:
    """The known names in a parameter, where dots or commas separate them; the first unknown one adds to `errors`."""
    names = [name for text in parameters.get(parameter, ()) for name in text.replace(",", ".").split(".") if name]
    names = [FORMER_FIELDS.get(name, name) for name in names]
    unknown = [name for name in names if name not in titles]
    if unknown:
        errors.append(_unknown_name_error(parameter, unknown[0], titles))
    return tuple(dict.fromkeys(name for name in names if name in titles))


def _unknown_name_error(parameter: str, unknown: str, titles: Mapping[str, str]) -> str:
    """One sentence for the user, with the known name whose name or title is closest."""
    closest = closest_name(unknown, [*titles, *titles.values()])
    suggestion = next((name for name, title in titles.items() if closest in (name, title)), "")
    end = f"; did you mean {suggestion} ({titles[suggestion]})?" if suggestion else ". Share lists what there is."
    return f"There is nothing called {unknown[:40]!r} to {parameter}{end}"
