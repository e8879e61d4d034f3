"""A comparison's specs: its variants, changed together and repeated over seeds."""

from collections.abc import Sequence
from typing import Any

from bnlab.spec.parse import revise_spec
from bnlab.spec.presets import Variant
from bnlab.spec.run_spec import RunSpec


def comparison_specs(
    variants: Sequence[Variant], changes: dict[str, Any] | None = None, seeds: int = 1
) -> dict[str, list[RunSpec]]:
    """Each label's specs: `changes` made in every variant, then one spec a seed, counting up from the variant's.

    Raises:
        bnlab.spec.parse.SpecError: a changed field is out of its bounds.
    """
    revised = {variant.label: revise_spec(variant.spec, changes or {}) for variant in variants}
    return {
        label: [revise_spec(spec, {"seed": spec.seed + offset}) for offset in range(seeds)]
        for label, spec in revised.items()
    }
