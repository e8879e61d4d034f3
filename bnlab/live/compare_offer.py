"""What the Compare page offers to a visitor: its buttons, and whatever else of the runs' states its script draws.

The page draws from an offer, and is rendered again when the offer is another one. So an offer is as coarse as the page
is: a run that waited and now trains changes nothing in it. Everything else that moves comes over the event stream.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from cachetools import LRUCache, cached

from bnlab.live.reading import DEFAULT_VERSION, STATES_VERSION, PageVersions, page_version, version_of
from bnlab.runs.rights import Rights
from bnlab.runs.run import Run, RunState, are_active
from bnlab.runs.shares import COMMAND_LINE, NO_VISITOR, Shares

RunsByLabel = Mapping[str, Sequence[Run | None]]
"""By the variant's label, its runs, one for each seed; None where there is none."""
NAME_LENGTH = 8


class VariantButton(StrEnum):
    """The button on a variant's card."""

    NONE = "none"
    STOP = "stop"
    STOPPING = "stopping"
    RETRY = "retry"
    CONTINUE = "continue"


@dataclass(frozen=True)
class VariantOffer:
    """What the card of a variant offers.

    Attributes:
        button: which button.
        is_wanted: whether the visitor has a share in one of its runs that wait or train.
        errors: why runs have failed.
    """

    button: VariantButton
    is_wanted: bool
    errors: tuple[str, ...]


@dataclass(frozen=True)
class CompareOffer:
    """What the page offers to one visitor.

    Attributes:
        variants: what each card offers, by the variant's position.
        can_train: whether Train has an effect.
        is_continued: whether it continues a run.
        can_stop: whether Stop all has an effect.
        is_active: whether a run waits or trains, which defers the answer.
        exists: whether any run has been launched.
        is_trained_here: whether there are others than recorded ones.
        has_diverged: whether there are columns for divergences.
        ended: digests, states and times of the runs if none is active, on which the answer depends.
        problem: why nothing trains.
        is_hidden: whether a lesson hides the results.
    """

    variants: tuple[VariantOffer, ...]
    can_train: bool
    is_continued: bool
    can_stop: bool
    is_active: bool
    exists: bool
    is_trained_here: bool
    has_diverged: bool
    ended: tuple[tuple[str, str, float], ...]
    problem: str
    is_hidden: bool


def compare_offer(runs: RunsByLabel, rights: Rights, problem: str, *, is_hidden: bool) -> CompareOffer:
    """What the page of these runs offers to a visitor with these rights."""
    existing = [run for label_runs in runs.values() for run in label_runs if run is not None]
    launchable = [run for label_runs in runs.values() for run in label_runs if rights.may_launch(run)]
    is_active = are_active(existing)
    ended = sorted({(run.digest, str(run.state), run.created_at) for run in existing})
    return CompareOffer(
        variants=tuple(_variant_offer([run for run in found if run], rights) for found in runs.values()),
        can_train=bool(launchable),
        is_continued=any(run is not None and run.state.can_continue() for run in launchable),
        can_stop=any(
            not run.state.is_finished() and not run.stop_requested and rights.may_stop(run) for run in existing
        ),
        is_active=is_active,
        exists=bool(existing),
        is_trained_here=any(not run.recorded for run in existing),
        has_diverged=not is_hidden and any(run.state is RunState.DIVERGED for run in existing),
        ended=() if is_active or is_hidden else tuple(ended),
        problem=problem,
        is_hidden=is_hidden,
    )


def _variant_offer(runs: Sequence[Run], rights: Rights) -> VariantOffer:
    stoppable = [run for run in runs if not run.state.is_finished() and rights.may_stop(run)]
    resumable = [run.state for run in runs if run.state.can_continue()]
    if stoppable:
        button = VariantButton.STOPPING if all(run.stop_requested for run in stoppable) else VariantButton.STOP
    elif resumable:
        button = VariantButton.RETRY if RunState.FAILED in resumable else VariantButton.CONTINUE
    else:
        button = VariantButton.NONE
    errors = tuple(dict.fromkeys(run.error for run in runs if run.error))
    return VariantOffer(button, rights.visitor in rights.wanted_by(runs), errors)


def visitor_name(visitor: str) -> str:
    """The name of a visitor's version among `compare_versions`, which does not reveal who the visitor is."""
    return DEFAULT_VERSION if visitor == NO_VISITOR else hashlib.sha256(visitor.encode()).hexdigest()[:NAME_LENGTH]


def _key(runs: RunsByLabel, problem: str, shares: Mapping[str, Shares], *, is_hidden: bool) -> tuple[object, ...]:
    states = tuple(
        (run.digest, run.state, run.stop_requested, run.error, run.recorded, run.created_at) if run else None
        for label_runs in runs.values()
        for run in label_runs
    )
    return states, tuple(map(len, runs.values())), tuple(sorted(shares.items())), problem, is_hidden


@cached(LRUCache(256), key=_key, lock=Lock())
def compare_versions(runs: RunsByLabel, problem: str, shares: Mapping[str, Shares], *, is_hidden: bool) -> PageVersions:
    """The versions of the offers to all visitors: those with a share in runs that wait or train may have their own."""
    existing = [run for label_runs in runs.values() for run in label_runs if run is not None]
    others = version_of(compare_offer(runs, Rights(NO_VISITOR, shares), problem, is_hidden=is_hidden))
    versions = {DEFAULT_VERSION: others, STATES_VERSION: page_version(existing, problem, is_hidden, shares=shares)}
    for visitor in frozenset().union(*(held.wanted_by for held in shares.values())) - {COMMAND_LINE}:
        version = version_of(compare_offer(runs, Rights(visitor, shares), problem, is_hidden=is_hidden))
        if version != others:
            versions[visitor_name(visitor)] = version
    return versions
