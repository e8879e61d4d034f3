"""Lessons: what a teacher's link to Compare locks, hides and asks, so that a class concentrates on one thing.

A link hides; it does not protect: whoever removes its parameters from the address sees the page without a lesson.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bnlab.specs.choices import Choice
from bnlab.specs.normalizers import FORMER_FIELDS
from bnlab.specs.prediction import is_lesson_id, lesson_id
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import closest_name

ALL_FIELDS = "all"
"""Locks all fields, the variants and the number of seeds."""

PARTS: dict[str, Choice] = {
    "variants": Choice("Adding and editing variants", "The networks stay as the link has them."),
    "training": Choice("Train, stop and continue", "Nothing can be started or ended."),
    "view": Choice("Axes, smoothing and differences", "The curves stay as the link shows them."),
    "results": Choice("Answer and results table", "No answers and tables, no Runs and Claims; curves and charts stay."),
}
"""The parts of the page that can be hidden."""

LOCK_TITLES: dict[str, str] = {
    ALL_FIELDS: "Everything",
    **{name: str(field.title) for name, field in RunSpec.model_fields.items()},
}
"""The names that can be locked, with their titles in the Share dialog."""

HIDE_TITLES: dict[str, str] = {name: part.title for name, part in PARTS.items()}
"""The names that can be hidden, with their titles in the Share dialog."""

HIDE = "hide"
TITLE, QUESTION, PREDICT, REVEAL = "lesson-title", "lesson-question", "predict", "reveal"
"""Parameters: hidden parts, texts above the page, the id of a lesson with a prediction, the key to reveal results."""
LESSON_PARAMETERS = ("lock", HIDE, TITLE, QUESTION, PREDICT, REVEAL)
MAX_LENGTHS = {TITLE: 80, QUESTION: 300}
"""In characters."""


@dataclass(frozen=True)
class Lesson:
    """What a link locks, hides and asks.

    Attributes:
        lock: the RunSpec fields that cannot be changed, or `ALL_FIELDS`.
        hide: the `PARTS` left out.
        title, question: texts above the page, as the teacher wrote them.
        predict: the id of the lesson if it asks for a prediction before results are shown, else empty. Its variants
            stay as they are.
        reveal: the key with which the teacher reveals the results, else empty.
    """

    lock: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    title: str = ""
    question: str = ""
    predict: str = ""
    reveal: str = ""

    def locks(self, field: str) -> bool:
        """Whether a field cannot be changed."""
        return bool(self.predict) or ALL_FIELDS in self.lock or field in self.lock

    def for_learners(self) -> "Lesson":
        """The lesson without the teacher's key."""
        return replace(self, reveal="")

    def hides(self, part: str) -> bool:
        """Whether a part of the page is left out."""
        return part in self.hide

    def is_active(self) -> bool:
        """Whether anything is locked, hidden or asked."""
        return self != Lesson()

    def protects_variants(self) -> bool:
        """Whether opening other variants would undo what is locked or hidden."""
        return bool(self.lock or self.predict) or self.hides("variants")


def lesson_from_url(parameters: Mapping[str, Sequence[str]]) -> tuple[Lesson, list[str]]:
    """Read the lesson from the query parameters of a URL.

    Returns:
        The lesson, and one sentence for the user per parameter with an unknown name or another text that is not valid,
        which is ignored.
    """
    errors: list[str] = []
    lock = _read_names(parameters, "lock", LOCK_TITLES, errors)
    hide = _read_names(parameters, HIDE, HIDE_TITLES, errors)
    title, question = (_read_text(parameters, name, errors) for name in (TITLE, QUESTION))
    predict, reveal = ((parameters.get(name) or [""])[-1].strip() for name in (PREDICT, REVEAL))
    if predict and not is_lesson_id(predict):
        errors.append("The address names no lesson to predict in: its link is incomplete.")
        predict = ""
    if reveal and lesson_id(reveal) != predict:
        errors.append("This link cannot reveal the results: its key belongs to another lesson.")
        reveal = ""
    return Lesson(lock, hide, title, question, predict, reveal), errors


def lesson_to_url(lesson: Lesson) -> dict[str, list[str]]:
    """The query parameters from which `lesson_from_url` reads this lesson."""
    texts = {
        "lock": ".".join(lesson.lock),
        HIDE: ".".join(lesson.hide),
        TITLE: lesson.title,
        QUESTION: lesson.question,
        PREDICT: lesson.predict,
        REVEAL: lesson.reveal,
    }
    return {parameter: [text] for parameter, text in texts.items() if text}


def one_line(text: str) -> str:
    """The text on one line, without control characters and spaces around it."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def text_error(parameter: str, text: str) -> str:
    """A sentence if a title or question is too long, else empty."""
    limit = MAX_LENGTHS[parameter]
    noun = "title" if parameter == TITLE else "question"
    return f"A lesson's {noun} has at most {limit} characters; this one has {len(text)}." if len(text) > limit else ""


def _read_text(parameters: Mapping[str, Sequence[str]], parameter: str, errors: list[str]) -> str:
    text = one_line((parameters.get(parameter) or [""])[-1])
    if error := text_error(parameter, text):
        errors.append(error)
    return text[: MAX_LENGTHS[parameter]].strip()


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
    return f"Unknown name {unknown[:40]!r} to {parameter}{end}"
