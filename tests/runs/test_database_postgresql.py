"""The store on a real PostgreSQL server: creation, migration and operations."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, MetaData, create_engine, insert, inspect, select, text
from sqlalchemy.pool import NullPool

from bnlab.runs.errors import LOCKED, NO_ANSWER, OTHER_TABLES, READ_ONLY, StoreError
from bnlab.runs.experiment_queue import dequeue, enqueue, queued
from bnlab.runs.groups import group_runs, launch_group
from bnlab.runs.measurements import Measurement, read_measurements, write_measurement
from bnlab.runs.migrations import upgrade
from bnlab.runs.reader import evaluations_frame, steps_frame
from bnlab.runs.recording import read_shipped_recordings
from bnlab.runs.run import RunState
from bnlab.runs.schema import SCHEMA_REVISION, metadata
from bnlab.runs.storage import delete_checkpoints, storage_use
from bnlab.runs.store import Store
from bnlab.runs.writer import SupersededError, read_checkpoint, retry
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import Records
from tests.broken_stores import is_a_plain_sentence
from tests.old_store import DESCRIPTION, unpack_old_store
from tests.postgresql import PostgreSQL, new_postgresql_url, postgresql_server
from tests.runs.store_rows import OTHER, SPEC
from tests.runs.test_migrations import BEGUN_WITH_RENORM, MEASUREMENTS, measurements_of, tables_of
from tests.stored_runs import OWNER, CheckpointStub, float32_array, make_evaluation, open_writer, record_run

__all__ = ["new_postgresql_url", "postgresql_server"]


@pytest.fixture
def store(new_postgresql_url: Callable[[], str]) -> Iterator[Store]:
    opened = Store(new_postgresql_url())
    yield opened
    opened.engine.dispose()


@pytest.fixture
def old_engine(new_postgresql_url: Callable[[], str], tmp_path: Path) -> Iterator[Engine]:
    """A database as bnlab 0.1 would have left it: the rows of the fixture store, in the tables of revision 1."""
    engine, source = create_engine(new_postgresql_url()), create_engine(unpack_old_store(tmp_path))
    tables, old_tables = MetaData(), MetaData()
    old_tables.reflect(source)
    with engine.begin() as connection, source.connect() as old:
        upgrade(connection, "1")
        connection.execute(text("DROP TABLE alembic_version"))
        tables.reflect(connection)
        by_columns = {frozenset(table.columns.keys()): table for table in tables.sorted_tables}
        for table in old_tables.sorted_tables:
            target = by_columns[frozenset(table.columns.keys())]
            rows = [dict(row) for row in old.execute(select(table)).mappings()]
            if rows:
                connection.execute(insert(target), rows)
        # The table had another name in that version and is recognized by its columns.
        connection.execute(text("ALTER TABLE experiment_queue RENAME TO wanted"))
        connection.execute(text("ALTER TABLE wanted RENAME CONSTRAINT experiment_queue_pkey TO wanted_pkey"))
    source.dispose()
    yield engine
    engine.dispose()


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def test_a_new_store_has_the_tables_of_a_migrated_one(store: Store, new_postgresql_url: Callable[[], str]) -> None:
    engine = create_engine(new_postgresql_url())
    with engine.begin() as connection, store.engine.connect() as new:
        upgrade(connection)
        assert tables_of(connection) == tables_of(new)
    engine.dispose()


def test_an_old_store_is_migrated_with_all_it_holds(old_engine: Engine, store: Store) -> None:
    old = Store(url_of(old_engine))
    with old.engine.connect() as migrated, store.engine.connect() as new:
        assert tables_of(migrated) == tables_of(new)
    states = {run["digest"]: run["state"] for run in DESCRIPTION["runs"]}
    states |= dict.fromkeys(BEGUN_WITH_RENORM, "STOPPED")
    assert {run.digest: str(run.state) for run in old.runs()} == states
    assert {run["digest"]: run["step"] for run in DESCRIPTION["runs"]} == {
        run.digest: len(steps_frame(old, run.digest)) for run in old.runs()
    }
    assert queued(old) == DESCRIPTION["experiment_queue"]
    with old.engine.connect() as migrated:
        assert measurements_of(migrated) == MEASUREMENTS
    first, second = old.runs()[:2]
    old.annotate(first.digest, "A note.", ["a tag"])
    old.change_tags([first.digest, second.digest], add=["another"], remove=["a tag"])
    assert [old.run(run.digest).tags for run in (first, second)] == [("another",)] * 2
    assert old.run(first.digest).note == "A note."
    old.engine.dispose()


def test_a_newer_store_is_refused(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '99'"))
    with pytest.raises(StoreError, match="newer version of bnlab"):
        Store(store.url)


def open_at_once(url: str, openers: int = 6) -> None:
    with ThreadPoolExecutor(openers) as pool:
        stores = list(pool.map(Store, [url] * openers))
    for store in stores:
        with store.engine.connect() as connection:
            assert connection.scalar(text("SELECT version_num FROM alembic_version")) == SCHEMA_REVISION
        assert {*metadata.tables} < set(inspect(store.engine).get_table_names())
        store.engine.dispose()


def test_new_store_opened_concurrently(new_postgresql_url: Callable[[], str]) -> None:
    open_at_once(new_postgresql_url())


def test_old_store_opened_concurrently(old_engine: Engine) -> None:
    open_at_once(url_of(old_engine))


def test_what_a_worker_writes_is_read_back(store: Store) -> None:
    run = record_run(
        store, SPEC, (2.5, 1.25), (make_evaluation(0), make_evaluation(2, float("nan"), 0.875)), RunState.COMPLETED
    )
    assert steps_frame(store, run.digest)["loss"].tolist() == [2.5, 1.25]
    frame = evaluations_frame(store, [run])
    assert frame["step"].tolist() == [0, 2]
    assert frame["val_accuracy"].tolist() == [0.5, 0.875]
    checkpoint = read_checkpoint(store, run.digest)
    assert checkpoint is not None
    assert (checkpoint.step, checkpoint.arrays["dense_1/kernel"].shape) == (2, (2, 3))
    assert storage_use(store)["steps"] == 16
    delete_checkpoints(store, [run.digest])
    assert read_checkpoint(store, run.digest) is None


def test_a_superseded_writer_writes_nothing(store: Store) -> None:
    writer = open_writer(store, SPEC)
    store.next_fence(SPEC.digest, OWNER)
    with pytest.raises(SupersededError):
        writer.commit(Records(0, float32_array(1.0), float32_array(0.1)), CheckpointStub(1), RunState.RUNNING)
    assert steps_frame(store, SPEC.digest).empty


def test_runs_are_launched_stopped_continued_renamed_and_deleted(store: Store) -> None:
    store.launch_runs([(SPEC, "A"), (OTHER, "B")], OWNER)
    assert [run.label for run in store.acquire(OWNER)] == ["A", "B"]
    store.release(OWNER)
    store.request_stop([SPEC.digest])
    assert store.run(SPEC.digest).state is RunState.STOPPED
    store.launch_runs([(SPEC, "A")], OWNER)
    assert store.run(SPEC.digest).state is RunState.QUEUED
    store.rename(SPEC.digest, "Mine")
    assert store.run(SPEC.digest).label == "Mine"
    store.finish(OTHER.digest, "", RunState.FAILED, "no memory")
    store.delete([OTHER.digest])
    store.withdraw([SPEC.digest])
    assert store.runs() == []


def test_launches_of_the_same_specs_at_once_make_one_run_each(store: Store) -> None:
    specs = [(RunSpec(train_examples=64, seed=seed), f"seed {seed}") for seed in range(5)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda owner: store.launch_runs(specs, owner), ["a", "b", "c", "d"]))
    assert sorted(run.label for run in store.runs()) == [label for _, label in specs]


def test_groups_and_the_experiment_queue(store: Store) -> None:
    launch_group(store, "A3 quick 0:2", [(SPEC, "A"), (OTHER, "B")], OWNER)
    assert [run.label for run in group_runs(store, "A3 quick 0:2")] == ["A", "B"]
    enqueue(store, ["first"])
    enqueue(store, ["second"])
    dequeue(store, "first")
    assert queued(store) == ["second"]


def test_measurements_are_kept(store: Store) -> None:
    measurement = Measurement("units", _units, SPEC)
    write_measurement(store, measurement, _units("", SPEC))
    pd.testing.assert_frame_equal(read_measurements(store, [measurement])[measurement], _units("", SPEC))


def _units(_url: str, spec: RunSpec) -> pd.DataFrame:
    return pd.DataFrame({"units": spec.hidden_units})


def test_the_shipped_recording_is_read(store: Store) -> None:
    read_shipped_recordings(store)
    assert all(run.recorded for run in store.runs())
    assert storage_use(store)["steps"] > 0


def test_a_restart_of_the_server_is_survived(store: Store, postgresql_server: PostgreSQL) -> None:
    record_run(store, SPEC, (2.5,), (make_evaluation(0),))
    postgresql_server.control("-m", "fast", "restart")  # which ends the connections of the pool
    assert [run.digest for run in store.runs()] == [SPEC.digest]
    with ThreadPoolExecutor(1) as pool:
        restart = pool.submit(postgresql_server.control, "-m", "fast", "restart")
        while not restart.done():
            retry(store.owners)
    assert store.run(SPEC.digest).state is RunState.RUNNING


def test_a_commit_during_a_restart_is_made_once(store: Store, postgresql_server: PostgreSQL) -> None:
    run_writer = open_writer(store, SPEC)
    with ThreadPoolExecutor(1) as pool:
        restart = pool.submit(postgresql_server.control, "-m", "fast", "restart")
        steps = 0
        while not restart.done() or steps < 3:
            records = Records(steps, float32_array(float(steps)), float32_array(0.5), [make_evaluation(steps)])
            steps += 1
            run_writer.commit(records, CheckpointStub(steps), RunState.RUNNING)
    assert steps_frame(store, SPEC.digest)["loss"].tolist() == [float(step) for step in range(steps)]


def test_a_server_that_is_away_is_said_in_one_sentence(store: Store, postgresql_server: PostgreSQL) -> None:
    assert store.runs() == []
    postgresql_server.control("-m", "fast", "stop")
    try:
        for use in (store.runs, lambda: Store(store.url)):
            with pytest.raises(StoreError) as caught:
                use()
            assert str(caught.value) == NO_ANSWER
            assert is_a_plain_sentence(str(caught.value))
    finally:
        postgresql_server.control("start")
    assert store.runs() == []


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("ALTER TABLE runs RENAME COLUMN state TO status", OTHER_TABLES),
        ("ALTER TABLE runs RENAME TO trainings", OTHER_TABLES),
        ("LOCK TABLE runs IN ACCESS EXCLUSIVE MODE", LOCKED),
    ],
)
def test_errors_of_the_database_are_sentences(store: Store, statement: str, sentence: str) -> None:
    engine = create_engine(store.url, poolclass=NullPool)
    with Store(store.url, 0.1) as impatient, engine.connect() as other:
        other.execute(text(statement))
        if sentence is OTHER_TABLES:
            other.commit()
        with pytest.raises(StoreError) as caught:
            impatient.runs()
        assert str(caught.value) == sentence


def test_a_read_only_server_is_said(store: Store) -> None:
    with Store(f"{store.url}&options=-c%20default_transaction_read_only=on") as reader:
        with pytest.raises(StoreError) as caught:
            reader.launch(SPEC, "A", OWNER)
        assert str(caught.value) == READ_ONLY


def test_no_such_database_is_said_without_its_address(store: Store, postgresql_server: PostgreSQL) -> None:
    with pytest.raises(StoreError) as caught:
        Store(f"postgresql+psycopg://postgres:secret@/nowhere?host={postgresql_server.socket}")
    assert is_a_plain_sentence(str(caught.value))
    assert "secret" not in str(caught.value)
    assert "nowhere" not in str(caught.value)
