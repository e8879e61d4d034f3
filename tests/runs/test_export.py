"""The zip file, read back with zipfile, pandas and plain Keras."""

import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.runs.export import export_runs, export_zip, folder_name
from bnlab.runs.reader import evaluations_frame, history_frame, layers_frame, steps_frame
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.runs.tensorboard import event_file, event_file_name
from bnlab.specs.keras_code import training_script
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import Records
from tests.in_process_training import train_in_process
from tests.one_thread import one_thread  # noqa: F401
from tests.stored_runs import OWNER, CheckpointStub, float32_array, make_evaluation, open_writer

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow's

SPEC = RunSpec(
    placement="before_activation", input_normalization=True, hidden_units=(32,), train_examples=2_000, epochs=2,
    optimizer="adam",
)  # fmt: skip
TABLES = ("metrics", "validation", "layers")
WITHOUT_WEIGHTS = {
    "README.txt", "spec.json", "train.py", "history.csv",
    *(f"{table}.{kind}" for table in TABLES for kind in ("csv", "parquet")),
}  # fmt: skip


def files_of(content: bytes, run: Run) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        folder = f"{folder_name(run)}/"
        return {n.removeprefix(folder): archive.read(n) for n in archive.namelist() if n.startswith(folder)}


def record_without_weights(store: Store, spec: RunSpec, losses: tuple[float, ...], last: float) -> Run:
    records = Records(
        0,
        float32_array(*losses),
        float32_array(*losses),
        [make_evaluation(0), make_evaluation(len(losses), last, last)],
    )
    open_writer(store, spec).commit(records, CheckpointStub(len(losses), arrays={}), RunState.DIVERGED)
    return store.run(spec.digest)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Run, bytes]]:
    """A store with one trained run, and its export."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('export')}/bnlab.db")
    train_in_process(store, SPEC, "Approach 2 (small)")
    yield store, store.run(SPEC.digest), export_runs(store.url, (SPEC.digest,))
    store.engine.dispose()


def test_a_run_has_a_folder_with_everything(trained: tuple[Store, Run, bytes]) -> None:
    store, run, content = trained
    files = files_of(content, run)
    assert set(files) == WITHOUT_WEIGHTS | {"model.keras", event_file_name(run)}
    assert folder_name(run) == f"Approach-2-small-{run.digest}"
    assert RunSpec.model_validate_json(files["spec.json"]) == SPEC
    assert files["train.py"].decode() == training_script(SPEC)
    assert files[event_file_name(run)] == event_file(store, run)
    assert "Approach 2 (small)\n" in files["README.txt"].decode()
    assert f"weights after step {SPEC.total_steps:,}" in files["README.txt"].decode()


def test_tables_are_what_was_recorded(trained: tuple[Store, Run, bytes]) -> None:
    store, run, content = trained
    files = files_of(content, run)
    metrics = steps_frame(store, run.digest)
    expected = {
        "metrics": metrics.assign(epoch=metrics["step"] / 63)[["step", "epoch", "loss", "accuracy"]],
        "validation": evaluations_frame(store, [run]).drop(columns="run"),
        "layers": layers_frame(store, run.digest),
    }
    assert len(metrics) == SPEC.total_steps == 126
    for name, frame in expected.items():
        pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(files[f"{name}.parquet"])), frame)
        text = pd.read_csv(io.BytesIO(files[f"{name}.csv"])).astype(frame.dtypes)
        pd.testing.assert_frame_equal(text, frame, check_exact=True)
    history = pd.read_csv(io.BytesIO(files["history.csv"]))
    pd.testing.assert_frame_equal(history, history_frame(store, run), check_exact=True, check_dtype=False)
    assert history["epoch"].tolist() == [1, 2]


def test_the_readmes_code_finds_the_recorded_accuracy(
    trained: tuple[Store, Run, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    from bnlab.model import datasets

    store, run, content = trained
    files = files_of(content, run)
    (tmp_path / "model.keras").write_bytes(files["model.keras"])
    monkeypatch.chdir(tmp_path)
    x_train, y_train, x_test, y_test = datasets.load_published("mnist")
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: ((x_train, y_train), (x_test, y_test)))
    code = "".join(re.findall(r"^    ((?:import|model|_,|val_).*\n)", files["README.txt"].decode(), re.MULTILINE))
    names: dict[str, Any] = {}
    exec(code, names)
    recorded = evaluations_frame(store, [run]).iloc[-1]
    assert names["val_accuracy"] == pytest.approx(recorded["val_accuracy"], abs=1e-4)
    assert names["val_loss"] == pytest.approx(recorded["val_loss"], rel=1e-4)
    assert names["val_accuracy"] > 0.8


def test_export_is_deterministic_except_for_the_keras_file(trained: tuple[Store, Run, bytes]) -> None:
    store, run, content = trained
    first, second = files_of(content, run), files_of(export_zip(store, [run.digest]), run)
    assert list(first) == list(second) == sorted(first)
    assert {name for name in first if first[name] != second[name]} <= {"model.keras"}  # it has the time in it


def test_without_weights_there_is_no_model_and_numbers_may_be_missing(store: Store) -> None:
    queued = store.launch(SPEC, "queued", OWNER)
    diverged = record_without_weights(store, RunSpec(seed=1), (1.5, float("inf")), float("nan"))
    content = export_zip(store, [queued.digest, diverged.digest, "gone"])
    for run in (queued, diverged):
        files = files_of(content, run)
        assert set(files) == WITHOUT_WEIGHTS | {event_file_name(run)}
        assert "There is no model.keras" in files["README.txt"].decode()
    empty = files_of(content, queued)
    assert all(len(pd.read_csv(io.BytesIO(empty[f"{table}.csv"]))) == 0 for table in ("history", *TABLES))
    assert all(len(pd.read_parquet(io.BytesIO(empty[f"{table}.parquet"]))) == 0 for table in TABLES)
    files = files_of(content, diverged)
    assert pd.read_csv(io.BytesIO(files["metrics.csv"]))["loss"].tolist() == [1.5, float("inf")]
    assert pd.read_csv(io.BytesIO(files["validation.csv"]))["val_loss"].isna().tolist() == [False, True]


def test_missing_runs_are_skipped(store: Store) -> None:
    with zipfile.ZipFile(io.BytesIO(export_zip(store, ["gone"]))) as archive:
        assert archive.namelist() == []


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("学生甲", "学生甲"),
        ("Approach 2 (small)", "Approach-2-small"),
        ("Größe ×2, lr 0.1", "Größe-2-lr-0.1"),
        ("Gro\u0308ße", "Größe"),  # NFC, as most file systems have it
        ("हिन्दी", "हिन्दी"),
        ("../../etc/passwd", "etc-passwd"),
        ("con.txt", "run-con.txt"),
        ("COM¹", "run-COM¹"),
        ("Nul", "run-Nul"),
        ("a" * 100, "a" * 60),
        ("学" * 100, "学" * 53),
        ("ends with a dot.", "ends-with-a-dot"),
        ("\u202edesrever 🚀", "desrever"),
        ("*?|", "run"),
    ],
)
def test_folder_name_is_readable(label: str, name: str) -> None:
    assert folder_name(replace(RUN, label=label)) == f"{name}-abcdef"


def test_names_of_two_students_are_in_the_zip(store: Store) -> None:
    runs = [store.launch(RunSpec(seed=seed), label, OWNER) for seed, label in enumerate(("学生甲", "学生乙"))]
    with zipfile.ZipFile(io.BytesIO(export_zip(store, [run.digest for run in runs]))) as archive:
        folders = {name.split("/")[0] for name in archive.namelist()}
    assert folders == {f"学生甲-{runs[0].digest}", f"学生乙-{runs[1].digest}"}


@given(label=st.text(max_size=200) | st.text("con.aux\u0308 ¹²/\\:", max_size=12))
def test_folder_name_is_safe_for_any_label(label: str) -> None:
    name = folder_name(replace(RUN, label=label))
    assert name.endswith("-abcdef")
    assert unicodedata.is_normalized("NFC", name)
    assert not re.search(r'[\x00-\x1f\x7f<>:"/\\|?*\s]|\.\.', name)
    assert name[0] not in ".-"
    assert len(name.encode()) <= 200
    stem = unicodedata.normalize("NFKC", name.split(".")[0]).upper()
    assert not re.fullmatch(r"CON|PRN|AUX|NUL|(COM|LPT)\d", stem)


RUN = Run(
    digest="abcdef", label="", spec=RunSpec(), state=RunState.QUEUED, step=0, total_steps=1, seconds=0.0,
    created_at=0.0, queued_at=0.0, updated_at=0.0, error="", stop_requested=False, owner="", lease_until=0.0,
)  # fmt: skip
