"""Stores of other versions: an older one is brought up to date with all it holds, a newer one is refused."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from bnlab.runs.database import open_database
from bnlab.runs.errors import StoreError
from bnlab.runs.groups import group_runs
from bnlab.runs.latencies import read_latencies
from bnlab.runs.migrations import is_known, upgrade
from bnlab.runs.reader import read_evaluations, read_steps
from bnlab.runs.run import ACTIVE, RunState
from bnlab.runs.schema import SCHEMA_REVISION, metadata
from bnlab.runs.store import Store
from bnlab.specs.network import prediction_key
from tests.old_store import DESCRIPTION, unpack_old_store

BEGUN_WITH_RENORM = {run["digest"] for run in DESCRIPTION["runs"] if run["spec"]["renorm"] and run["state"] in ACTIVE}
DECLARED_IDS = {"ask_loss_changes": "loss_changes", "ask_gradients": "gradients", "ask_epoch": "epoch_seconds"}
MEASUREMENTS = {(DECLARED_IDS[name], digest) for name, digest in DESCRIPTION["measurements"]}


@pytest.fixture
def old_url(tmp_path: Path) -> str:
    return unpack_old_store(tmp_path)


@pytest.fixture
def old_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(unpack_old_store(tmp_path))
    yield engine
    engine.dispose()


def tables_of(connection: Connection) -> dict[str, Any]:
    """The structure of all tables, independent of their order."""
    inspector = inspect(connection)
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)],
            inspector.get_pk_constraint(table),
            inspector.get_foreign_keys(table),
            inspector.get_indexes(table),
        )
        for table in inspector.get_table_names()
    }


def measurements_of(connection: Connection) -> set[tuple[str, str]]:
    return {tuple(row) for row in connection.execute(text("SELECT measurement, spec FROM measurements"))}


def test_the_last_revision_is_the_schemas(store: Store) -> None:
    assert is_known(SCHEMA_REVISION)
    assert not is_known(str(int(SCHEMA_REVISION) + 1))
    with store.engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == SCHEMA_REVISION


def test_migrating_from_the_beginning_makes_the_tables_of_a_new_store(store: Store, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'migrated.db'}")
    with engine.begin() as connection, store.engine.connect() as new:
        upgrade(connection)
        assert tables_of(connection) == tables_of(new)


def test_an_old_store_gets_the_tables_of_a_new_one(store: Store, old_url: str) -> None:
    with open_database(old_url).connect() as old, store.engine.connect() as new:
        assert tables_of(old) == tables_of(new)


def test_tables_missing_in_an_old_store_are_created(store: Store, old_engine: Engine) -> None:
    with old_engine.begin() as connection:
        for table in ("groups", "recordings", "answers"):
            connection.execute(text(f"DROP TABLE {table}"))
    with open_database(str(old_engine.url)).connect() as old, store.engine.connect() as new:
        assert tables_of(old) == tables_of(new)


def test_an_old_store_keeps_its_runs_and_their_curves(old_url: str) -> None:
    store = Store(old_url)
    runs = store.runs()
    validation = read_evaluations(store, runs)
    assert [run.digest for run in runs] == [run["digest"] for run in DESCRIPTION["runs"]]
    for run, described in zip(runs, DESCRIPTION["runs"], strict=True):
        assert (run.label, run.step, bool(run.recorded)) == tuple(described[k] for k in ("label", "step", "recorded"))
        stopped = run.digest in BEGUN_WITH_RENORM
        assert run.state == (RunState.STOPPED if stopped else described["state"])
        loss = read_steps(store, {run.digest: 0})[run.digest]["loss"]
        assert run.is_current or described["spec"]["renorm"]
        assert hashlib.sha256(loss.tobytes()).hexdigest() == described["loss_sha256"]
        measured = [validation[run.digest][name].tolist() for name in ("step", "val_loss", "val_accuracy")]
        assert json.dumps(list(zip(*measured, strict=True))) == json.dumps(described["validation"])  # NaN is NaN


def test_an_old_store_keeps_groups_measurements_and_the_queue(old_url: str) -> None:
    store = Store(old_url)
    assert [run.digest for run in group_runs(store, DESCRIPTION["group"]["name"])] == DESCRIPTION["group"]["runs"]
    with store.engine.connect() as connection:
        assert measurements_of(connection) == MEASUREMENTS
        names = connection.scalars(text("SELECT name FROM experiment_queue ORDER BY entered_at DESC"))
        assert list(names) == DESCRIPTION["experiment_queue"]


def test_what_an_old_store_does_not_know_stays_unknown(old_url: str) -> None:
    store = Store(old_url)
    assert {run.shared for run in store.runs()} == {None}
    assert {(run.note, run.tags) for run in store.runs()} == {("", ())}
    assert read_latencies(store, {prediction_key(run.spec) for run in store.runs()}) == {}, "not measured by turns"


def test_a_store_of_the_revision_before_notes_keeps_its_runs(old_engine: Engine) -> None:
    with old_engine.begin() as connection:
        upgrade(connection, "4")
        before = connection.execute(text("SELECT * FROM runs ORDER BY created_at, digest")).mappings().all()
    assert "note" not in before[0]
    store = Store(str(old_engine.url))
    with store.engine.connect() as connection:
        after = connection.execute(text("SELECT * FROM runs ORDER BY created_at, digest")).mappings().all()
    assert [dict(row) for row in after] == [dict(row) | {"note": "", "tags": ""} for row in before]
    digest = store.runs()[0].digest
    store.annotate(digest, "A note.", ["a tag"])
    with Store(store.url) as reopened:
        assert (reopened.run(digest).note, reopened.run(digest).tags) == ("A note.", ("a tag",))


def test_runs_begun_with_unclipped_renormalization_are_stopped() -> None:
    assert len(BEGUN_WITH_RENORM) == 2


@pytest.mark.parametrize("spec", ["RunSpec()", "[1]", ""])
def test_a_spec_that_cannot_be_decoded_leaves_the_other_runs(old_engine: Engine, spec: str) -> None:
    damaged = min(BEGUN_WITH_RENORM)
    with old_engine.begin() as connection:
        table = "run" if inspect(connection).has_table("run") else "runs"
        connection.execute(text(f"UPDATE {table} SET spec = :spec WHERE digest = :run"), {"spec": spec, "run": damaged})
    store = Store(str(old_engine.url))
    assert [run.digest for run in store.unreadable_runs()] == [damaged]
    assert {store.run(digest).state for digest in BEGUN_WITH_RENORM - {damaged}} == {RunState.STOPPED}


def test_a_newer_store_is_refused_and_not_changed(store: Store) -> None:
    newer = str(int(SCHEMA_REVISION) + 1)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :newer"), {"newer": newer})
    with pytest.raises(StoreError, match="newer version of bnlab"):
        Store(store.url)
    with store.engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == newer


def test_a_migration_that_fails_changes_nothing(old_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with old_engine.begin() as connection:  # a table in the way of the last renaming
        before = tables_of(connection)
        connection.execute(text("CREATE TABLE measurements (x INTEGER)"))
    with pytest.raises(StoreError):
        open_database(str(old_engine.url))
    with old_engine.begin() as connection:
        connection.execute(text("DROP TABLE measurements"))
        assert tables_of(connection) == before
    open_database(str(old_engine.url)).dispose()


def test_old_store_opened_by_threads(old_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        engines = list(pool.map(open_database, [old_url] * 4))
    for engine in engines:
        assert {*metadata.tables} < set(inspect(engine).get_table_names())
        engine.dispose()


def test_old_store_opened_by_processes(old_url: str) -> None:
    program = "import sys\nfrom bnlab.runs.store import Store\nprint(len(Store(sys.argv[1]).runs()))"
    command = [sys.executable, "-c", program, old_url]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    openers = [subprocess.Popen(command, **pipes) for _ in range(3)]
    answers = [opener.communicate(timeout=60) for opener in openers]
    assert answers == [(f"{len(DESCRIPTION['runs'])}\n", "")] * 3


def test_a_store_that_is_up_to_date_opens_without_alembic(store: Store) -> None:
    program = "import sys\nfrom bnlab.runs.store import Store\nStore(sys.argv[1])\nprint('alembic' in sys.modules)"
    command = [sys.executable, "-c", program, store.url]
    assert subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout == "False\n"


def test_migrations_are_found_from_any_folder(old_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(Store(old_url).runs()) == len(DESCRIPTION["runs"])
