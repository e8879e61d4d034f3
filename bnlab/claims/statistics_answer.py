"""How far apart a network's evaluations are with moving, the batch's own and re-estimated statistics, in sentences.

Early is the first evaluation after `EARLY_STEPS` steps, chosen before anything was measured: the weights have moved by
then, while moving averages of momentum 0.99 still hold 86 % of their initial values.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnlab.claims.statistics import CONFIDENCE, Interval, confidence_interval
from bnlab.runs.reader import read_evaluations
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.specs.choices import STATISTICS
from bnlab.specs.network import describe_network
from bnlab.specs.normalizers import NORMALIZERS
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import evaluation_columns

EARLY_STEPS = 15
MIN_SEEDS = 3
"""From so many seeds on there are intervals."""
MAX_VARIANTS = 2
"""In the sentences, the first ones of the comparison."""

Accuracies = NDArray[np.float64]


@dataclass(frozen=True)
class EvaluatedVariant:
    """The evaluations of one variant's runs.

    Attributes:
        label: the variant.
        steps: after which they were evaluated, the same in all seeds.
        accuracies: by images and statistics, of EVALUATED_IMAGES and STATISTICS: 0 to 1, `[seeds, evaluations]`.
    """

    label: str
    steps: Sequence[int]
    accuracies: Mapping[tuple[str, str], Accuracies]

    @property
    def early(self) -> int | None:
        """The position of the early evaluation; None if there is none before the last one."""
        return next((i for i, step in enumerate(self.steps[:-1]) if step >= EARLY_STEPS), None)

    @property
    def seeds(self) -> int:
        """The number of seeds."""
        return len(self.accuracies["validation", "moving"])

    def means(self, images: str, position: int) -> dict[str, float]:
        """For each of STATISTICS the accuracy on `images` at one evaluation, averaged over the seeds."""
        return {way: math.fsum(self.accuracies[images, way][:, position]) / self.seeds for way in STATISTICS}


def evaluated_variants(
    store: Store, specs: Mapping[str, Sequence[RunSpec]], runs: Mapping[str, Run]
) -> list[EvaluatedVariant]:
    """The variants of `specs` whose statistics can differ, with the completed runs that were evaluated in all ways.

    `runs` are by digest.
    """
    completed = {run.digest: run for run in runs.values() if run.state is RunState.COMPLETED}
    evaluated = read_evaluations(store, list(completed.values()))
    keys = [(images, way) for images in ("validation", "training") for way in STATISTICS]
    columns = {key: evaluation_columns(*key)[1] for key in keys}
    variants = []
    for label, variant_specs in specs.items():
        spec = variant_specs[0]
        if not (describe_network(spec).normalizations and NORMALIZERS[spec.normalizer].uses_batch_statistics):
            continue
        seeds = [evaluated[spec.digest] for spec in variant_specs if spec.digest in completed]
        seeds = [seed for seed in seeds if all(np.isfinite(seed[name]).all() for name in columns.values())]
        if seeds and len(seeds[0]["step"]):
            accuracies = {key: np.stack([seed[name] for seed in seeds]) for key, name in columns.items()}
            variants.append(EvaluatedVariant(label, seeds[0]["step"].tolist(), accuracies))
    return variants


def statistics_answer(variants: Sequence[EvaluatedVariant]) -> tuple[str, str]:
    """A sentence on up to `MAX_VARIANTS` variants early on, and the rest with intervals; empty without any."""
    named = [variant for variant in variants if variant.early is not None][:MAX_VARIANTS]
    return (_sentence(named), _detail(named)) if named else ("", "")


def _sentence(variants: Sequence[EvaluatedVariant]) -> str:
    """The accuracies early on; the statistics are named for the first variant."""
    parts: list[str] = []
    after = ""
    for variant in variants:
        assert variant.early is not None
        early = variant.means("validation", variant.early)
        moving, batch, reestimated = (_percent(early[way]) for way in ("moving", "batch", "reestimated"))
        reached = f"{variant.label}: {_percents(early[way] for way in STATISTICS)}"
        if not parts:
            reached = (
                f"{variant.label} reaches {moving} in validation with moving, {batch} with the batch’s own and "
                f"{reestimated} with re-estimated statistics"
            )
        before, after = after, f"after {variant.steps[variant.early]:,} steps"
        parts.append(reached if after == before else f"{after}, {reached}")
    text = "; ".join(parts)
    seeds = ", ".join(dict.fromkeys(_seeds_text(variant) for variant in variants))
    return f"{text[0].upper()}{text[1:]} ({seeds})."


def _seeds_text(variant: EvaluatedVariant) -> str:
    return f"{variant.seeds} seed{'s' if variant.seeds > 1 else ''}"


def _detail(variants: Sequence[EvaluatedVariant]) -> str:
    """Intervals of the re-estimated minus the moving accuracy, and the accuracies at the end.

    The intervals are corrected for all that are named (Bonferroni).
    """
    intervals, ends = [], []
    for variant in variants:
        last, training = variant.means("validation", -1), variant.means("training", -1)
        if variant.seeds >= MIN_SEEDS:
            early, end = (_interval_text(variant, at, 2 * len(variants)) for at in (variant.early or 0, -1))
            intervals.append(f"{variant.label} early {early}, at the end {end}")
        ends.append(
            f"{variant.label} {_percents(last[way] for way in STATISTICS)}, on training images "
            f"{_percents(training[way] for way in STATISTICS)}"
        )
    texts = [f"At the end with moving, the batch’s own and re-estimated statistics: {'; '.join(ends)}."]
    if intervals:
        texts.insert(
            0, f"Re-estimated minus moving, {_percent(CONFIDENCE, 0)} intervals in points: {'; '.join(intervals)}."
        )
    return " ".join(texts)


def _percents(shares: Iterable[float]) -> str:
    """Several accuracies with one unit: "91.6, 90.2 and 91.7 %"."""
    *first, last = (f"{share * 100:.1f}" for share in shares)
    return f"{', '.join(first)} and {last} %"


def _interval_text(variant: EvaluatedVariant, position: int, comparisons: int) -> str:
    gap = difference(variant, position, comparisons)
    if gap.width == 0:
        return f"{_signed(gap.mean)} in every seed"
    return f"{_signed(gap.low)} to {_signed(gap.high)}"


def difference(variant: EvaluatedVariant, position: int, comparisons: int) -> Interval:
    """The accuracy with re-estimated minus that with moving statistics, paired by seed."""
    moving, reestimated = (variant.accuracies["validation", way][:, position] for way in ("moving", "reestimated"))
    paired = np.round(reestimated - moving, 6).tolist()
    return confidence_interval(paired, 1 - (1 - CONFIDENCE) / comparisons)


def _percent(share: float, digits: int = 1) -> str:
    return f"{share * 100:.{digits}f} %"


def _signed(share: float) -> str:
    return f"{share * 100:+.2f}".replace("-", "−")
