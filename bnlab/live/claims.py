"""The view of the claims: how far running experiments are, and for what the page has to be rendered again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.formatting import duration_text
from bnlab.claims.model import Experiment
from bnlab.claims.runner import ClaimProgress
from bnlab.claims.service import ClaimSnapshot, ClaimStatus
from bnlab.live.events import Document
from bnlab.live.reading import DEFAULT_VERSION, PageVersions, Reading, version_of
from bnlab.runs.progress import group_progress


@dataclass(frozen=True)
class ClaimsView:
    """All claims. They are read from the store once a second, not with the runs of others."""

    digests: ClassVar[tuple[str, ...]] = ()
    drawn_digests: ClassVar[tuple[str, ...]] = ()

    def inputs(self, reading: Reading) -> object:
        """The document depends on the snapshot, which is a new one when it has been read again."""
        return reading.claims()

    def document(self, reading: Reading) -> Document:
        """What the page shows of this reading."""
        snapshot = reading.claims()
        statuses = {name: snapshot.status(claim) for name, claim in CLAIMS.items()}
        progress = {name: claim_progress(status) for name, status in statuses.items() if status.is_running}
        return {"page": claims_versions(snapshot), "progress": progress}


def claims_versions(snapshot: ClaimSnapshot) -> PageVersions:
    """The version of the claims: it changes when an experiment starts, fails or ends, and with each verdict."""
    return {DEFAULT_VERSION: version_of({name: _offer(snapshot.status(claim)) for name, claim in CLAIMS.items()})}


def _offer(status: ClaimStatus) -> tuple[object, ...]:
    """What of a status decides on the verdict and the buttons of its card."""
    result, runner, progress = status.result, status.runner, status.progress
    shown = (result.experiment.name, result.origin, str(result.verdict), result.cost) if result else ()
    failed = progress.problem if progress is not None and progress.has_failed else ""
    return (*shown, runner.experiment.name if runner else "", failed)


def claim_progress(status: ClaimStatus) -> Mapping[str, str | float]:
    """The text and the share of the progress of a running experiment."""
    if status.runner is None or status.progress is None:
        return {"text": "", "share": 0.0}
    text = progress_text(status.runner.experiment, status.progress)
    return {"text": text, "share": round(status.progress.fraction, 4)}


def progress_text(experiment: Experiment, progress: ClaimProgress) -> str:
    """The current work, and how much of it is left."""
    if progress.problem:
        return progress.problem
    size, coverage = f"{experiment.size_name}, {len(experiment.seeds)} seeds", progress.coverage
    if coverage.trained < coverage.runs:
        remaining = _remaining_text(group_progress(progress.runs).seconds_left)
        next_step = f"; then {coverage.measurements} measurements" if coverage.measurements else ""
        return f"Testing ({size}): {coverage.trained} of {coverage.runs} runs trained{remaining}{next_step}"
    remaining = _remaining_text(progress.seconds_left)
    return f"Testing ({size}): {coverage.measured} of {coverage.measurements} measurements taken{remaining}"


def _remaining_text(seconds: float | None) -> str:
    return f", about {duration_text(seconds)} left" if seconds else ""
