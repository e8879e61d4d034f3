"""The answer of a comparison: one to three sentences on its runs, and what they are based on.

Variants of which a run diverged or ended near chance are named as such; the others are compared in their final
validation accuracy, paired by seed. A difference is claimed only from `MIN_SEEDS` seeds on and if its interval excludes
zero; the intervals hold together for all pairs that could have been named (Bonferroni), since the best and the worst
are chosen after looking.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bnlab.claims.statistics import CONFIDENCE, Interval, confidence_interval, paired_differences
from bnlab.runs.reader import read_evaluations
from bnlab.runs.run import Run, RunState, are_active
from bnlab.runs.store import Store
from bnlab.runs.summary import steps_to
from bnlab.specs.diff import confounded_settings, differing_fields, differing_settings
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec

MIN_SEEDS = 3
MAX_SENTENCES = 3
TARGET = 0.95
"""The validation accuracy to which steps are counted."""
NEAR_CHANCE = 1.5
"""Below this multiple of one in the number of classes a run has learned next to nothing."""
FASTER, SLOWER = 0.8, 1.25
"""Ratios of steps that are worth a sentence: beyond these."""
_SAME_STEPS = ("batch_size", "dataset", "train_examples", "validation")
"""Fields that must agree for a comparison of steps."""


class AnswerKind(StrEnum):
    """What an answer is based on: nothing yet, runs that still train, too few seeds, or enough."""

    NOTHING = "nothing"
    TRAINING = "training"
    SEEN = "seen"
    ANSWER = "answer"


@dataclass(frozen=True)
class Answer:
    """Sentences in plain text, which contain the variants' labels as users wrote them.

    Attributes:
        kind: what it is based on.
        sentences: one to `MAX_SENTENCES`.
        detail: seeds, intervals, and what differs; empty if there is nothing to add.
        seeds: the number of seeds that would allow an answer, None if there are enough.
        confounds: the titles of the settings whose effects cannot be told apart; see `confounded_settings`.
    """

    kind: AnswerKind
    sentences: tuple[str, ...]
    detail: str = ""
    seeds: int | None = None
    confounds: tuple[str, ...] = ()


@dataclass(frozen=True)
class VariantResult:
    """What the runs of one variant have measured.

    Attributes:
        label, spec: the variant; the spec's seed is the first of its seeds.
        accuracies: the final validation accuracy, 0 to 1, of each completed run, by seed.
        steps: the steps to `TARGET` of these runs, NaN if it was not reached, by seed.
        diverged: the number of runs that diverged.
        missing: the number of runs that were not trained to their end.
    """

    label: str
    spec: RunSpec
    accuracies: Mapping[int, float]
    steps: Mapping[int, float]
    diverged: int = 0
    missing: int = 0


@dataclass(frozen=True)
class _Pair:
    """Two variants and the interval of the difference of their accuracies; the first one is not the worse one."""

    better: VariantResult
    other: VariantResult
    difference: Interval

    @property
    def is_decided(self) -> bool:
        return not self.difference.contains(0)


def variant_results(
    store: Store, specs: Mapping[str, Sequence[RunSpec]], runs: Mapping[str, Run]
) -> list[VariantResult]:
    """The results of each label of `specs`, which has one spec per seed; `runs` are by digest."""
    evaluated = read_evaluations(store, [run for run in runs.values() if run.state is RunState.COMPLETED])
    results = []
    for label, variant_specs in specs.items():
        variant_runs = [runs[spec.digest] for spec in variant_specs if spec.digest in runs]
        completed = [run for run in variant_runs if run.digest in evaluated and len(evaluated[run.digest]["step"])]
        diverged = sum(run.state is RunState.DIVERGED for run in variant_runs)
        results.append(
            VariantResult(
                label,
                variant_specs[0],
                {run.spec.seed: float(evaluated[run.digest]["val_accuracy"][-1]) for run in completed},
                {run.spec.seed: steps_to(run, evaluated[run.digest], TARGET) for run in completed},
                diverged,
                len(variant_specs) - len(completed) - diverged,
            )
        )
    return results


def answer_from_runs(
    store: Store,
    specs: Mapping[str, Sequence[RunSpec]],
    runs: Mapping[str, Run],
    asks_about: str | None = None,
    baseline: str = "",
) -> Answer:
    """The answer of a comparison's runs, which are by digest; a caution while any of them trains."""
    if are_active(runs.values()):
        confounds = tuple(confounded_settings({label: variant_specs[0] for label, variant_specs in specs.items()}))
        caution = "Training: the curves can still cross. The answer follows when all runs have ended."
        return Answer(AnswerKind.TRAINING, (caution,), confounds=confounds)
    return answer(variant_results(store, specs, runs), asks_about, baseline)


def answer(results: Sequence[VariantResult], asks_about: str | None = None, baseline: str = "") -> Answer:
    """The answer of completed runs.

    Args:
        results: the variants, in the order of the comparison.
        asks_about: the field whose effect is asked for; only pairs that differ in it alone are compared, if there are
            any.
        baseline: the label of the variant that the others are compared with; by default the first one without
            normalization, or else the first one.
    """
    confounds = tuple(confounded_settings({result.label: result.spec for result in results}))
    failed = [result for result in results if _count_failed(result)]
    compared = [result for result in results if result.accuracies and result not in failed]
    sentences = [_failed_sentence(failed, compared, asks_about)] if failed else []
    if not compared:
        untrained = "Nothing is trained yet: press Train for an answer."
        kind = AnswerKind.SEEN if sentences else AnswerKind.NOTHING
        return Answer(kind, tuple(sentences or [untrained]), confounds=confounds)
    missing = _missing_text(results)
    seeds = sorted(set.intersection(*(set(result.accuracies) for result in compared)))
    reference = _reference(compared, baseline)
    if len(compared) == 1 or len(seeds) < MIN_SEEDS:
        sentences += _seen_sentences(compared, seeds, reference)
        needed = MIN_SEEDS if max(map(_count_runs, results)) < MIN_SEEDS else None
        return Answer(AnswerKind.SEEN, tuple(sentences), f"{missing}." if missing else "", needed, confounds)
    eligible = _eligible_pairs(compared, asks_about)
    pairs = [_pair(a, b, seeds, len(eligible)) for a, b in eligible]
    named = _named_pairs(pairs, sorted(compared, key=lambda result: -_mean(result, seeds)), reference)
    named = named[: MAX_SENTENCES - len(sentences)]
    sentences += map(_pair_sentence, named)
    others = [result for pair in eligible if reference in pair for result in pair if result is not reference]
    if len(sentences) < MAX_SENTENCES and (speed := _speed_sentence(reference, others, seeds)):
        sentences.append(speed)
    details = [f"{len(seeds)} seeds, paired", _intervals_text(named, len(eligible))]
    details += [_difference_text(compared, named)] if not confounds else []
    return Answer(
        AnswerKind.ANSWER, tuple(sentences), "; ".join(filter(None, [*details, missing])) + ".", None, confounds
    )


# Choosing pairs


def _reference(compared: Sequence[VariantResult], baseline: str) -> VariantResult:
    chosen = next((result for result in compared if result.label == baseline), None)
    plain = next((result for result in compared if not describe_network(result.spec).normalizations), None)
    return chosen or plain or compared[0]


def _eligible_pairs(
    compared: Sequence[VariantResult], asks_about: str | None
) -> list[tuple[VariantResult, VariantResult]]:
    """The pairs that differ in nothing but the field that is asked about, or all pairs if there is none."""
    return _only_differing_in(asks_about, compared) or list(itertools.combinations(compared, 2))


def _only_differing_in(name: str | None, results: Sequence[VariantResult]) -> list[tuple[VariantResult, VariantResult]]:
    """The pairs that differ in the field `name` alone; none without a name."""
    titles = [str(RunSpec.model_fields[name].title)] if name is not None else []
    specs = {result.label: result.spec for result in results}
    pairs = itertools.combinations(results, 2)
    return [(a, b) for a, b in pairs if titles and differing_settings(specs, a.label, b.label) == titles]


def _pair(a: VariantResult, b: VariantResult, seeds: Sequence[int], comparisons: int) -> _Pair:
    """The pair with its interval, which is corrected for the number of comparisons."""
    better, other = (a, b) if _mean(a, seeds) >= _mean(b, seeds) else (b, a)
    differences = paired_differences([better.accuracies[s] for s in seeds], [other.accuracies[s] for s in seeds])
    return _Pair(better, other, confidence_interval(differences, 1 - (1 - CONFIDENCE) / comparisons))


def _named_pairs(pairs: Sequence[_Pair], ordered: Sequence[VariantResult], reference: VariantResult) -> Sequence[_Pair]:
    """One or two pairs as they are; of more the best with the second, with the worst and with the reference.

    `ordered` are the variants, the best one first.
    """
    if len(pairs) <= 2:
        return pairs
    best = ordered[0].label
    wanted = dict.fromkeys(result.label for result in (ordered[1], ordered[-1], reference))
    named = [pair for label in wanted for pair in pairs if {pair.better.label, pair.other.label} == {best, label}]
    return named or pairs


def _mean(result: VariantResult, seeds: Sequence[int]) -> float:
    return math.fsum(result.accuracies[seed] for seed in seeds) / len(seeds)


# Sentences


def _failed_sentence(failed: Sequence[VariantResult], compared: Sequence[VariantResult], asks_about: str | None) -> str:
    """Which variants did not train, how, and where the first variant ends that differs only in what is asked about."""
    texts = []
    for result in failed:
        near_chance = _count_failed(result) - result.diverged
        kinds = [f"{result.diverged} diverged"] if result.diverged else []
        kinds += [f"{near_chance} ended near chance"] if near_chance else []
        texts.append(
            f"{result.label} did not train in {_count_failed(result)} of {_count(_count_runs(result), 'run')} "
            f"({_join(kinds)})"
        )
    partners = [b if a in failed else a for a, b in _only_differing_in(asks_about, [*failed, *compared])]
    partner = next((result for result in partners if len(failed) == 1 and result in compared), None)
    mean = _mean(partner, list(partner.accuracies)) if partner else 0.0
    return _join(texts) + (f", while {partner.label} ends at {_percent(mean, 2)}." if partner else ".")


def _seen_sentences(compared: Sequence[VariantResult], seeds: Sequence[int], reference: VariantResult) -> list[str]:
    """The final accuracies as they are, of three variants at most, and what an answer would need."""
    means = {result.label: _mean(result, list(result.accuracies)) for result in compared}
    labels = sorted(means, key=lambda label: -means[label])
    if len(labels) > MAX_SENTENCES:
        labels = [label for label in labels if label in (labels[0], reference.label, labels[-1])]
    several = any(len(result.accuracies) > 1 for result in compared)
    ends = _join([f"{label} at {_percent(means[label], 2)}" for label in labels])
    seen = f"Final validation accuracy{', averaged over seeds' if several else ''}: {ends}."
    if len(compared) == 1:
        return [seen]
    common = "One seed" if len(seeds) == 1 else f"{len(seeds) or 'No'} common seeds"
    return [seen, f"{common} cannot tell a difference from chance: train at least {MIN_SEEDS} seeds of each network."]


def _pair_sentence(pair: _Pair) -> str:
    better, other, difference = pair.better.label, pair.other.label, pair.difference
    if difference.mean == difference.width == 0:
        return f"{better} and {other} end equal in every seed."
    if pair.is_decided:
        return f"{better} ends {_points(difference.mean)} above {other}."
    return f"{better} and {other} end {_points(difference.mean)} apart on average: no difference you could rely on."


def _speed_sentence(reference: VariantResult, others: Sequence[VariantResult], seeds: Sequence[int]) -> str:
    """How fast variants reach the target compared with the reference; empty if nothing can be relied on."""
    comparable = [
        other
        for other in others
        if all(getattr(other.spec, name) == getattr(reference.spec, name) for name in _SAME_STEPS)
        and all(math.isfinite(other.steps[seed]) for seed in seeds)
    ]
    reached = [seed for seed in seeds if math.isfinite(reference.steps[seed])]
    if comparable and not reached:
        steps = {other.label: math.fsum(other.steps[seed] for seed in seeds) / len(seeds) for other in comparable}
        fastest = sorted(steps, key=lambda label: steps[label])[:2]
        texts = [f"{label} after about {steps[label]:,.0f} steps" for label in fastest]
        return f"{reference.label} never reaches {_percent(TARGET)}, {_join(texts)}."
    if len(reached) < len(seeds):
        return ""
    shares: dict[str, float] = {}
    for other in comparable:
        logs = [math.log(max(other.steps[seed], 1) / max(reference.steps[seed], 1)) for seed in seeds]
        interval = confidence_interval(logs, 1 - (1 - CONFIDENCE) / len(comparable))
        share = math.exp(interval.mean)
        if not interval.contains(0) and not FASTER < share < SLOWER:
            shares[other.label] = share
    if not shares:
        return ""
    fastest = sorted(shares, key=lambda label: shares[label])[:2]
    subject, share = _join(fastest), _join([_percent(shares[label]) for label in fastest])
    verb = "reaches" if len(fastest) == 1 else "reach"
    return f"{subject} {verb} {_percent(TARGET)} in about {share} of the steps that {reference.label} needs."


# Details


def _intervals_text(pairs: Sequence[_Pair], comparisons: int) -> str:
    corrected = f", corrected for {comparisons} comparisons" if comparisons > 1 else ""
    intervals = [
        f"{better.label} minus {other.label} {_signed(difference.low)} to {_signed(difference.high)}"
        for better, other, difference in ((pair.better, pair.other, pair.difference) for pair in pairs)
    ]
    return f"{_percent(CONFIDENCE)} intervals in points{corrected}: {', '.join(intervals)}"


def _difference_text(compared: Sequence[VariantResult], pairs: Sequence[_Pair]) -> str:
    """The only field that differs, or the pairs that differ in several."""
    specs = {result.label: result.spec for result in compared}
    fields = list(differing_fields(specs))
    if len(fields) == 1:
        return f"only “{fields[0]}” differs"
    labels = [(pair.better.label, pair.other.label) for pair in pairs]
    differing = {(a, b): titles for a, b in labels if len(titles := differing_settings(specs, a, b)) > 1}
    return ", ".join(f"{a} and {b} differ in {_join(titles)}" for (a, b), titles in differing.items())


def _missing_text(results: Iterable[VariantResult]) -> str:
    missing = sum(result.missing for result in results)
    return f"{_count(missing, 'run')} not trained to the end" if missing else ""


# Numbers and lists


def _count_runs(result: VariantResult) -> int:
    return len(result.accuracies) + result.diverged + result.missing


def _count_failed(result: VariantResult) -> int:
    """The number of runs that diverged or ended near chance."""
    chance = NEAR_CHANCE / result.spec.data.classes
    return result.diverged + sum(accuracy < chance for accuracy in result.accuracies.values())


def _percent(share: float, digits: int = 0) -> str:
    return f"{share * 100:.{digits}f} %"


def _points(difference: float) -> str:
    return f"{difference * 100:.{1 if difference >= 0.01 else 2}f} points"


def _signed(difference: float) -> str:
    return f"{difference * 100:+.2f}".replace("-", "−")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _join(texts: Sequence[str]) -> str:
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
