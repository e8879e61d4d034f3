"""The command `claims`: errors, output and files, on recorded runs and on real ones."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from bnlab.claims.model import plan_experiment
from bnlab.claims.results import Coverage, needed_measurements, trained_specs
from bnlab.claims.runner import ClaimProgress, ClaimRunner
from bnlab.cli import claims as claims_command
from bnlab.cli.commands import main
from bnlab.cli.options import plain_console
from bnlab.runs.errors import DAMAGED
from bnlab.runs.measurements import write_measurement
from bnlab.runs.run import RunState
from bnlab.runs.schema import measurements
from bnlab.runs.store import Store
from tests.claims.test_runner import CLAIM as MEASURED_CLAIM
from tests.claims.test_runner import IdleScheduler
from tests.runs.unreadable_runs import make_unreadable
from tests.stored_runs import OWNER, make_evaluation, record_run
from tests.tiny_claim import CLAIM, NORMALIZED, TINY


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    address = f"sqlite:///{tmp_path / 'bnlab.db'}"
    monkeypatch.setenv("BNLAB_STORE", address)
    monkeypatch.delenv("BNLAB_SCHEDULER", raising=False)
    monkeypatch.setattr(claims_command, "console", plain_console(width=120))
    return address


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry's first claim is a tiny one, so that a trial takes a second."""
    monkeypatch.setitem(claims_command.CLAIMS, "O1", CLAIM)


@pytest.fixture
def no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    """For commands that must end before any worker is started."""
    monkeypatch.setattr(claims_command, "Scheduler", None)


def invoke(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["claims", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Z9"], "'Z9' is not one of 'o1', 'o2', 'o3'"),
        (["--seeds", "5"], "seeds are FROM:TO, as 0:5 for 0 to 4: at least one, at most 100, but '5' was given."),
        (["--seeds", "5:5"], "but '5:5' was given."),
        (["--seeds", "-1:5"], "but '-1:5' was given."),
        (["--seeds", "0:101"], "but '0:101' was given."),
        (["--seeds", "2147483647:2147483649"], "was given."),
        (["--seeds", "٠:٥"], "was given."),
        (["--json", "/no/such/folder/claims.json"], "/no/such/folder is not a folder."),
    ],
)
@pytest.mark.usefixtures("no_scheduler", "url")
def test_invalid_arguments(arguments: list[str], message: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


@pytest.mark.usefixtures("no_scheduler", "url")
def test_counted_claims_need_no_training(tmp_path: Path) -> None:
    path = tmp_path / "claims.json"
    result = invoke("d2", "O2", "--json", str(path))
    assert result.exit_code == 0, result.output
    o2, d2 = json.loads(path.read_text())
    assert (o2["id"], o2["verdict"], o2["difference"]["mean"]) == ("O2", "supported", 2)
    assert (d2["id"], d2["verdict"], d2["runs"]) == ("D2", "supported", 0)
    assert all(text in result.output for text in ("Mean and standard deviation", "+600 (+600 to +600)"))


@pytest.mark.usefixtures("no_scheduler", "tiny")
def test_trained_claims_need_no_worker(url: str, tmp_path: Path) -> None:
    store, path = Store(url), tmp_path / "claims.json"
    for spec, accuracy in ((TINY, 0.8), (NORMALIZED, 0.9)):
        for seed in (3, 4, 5):
            ended = make_evaluation(2, val_accuracy=accuracy + seed / 1000)
            record_run(
                store, spec.model_copy(update={"seed": seed, "epochs": 1}), (1.0, 1.0), (ended,), RunState.COMPLETED
            )
    result = invoke("O1", "--quick", "--seeds", "3:6", "--json", str(path))
    assert result.exit_code == 0, result.output
    (document,) = json.loads(path.read_text())
    assert (document["verdict"], document["runs"], document["difference"]["n"]) == ("supported", 6, 3)
    assert "+10.00 (+10.00 to +10.00) points" in " ".join(result.output.split())


@pytest.mark.usefixtures("no_scheduler", "tiny")
def test_seeds_are_added_until_the_claim_is_decided(url: str) -> None:
    """Of 2 seeds the interval reaches across the smallest effect, of 4 no more; all runs are recorded beforehand."""
    store = Store(url)
    for spec, accuracies in ((TINY, [0.8] * 4), (NORMALIZED, [0.83, 0.84, 0.835, 0.835])):
        for seed, accuracy in enumerate(accuracies):
            ended = make_evaluation(2, val_accuracy=accuracy)
            sized = spec.model_copy(update={"seed": seed, "epochs": 1})
            record_run(store, sized, (1.0, 1.0), (ended,), RunState.COMPLETED)
    undecided, decided = invoke("O1").output, invoke("O1", "--until-decided").output
    assert "undecided" in undecided
    assert "supported" in decided
    assert "undecided" not in decided


@pytest.mark.usefixtures("no_scheduler", "tiny")
@pytest.mark.parametrize("trained", [0, 3])
def test_an_unreadable_run_is_said_before_anything_is_trained(url: str, trained: int) -> None:
    store, (first, *others) = Store(url), trained_specs(plan_experiment(CLAIM))
    make_unreadable(store, first, "newer", "a field")
    for spec in others[:trained]:
        record_run(store, spec, (1.0, 1.0), (make_evaluation(2),), RunState.COMPLETED)
    result = invoke("O1")
    assert result.exit_code == 2
    assert "“newer” was written by another version" in result.output


@pytest.mark.usefixtures("no_scheduler")
def test_a_damaged_measurement_is_said(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = plan_experiment(MEASURED_CLAIM)
    monkeypatch.setitem(claims_command.CLAIMS, "O1", MEASURED_CLAIM)
    store = Store(url)
    for spec in trained_specs(experiment):
        record_run(store, spec, (1.0, 1.0), (make_evaluation(2),), RunState.COMPLETED)
    for measurement in needed_measurements(experiment):
        write_measurement(store, measurement, pd.DataFrame({"step": [2]}))
    assert invoke("O1").exit_code == 0
    with store.engine.begin() as connection:
        connection.execute(update(measurements).values(result=b"PAR1"))
    result = invoke("O1")
    assert result.exit_code == 2
    assert DAMAGED in " ".join(result.output.split())


@pytest.mark.usefixtures("tiny")
def test_a_run_that_becomes_unreadable_ends_the_command(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the other version wrote it between two polls."""
    store, (first, *others) = Store(url), trained_specs(plan_experiment(CLAIM))
    for spec in others:
        record_run(store, spec, (1.0, 1.0), (make_evaluation(2),), RunState.COMPLETED)

    class OtherVersion(IdleScheduler):
        def __init__(self, store: Store, scheduler: str | None) -> None:
            super().__init__(store)

        def launch_group(self, *launched: Any) -> None:
            super().launch_group(*launched)
            store.withdraw([first.digest])
            make_unreadable(store, first, "newer", "a field")

        def stop(self, digests: list[str], visitor: str) -> None:
            self.store.request_stop(digests, visitor)

        def close(self) -> None:
            pass

    monkeypatch.setattr(claims_command, "Scheduler", OtherVersion)
    result = invoke("O1")
    assert result.exit_code == 1
    assert "X1: The run “newer” was written by another version" in result.output


@pytest.mark.workers
@pytest.mark.usefixtures("tiny")
def test_claims_are_trained_and_failures_are_printed(url: str, scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNLAB_SCHEDULER", scheduler)
    assert invoke("O1").exit_code == 0
    store = Store(url)
    assert [run.state for run in store.runs()] == [RunState.COMPLETED] * 4
    monkeypatch.setattr(ClaimRunner, "progress", failing)
    result = invoke("O1", "--full")
    assert result.exit_code == 1
    assert "X1: A run failed [out of memory]." in result.output
    assert store.waiting() == []
    assert OWNER not in store.owners()


def failing(_runner: ClaimRunner) -> ClaimProgress:
    return ClaimProgress((), Coverage(8, 0, 0, 0), "A run failed [out of memory].", has_failed=True)
