"""A comparison: variants shown side by side, each repeated over seeds."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import SpecError, revise_spec

MAX_VARIANTS = 8
MAX_SEEDS = 20
MAX_LABEL_LENGTH = 40
_OF_NO_LINE = ("Cc", "Cs", "Zl", "Zp")  # control characters, halves of signs, and what ends a line or a paragraph
_COPY = re.compile(r" \(copy( [0-9])?\)$")


@dataclass(frozen=True)
class Variant:
    """One line of a comparison: a spec, what it is called there, and which of the eight colours is its own."""

    label: str
    spec: RunSpec
    colour: int = 0


@dataclass(frozen=True)
class Comparison:
    """Up to MOST_VARIANTS variants with names and colours of their own; `seeds` runs of each.

    Every change makes a new comparison.

    Raises:
        SpecError: there are too many, two are called the same, or a name or number is out of its bounds.
    """

    variants: tuple[Variant, ...]
    seeds: int = 1

    def __post_init__(self) -> None:
        """See to what the class promises."""
        if not 1 <= len(self.variants) <= MAX_VARIANTS:
            raise SpecError(f"A comparison has 1 to {MAX_VARIANTS} variants, but {len(self.variants)} were given.")
        if not 1 <= self.seeds <= MAX_SEEDS or self.seeds % 1:
            raise SpecError(f"Seeds must be a whole number from 1 to {MAX_SEEDS}, but {self.seeds} was given.")
        for label in self.labels:
            _check_label(label)
        if len(set(self.labels)) < len(self.labels):
            raise SpecError("Two variants of a comparison cannot have the same name.")
        if any(not 0 <= variant.colour < MAX_VARIANTS for variant in self.variants):
            raise SpecError(f"A variant's colour is a number from 0 to {MAX_VARIANTS - 1}.")
        if self.seeds > 1:
            self.specs()  # seeds counted up may leave their bounds

    @property
    def labels(self) -> list[str]:
        """What the variants are called, in their order."""
        return [variant.label for variant in self.variants]

    def __getitem__(self, label: str) -> Variant:
        """The variant of that name; KeyError if there is none."""
        return {variant.label: variant for variant in self.variants}[label]

    def specs(self) -> dict[str, list[RunSpec]]:
        """Each label's specs, one a seed."""
        return comparison_specs(self.variants, seeds=self.seeds)

    def revised(self, changes: dict[str, Any], label: str | None = None) -> "Comparison":
        """With some fields changed in the variant `label`, or in all."""
        return self._with(lambda v: replace(v, spec=revise_spec(v.spec, changes)), label)

    def renamed(self, label: str, name: str) -> "Comparison":
        """With another name for a variant."""
        return self._with(lambda v: replace(v, label=normalize_spaces(name).strip()), label)

    def recoloured(self, label: str, colour: int) -> "Comparison":
        """With another colour for a variant; who had it takes the old one."""
        before = self[label].colour
        freed = self._with(lambda v: replace(v, colour=before if v.colour == colour else v.colour))
        return freed._with(lambda v: replace(v, colour=colour), label)

    def added(self, variant: Variant) -> "Comparison":
        """With one more variant at the end, under a name and in a colour that are free."""
        taken = {v.colour for v in self.variants}
        free = next((colour for colour in range(MAX_VARIANTS) if colour not in taken), variant.colour)
        fresh = replace(variant, label=self._free_label(variant.label), colour=free)
        return replace(self, variants=(*self.variants, fresh))

    def removed(self, label: str) -> "Comparison":
        """Without a variant."""
        return replace(self, variants=tuple(v for v in self.variants if v.label != label))

    def repeated(self, seeds: int) -> "Comparison":
        """With another number of seeds."""
        return replace(self, seeds=seeds)

    def _with(self, change: Callable[[Variant], Variant], label: str | None = None) -> "Comparison":
        return replace(
            self, variants=tuple(change(v) if label is None or v.label == label else v for v in self.variants)
        )

    def _free_label(self, label: str) -> str:
        """The label, or "label (copy)", "label (copy 2)" … where that is taken."""
        original = _COPY.sub("", label)
        copies = [" (copy)", *(f" (copy {number})" for number in range(2, 2 + MAX_VARIANTS))]
        names = [label, *(original[: MAX_LABEL_LENGTH - len(copy)] + copy for copy in copies)]
        return next(name for name in names if name not in self.labels)


def comparison_specs(
    variants: Sequence[Variant], changes: dict[str, Any] | None = None, seeds: int = 1
) -> dict[str, list[RunSpec]]:
    """Each label's specs: `changes` made in every variant, then one spec a seed, counting up from the variant's.

    Raises:
        bnlab.specs.validation.SpecError: a changed field is out of its bounds.
    """
    revised = {variant.label: revise_spec(variant.spec, changes or {}) for variant in variants}
    return {
        label: [revise_spec(spec, {"seed": spec.seed + offset}) for offset in range(seeds)]
        for label, spec in revised.items()
    }


def _check_label(label: str) -> None:
    if not is_visible(label):
        raise SpecError("A variant needs a name.")
    if len(label) > MAX_LABEL_LENGTH:
        raise SpecError(
            f"A variant's name has at most {MAX_LABEL_LENGTH} characters; {label[:20]!r}… has {len(label)}."
        )
    if not all(map(is_label_character, label)):
        raise SpecError(
            f"A variant's name is one line without control characters and the sign ~, but {label!r} was given."
        )


def is_label_character(sign: str) -> bool:
    """Whether a name may have the sign in it; one that only joins others may be part of an emoji."""
    return sign != "~" and unicodedata.category(sign) not in _OF_NO_LINE


def normalize_spaces(text: str) -> str:
    """The text with a usual space for each of another kind: they look alike, and are pasted unawares."""
    return "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in text)


def is_visible(label: str) -> bool:
    """Whether there is anything to see of a name."""
    return any(unicodedata.category(sign) not in ("Cf", "Zs", *_OF_NO_LINE) for sign in label)
