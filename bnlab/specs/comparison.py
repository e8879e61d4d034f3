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
_NOT_IN_ONE_LINE = ("Cc", "Cs", "Zl", "Zp")
"""Unicode categories: control characters, surrogates, and line and paragraph separators."""

_COPY_SUFFIX = re.compile(r" \(copy( [0-9])?\)$")


@dataclass(frozen=True)
class Variant:
    """A labelled spec in a comparison; `colour` is an index into the palette, 0 to `MAX_VARIANTS - 1`."""

    label: str
    spec: RunSpec
    colour: int = 0


@dataclass(frozen=True)
class Comparison:
    """1 to `MAX_VARIANTS` variants with different labels, each trained with `seeds` seeds.

    Immutable: the `with_...` methods return a changed copy.

    Raises:
        SpecError: there are too many variants, two have the same label, or a label or number is out of its bounds.
    """

    variants: tuple[Variant, ...]
    seeds: int = 1

    def __post_init__(self) -> None:
        """Check the bounds."""
        if not 1 <= len(self.variants) <= MAX_VARIANTS:
            raise SpecError(f"A comparison has 1 to {MAX_VARIANTS} variants, but {len(self.variants)} were given.")
        if not 1 <= self.seeds <= MAX_SEEDS or self.seeds % 1:
            raise SpecError(f"Seeds must be a whole number from 1 to {MAX_SEEDS}, but {self.seeds} was given.")
        for label in self.labels:
            _check_label(label)
        if len(set(self.labels)) < len(self.labels):
            raise SpecError("Two variants of a comparison cannot have the same name.")
        if any(not 0 <= variant.colour < MAX_VARIANTS for variant in self.variants):
            raise SpecError(f"A variant's color is a number from 0 to {MAX_VARIANTS - 1}.")
        if self.seeds > 1:
            self.specs()  # raises SpecError if a seed counted up leaves its bounds

    @property
    def labels(self) -> list[str]:
        """The variants' labels, in order."""
        return [variant.label for variant in self.variants]

    def __getitem__(self, label: str) -> Variant:
        """The variant with that label; KeyError if there is none."""
        return {variant.label: variant for variant in self.variants}[label]

    def specs(self) -> dict[str, list[RunSpec]]:
        """The specs of each label, one per seed."""
        return comparison_specs(self.variants, seeds=self.seeds)

    def with_changes(self, changes: dict[str, Any], label: str | None = None) -> "Comparison":
        """Change fields in the variant `label`, or in all variants."""
        return self._map(lambda v: replace(v, spec=revise_spec(v.spec, changes)), label)

    def with_label(self, label: str, new_label: str) -> "Comparison":
        """Rename the variant `label`."""
        return self._map(lambda v: replace(v, label=normalize_spaces(new_label).strip()), label)

    def with_colour(self, label: str, colour: int) -> "Comparison":
        """Give a variant another colour; a variant that had it gets the old one."""
        old_colour = self[label].colour
        swapped = self._map(lambda v: replace(v, colour=old_colour if v.colour == colour else v.colour))
        return swapped._map(lambda v: replace(v, colour=colour), label)

    def with_variant(self, variant: Variant) -> "Comparison":
        """Append a variant, relabelled and recoloured where its label or colour is taken."""
        used_colours = {v.colour for v in self.variants}
        colour = next((colour for colour in range(MAX_VARIANTS) if colour not in used_colours), variant.colour)
        appended = replace(variant, label=self._free_label(variant.label), colour=colour)
        return replace(self, variants=(*self.variants, appended))

    def without_variant(self, label: str) -> "Comparison":
        """Remove a variant."""
        return replace(self, variants=tuple(v for v in self.variants if v.label != label))

    def with_seeds(self, seeds: int) -> "Comparison":
        """Set the number of seeds."""
        return replace(self, seeds=seeds)

    def _map(self, change: Callable[[Variant], Variant], label: str | None = None) -> "Comparison":
        return replace(
            self, variants=tuple(change(v) if label is None or v.label == label else v for v in self.variants)
        )

    def _free_label(self, label: str) -> str:
        """The label, or "label (copy)", "label (copy 2)" … where that is taken."""
        original = _COPY_SUFFIX.sub("", label)
        suffixes = [" (copy)", *(f" (copy {number})" for number in range(2, 2 + MAX_VARIANTS))]
        candidates = [label, *(original[: MAX_LABEL_LENGTH - len(suffix)] + suffix for suffix in suffixes)]
        return next(candidate for candidate in candidates if candidate not in self.labels)


def comparison_specs(
    variants: Sequence[Variant], changes: dict[str, Any] | None = None, seeds: int = 1
) -> dict[str, list[RunSpec]]:
    """The specs of each label: `changes` applied, then one spec per seed, counting up from the variant's seed.

    Raises:
        bnlab.specs.validation.SpecError: a changed field is out of its bounds.
    """
    changed = {variant.label: revise_spec(variant.spec, changes or {}) for variant in variants}
    return {
        label: [revise_spec(spec, {"seed": spec.seed + offset}) for offset in range(seeds)]
        for label, spec in changed.items()
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


def is_label_character(character: str) -> bool:
    """Whether a label may contain the character. Format characters may: they join the parts of an emoji."""
    return character != "~" and unicodedata.category(character) not in _NOT_IN_ONE_LINE


def normalize_spaces(text: str) -> str:
    """Replace every Unicode space by an ordinary one: they look alike, and pasted text contains them."""
    return "".join(" " if unicodedata.category(character) == "Zs" else character for character in text)


def is_visible(label: str) -> bool:
    """Whether the label has a visible character."""
    return any(unicodedata.category(character) not in ("Cf", "Zs", *_NOT_IN_ONE_LINE) for character in label)
