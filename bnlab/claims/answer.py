"""The answer of a comparison: one to three sentences on its runs, and what they are based on.

Variants of which a run diverged or ended near chance are named as such; the others are compared in their final
validation accuracy, paired by seed. A difference is claimed only from `MIN_SEEDS` seeds on and if its interval excludes
zero; the intervals hold together for all pairs that could have been named (Bonferroni), since the best and the worst
are chosen after looking. They cover what differs from seed to seed, with the validation images as they are.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from bnlab.claims.statistics import CONFIDENCE, Interval, confidence_interval, paired_differences
from bnlab.claims.statistics_answer import evaluated_variants, statistics_answer
from bnlab.runs.reader import read_evaluations
from bnlab.runs.run import Run, RunState, are_active
from bnlab.runs.store import Store
from bnlab.runs.summary import steps_to
from bnlab.specs.diff import confounded_settings, differing_settings, differing_training
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec

MIN_SEEDS = 3
MAX_SENTENCES = 3
TARGET = 0.95
"""The validation accuracy to which steps are counted."""
SMALL = 0.005
"""Half a point. An interval that includes zero but reaches farther than this leaves open what the seeds could tell."""
MORE_SEEDS = (5, 10, 20)
"""The numbers of seeds that are offered where `MIN_SEEDS` leave a difference open."""
ACCURACY_DIGITS = 6
"""Differences are rounded to these decimals, since accuracies of counted images may be stored in single precision."""
NEAR_CHANCE = 1.5
"""Below this multiple of one in the number of classes a run has learned next to nothing."""
FASTER, SLOWER = 0.8, 1.25
"""Ratios of steps that are worth a sentence: beyond these."""
_SAME_STEPS = ("batch_size", "dataset", "train_examples", "validation")
"""Fields that must agree for a comparison of steps."""


class AnswerKind(StrEnum):
    """What an answer is: nothing yet, a caution while runs train, what the runs did, or what follows from them."""

    NOTHING = "nothing"
    TRAINING = "training"
    DESCRIPTION = "description"
    ANSWER = "answer"


@dataclass(frozen=True)
class Answer:
    """Sentences in plain text, which contain the variants' labels as users wrote them.

    Attributes:
        kind: what it is based on.
        sentences: one to `MAX_SENTENCES`.
        detail: seeds, intervals, and what differs; empty if there is nothing to add.
        seeds: a number of seeds that would allow an answer or a clearer one, None if there are enough.
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
    def is_constant(self) -> bool:
        """Whether the difference is the same in every seed, which leaves its deviation unknown."""
        return self.difference.width == 0

    @property
    def is_decided(self) -> bool:
        return not self.difference.contains(0) and not self.is_constant

    @property
    def is_open(self) -> bool:
        """Whether more seeds could show a difference that matters."""
        reach = max(-self.difference.low, self.difference.high)
        return not self.is_decided and reach > SMALL


def variant_results(
    store: Store, specs: Mapping[str, Sequence[RunSpec]], runs: Mapping[str, Run]
) -> list[VariantResult]:
    """The results of each label of `specs`, which has one spec per seed; `runs` are by digest."""
    evaluated = read_evaluations(store, [run for run in runs.values() if run.state is RunState.COMPLETED])
    results = []
    for label, variant_specs in specs.items():
        variant_runs = [runs[spec.digest] for spec in variant_specs if spec.digest in runs]
        completed = [run for run in variant_runs if run.digest in evaluated and _has_result(evaluated[run.digest])]
        diverged = sum(run.state is RunState.DIVERGED for run in variant_runs)
        results.append(
            VariantResult(
                label,
                variant_specs[0],
                {run.spec.seed: float(evaluated[run.digest]["val_accuracy"][-1]) for run in completed},
                {run.spec.seed: steps_to(evaluated[run.digest], TARGET) for run in completed},
                diverged,
                len(variant_specs) - len(completed) - diverged,
            )
        )
    return results


def _has_result(evaluations: Mapping[str, Any]) -> bool:
    """Whether there is a final validation accuracy; `evaluations` are the columns of one run."""
    return len(evaluations["step"]) > 0 and math.isfinite(evaluations["val_accuracy"][-1])


def answer_from_runs(
    store: Store,
    specs: Mapping[str, Sequence[RunSpec]],
    runs: Mapping[str, Run],
    asks_about: str | None = None,
    baseline: str = "",
) -> Answer:
    """The answer of a comparison's runs, which are by digest; a caution while any of them trains.

    Where runs were evaluated with several statistics, how far these are apart comes first.
    """
    if are_active(runs.values()):
        confounds = tuple(confounded_settings({label: variant_specs[0] for label, variant_specs in specs.items()}))
        caution = "Training: the curves can still cross. The answer follows when all runs have ended."
        return Answer(AnswerKind.TRAINING, (caution,), confounds=confounds)
    given = answer(variant_results(store, specs, runs), asks_about, baseline)
    sentence, detail = statistics_answer(evaluated_variants(store, specs, runs))
    if not sentence:
        return given
    details = " ".join(filter(None, [detail, given.detail]))
    return replace(given, sentences=(sentence, *given.sentences)[:MAX_SENTENCES], detail=details)


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
        untrained = "No run has finished yet. Train the networks to get an answer."
        kind = AnswerKind.DESCRIPTION if sentences else AnswerKind.NOTHING
        return Answer(kind, tuple(sentences or [untrained]), confounds=confounds)
    missing = _missing_text(results)
    seeds = sorted(set.intersection(*(set(result.accuracies) for result in compared)))
    reference = _reference(compared, baseline)
    if len(compared) == 1 or len(seeds) < MIN_SEEDS:
        sentences += _description(compared, seeds, reference)
        needed = MIN_SEEDS if max(map(_count_runs, results)) < MIN_SEEDS else None
        return Answer(AnswerKind.DESCRIPTION, tuple(sentences), f"{missing}." if missing else "", needed, confounds)
    eligible = _eligible_pairs(compared, asks_about)
    pairs = [_pair(a, b, seeds, len(eligible)) for a, b in eligible]
    named = _named_pairs(pairs, sorted(compared, key=lambda result: -_mean(result, seeds)), reference)
    named = named[: MAX_SENTENCES - len(sentences)]
    sentences += map(_pair_sentence, named)
    needed = _more_seeds(len(seeds), max(map(_count_runs, results))) if any(pair.is_open for pair in named) else None
    others = [result for pair in eligible if reference in pair for result in pair if result is not reference]
    speed, speed_detail = _speed_texts(reference, others, seeds) if len(sentences) < MAX_SENTENCES else ("", "")
    sentences += [speed] if speed else []
    details = [f"{len(seeds)} seeds, paired", _intervals_text(named, len(eligible)), speed_detail]
    details += [_difference_text(compared, named)] if not confounds else []
    return Answer(
        AnswerKind.ANSWER, tuple(sentences), "; ".join(filter(None, [*details, missing])) + ".", needed, confounds
    )


@dataclass(frozen=True)
class Winner:
    """Which variant ends most accurate, as far as its runs can tell.

    Attributes:
        label: the variant; None if the best two do not differ, or if that is not decided.
        is_decided: whether `label` is an answer.
        margin: how far it ends above the next one, 0 to 1; None if there is no next one with a result.
        sentence: the same in words, with the interval.
    """

    label: str | None
    is_decided: bool
    margin: float | None
    sentence: str


def find_winner(results: Sequence[VariantResult]) -> Winner:
    """The most accurate variant, by the paired difference to the next one, corrected for all pairs."""
    failed = [result for result in results if _count_failed(result)]
    compared = [result for result in results if result.accuracies and result not in failed]
    seeds = sorted(set.intersection(*(set(result.accuracies) for result in compared))) if compared else []
    if len(seeds) < MIN_SEEDS or any(result.missing for result in results):
        return Winner(
            None, False, None, f"The results decide nothing yet: that takes {MIN_SEEDS} seeds of each network."
        )
    ordered = sorted(compared, key=lambda result: -_mean(result, seeds))
    if len(ordered) == 1:
        others = _failed_sentence(failed, compared, None) if failed else "There is no other network."
        return Winner(ordered[0].label if failed else None, bool(failed), None, others)
    comparisons = math.comb(len(ordered), 2)
    pair = _pair(ordered[0], ordered[1], seeds, comparisons)
    interval = _intervals_text([pair], comparisons)
    sentence = f"{_pair_sentence(pair)} {f'{interval}.' if interval else ''}".strip()
    is_equal = pair.is_constant and pair.difference.mean == 0
    is_tie = is_equal or not (pair.is_decided or pair.is_constant or pair.is_open)
    label = pair.better.label if pair.is_decided else None
    return Winner(label, pair.is_decided or is_tie, pair.difference.mean, sentence)


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
    rounded = [round(difference, ACCURACY_DIGITS) for difference in differences]
    return _Pair(better, other, confidence_interval(rounded, 1 - (1 - CONFIDENCE) / comparisons))


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


def _more_seeds(paired: int, launched: int) -> int | None:
    """The next number of seeds after those that are paired; None if as many are launched, or there is no next one."""
    seeds = next((number for number in MORE_SEEDS if number > paired), 0)
    return seeds if seeds > launched else None


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


def _description(compared: Sequence[VariantResult], seeds: Sequence[int], reference: VariantResult) -> list[str]:
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
    common = (
        f"{len(seeds)} common seeds cannot" if len(seeds) > 1 else "One seed cannot" if seeds else "Unlike seeds cannot"
    )
    return [seen, f"{common} tell a difference from chance: train at least {MIN_SEEDS} seeds of each network."]


def _pair_sentence(pair: _Pair) -> str:
    better, other, difference = pair.better.label, pair.other.label, pair.difference
    if pair.is_constant and difference.mean == 0:
        return f"{better} and {other} end equal in every seed."
    if pair.is_constant:
        return (
            f"{better} ends {_points(difference.mean)} above {other} in every seed; equal differences have no interval."
        )
    if pair.is_decided:
        return f"{better} ends {_points(difference.mean)} above {other}."
    apart = f"{better} and {other} end {_points(difference.mean)} apart on average"
    if pair.is_open:
        return f"{apart}, which {_count(difference.n, 'seed')} cannot tell from chance."
    return f"{apart}: no difference you could rely on."


def _speed_texts(reference: VariantResult, others: Sequence[VariantResult], seeds: Sequence[int]) -> tuple[str, str]:
    """How fast variants reach the target compared with the reference, and intervals; empty if nothing is certain.

    The shares are geometric means over seeds; their intervals hold together for all variants compared (Bonferroni).
    """
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
        return f"{reference.label} never reaches {_percent(TARGET)}, {_join(texts)}.", ""
    if len(reached) < len(seeds):
        return "", ""
    shares: dict[str, Interval] = {}
    for other in comparable:
        logs = [math.log(max(other.steps[seed], 1) / max(reference.steps[seed], 1)) for seed in seeds]
        interval = confidence_interval(logs, 1 - (1 - CONFIDENCE) / len(comparable))
        if not interval.contains(0) and not FASTER < math.exp(interval.mean) < SLOWER:
            shares[other.label] = interval
    if not shares:
        return "", ""
    fastest = sorted(shares, key=lambda label: shares[label].mean)[:2]
    means = [_percent(math.exp(shares[label].mean)) for label in fastest]
    verb, respectively = ("reaches", "") if len(fastest) == 1 else ("reach", ", respectively")
    sentence = (
        f"{_join(fastest)} {verb} {_percent(TARGET)} in about {_join(means)} of the steps that {reference.label} needs"
        f"{respectively}."
    )
    limits = [
        f"{label} {math.exp(shares[label].low) * 100:.0f} to {_percent(math.exp(shares[label].high))}"
        for label in fastest
    ]
    return sentence, f"steps to {_percent(TARGET)}, of {reference.label}’s: {', '.join(limits)}"


# Details


def _intervals_text(pairs: Sequence[_Pair], comparisons: int) -> str:
    corrected = f", corrected for {comparisons} comparisons" if comparisons > 1 else ""
    intervals = [
        f"{better.label} minus {other.label} {_signed(difference.low)} to {_signed(difference.high)}"
        for better, other, difference in (
            (pair.better, pair.other, pair.difference) for pair in pairs if not pair.is_constant
        )
    ]
    return f"{_percent(CONFIDENCE)} intervals in points{corrected}: {', '.join(intervals)}" if intervals else ""


def _difference_text(compared: Sequence[VariantResult], pairs: Sequence[_Pair]) -> str:
    """The only field that differs, or the pairs that differ in several."""
    specs = {result.label: result.spec for result in compared}
    fields = differing_training(specs)
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
