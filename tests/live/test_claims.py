"""What the stream of the Claims page brings: the progress of experiments, and when the page is to be rendered again."""

from dataclasses import replace
from pathlib import Path

import pytest

from bnlab.claims import service as service_module
from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import plan_experiment
from bnlab.claims.results import Coverage, trained_specs
from bnlab.claims.runner import ClaimProgress
from bnlab.claims.service import ClaimService
from bnlab.live.claims import ClaimsView, claims_versions, progress_text
from bnlab.runs.experiment_queue import dequeue, enqueue
from bnlab.runs.groups import launch_group
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from tests.live.still_scheduler import StillScheduler, reader_of
from tests.stored_runs import OWNER, make_evaluation, record_run
from tests.tiny_claim import CLAIM

TINY = replace(CLAIM, id="A2")
EXPERIMENT = plan_experiment(TINY)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setitem(CLAIMS, "A2", TINY)
    monkeypatch.setattr(service_module, "recorded_results", dict)
    return Store(f"sqlite:///{tmp_path}/bnlab.db")


def train(store: Store, first: int, last: int) -> None:
    for spec in trained_specs(EXPERIMENT)[first:last]:
        record_run(store, spec, (1.0,), (make_evaluation(2, val_accuracy=0.9),), RunState.COMPLETED)


def test_the_document_follows_an_experiment(store: Store) -> None:
    def shown() -> dict:
        return dict(ClaimsView().document(reader_of(store).read(())))

    idle = shown()
    assert idle["progress"] == {}
    launch_group(store, EXPERIMENT.name, [(spec, "A2") for spec in trained_specs(EXPERIMENT)], OWNER)
    enqueue(store, [EXPERIMENT.name])
    started = shown()
    assert started["progress"]["A2"]["text"].endswith("0 of 4 runs trained")
    assert started["page"] != idle["page"], "the card has progress instead of buttons"
    train(store, 0, 1)
    later = shown()
    assert "1 of 4 runs trained" in later["progress"]["A2"]["text"]
    assert later["progress"]["A2"]["share"] > started["progress"]["A2"]["share"]
    assert later["page"] == started["page"], "a run changes nothing that the page offers"
    train(store, 1, 4)
    ended = shown()
    assert ended["progress"] == {}
    assert ended["page"] not in (idle["page"], started["page"]), "there is a verdict"
    dequeue(store, EXPERIMENT.name)
    assert shown()["page"] == idle["page"]


def test_the_page_and_the_stream_name_the_same_version(store: Store) -> None:
    enqueue(store, [EXPERIMENT.name])
    page = claims_versions(ClaimService(StillScheduler(store)()).snapshot())
    assert ClaimsView().document(reader_of(store).read(()))["page"] == page


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (ClaimProgress((), Coverage(4, 0, 3, 0), "", has_failed=False), "0 of 4 runs trained; then 3 measurements"),
        (ClaimProgress((), Coverage(0, 0, 3, 0), "", has_failed=False), "0 of 3 measurements taken"),
        (ClaimProgress((), Coverage(0, 0, 3, 1), "", False, 8.2), "1 of 3 measurements taken, about 8 s left"),
    ],
)
def test_progress_as_text(progress: ClaimProgress, text: str) -> None:
    assert progress_text(plan_experiment(CLAIM), progress) == f"Testing (quick, 2 seeds): {text}"
