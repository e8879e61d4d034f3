"""The commands without workers: output, files and errors."""

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnlab.cli import commands, training
from bnlab.cli.options import plain_console
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from tests.cli.invocation import invoke
from tests.dataset_files import write_dataset
from tests.runs.unreadable_runs import CHANGES, make_unreadable
from tests.sentences import names_in_order, numbers_in
from tests.stored_runs import OWNER, make_evaluation, record_run

COUNTS = {
    "Baseline": (266_610, 266_610, 0),
    "Approach 1 (as printed)": (271_346, 268_978, 2_368),
    "Approach 1 (as described)": (271_346, 268_978, 2_368),
    "Approach 2": (270_946, 268_578, 2_368),
}
SMALL = ["compare", "notebook", "--epochs", "1", "--set", "train_examples=200", "--set", "hidden_units=[8]"]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that breaks no sentence."""
    monkeypatch.setattr(commands, "console", plain_console(width=120))


@pytest.fixture
def no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    """For commands that must be refused before any worker is started."""
    monkeypatch.setattr(training, "Scheduler", None)


def refused(*arguments: str) -> str:
    result = invoke(*arguments)
    assert result.exit_code == 2
    return result.output


def test_presets_lists_every_preset_and_its_networks() -> None:
    output = invoke("presets").output
    for name, preset in PRESETS.items():
        assert name in output
        assert all(variant.label in output for variant in preset.variants)


def test_describe_shows_the_notebooks_counts(url: str) -> None:
    output = invoke("describe", "notebook").output
    rows = [line.replace("│", " ").replace("┃", " ").split() for line in output.splitlines()]
    totals = [tuple(int(number.replace(",", "")) for number in row[1:]) for row in rows if row[:1] == ["total"]]
    assert totals == list(COUNTS.values())
    assert ["bn_input/gamma", "(784,)", "True", "784"] in rows
    assert ["bn_1/moving_mean", "(300,)", "False", "300"] in rows


def test_describe_writes_the_same_as_json(url: str, tmp_path: Path) -> None:
    path = tmp_path / "networks.json"
    assert invoke("describe", "notebook", "--json", str(path)).exit_code == 0
    networks = json.loads(path.read_text())
    params = {n["label"]: tuple(n["params"][k] for k in ("total", "trainable", "non_trainable")) for n in networks}
    assert params == COUNTS
    assert [layer["name"] for layer in networks[3]["layers"]] == [
        "flatten", "bn_input", "dense_1", "bn_1", "activation_1", "dense_2", "bn_2", "activation_2", "output",
    ]  # fmt: skip
    assert networks[3]["layers"][3] == {
        "name": "bn_1", "class": "BatchNormalization", "output_shape": [300],
        "params": 1_200, "trainable": 600, "non_trainable": 600,
        "variables": [
            {"name": "gamma", "shape": [300], "trainable": True},
            {"name": "beta", "shape": [300], "trainable": True},
            {"name": "moving_mean", "shape": [300], "trainable": False},
            {"name": "moving_variance", "shape": [300], "trainable": False},
        ],
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["networks.json"]


def test_describe_needs_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNLAB_STORE", "no store at all")
    assert invoke("describe", "notebook").exit_code == 0


def test_unknown_preset_error_lists_presets() -> None:
    assert "notebook" in refused("describe", "paper")


def test_runs_of_an_empty_store(url: str) -> None:
    assert "python -m bnlab compare notebook" in invoke("runs").output


def test_runs_lists_state_progress_and_error(url: str) -> None:
    store, spec = Store(url), RunSpec(train_examples=8, batch_size=4, epochs=2)
    record_run(store, spec, (1.0,), (make_evaluation(0),))
    store.finish(spec.digest, OWNER, RunState.FAILED, "It ran [out] of memory.")
    output = invoke("runs").output
    assert all(word in output for word in (spec.digest[:8], "FAILED", "25%", "0.1 s", "It ran [out] of memory."))


def test_runs_lists_notes_and_tags_as_plain_text(url: str) -> None:
    store = Store(url)
    store.launch(RunSpec(), "noted", OWNER)
    store.launch(RunSpec(seed=1), "plain", OWNER)
    store.annotate(RunSpec().digest, "[red]not red", ["for class", "[b]"])
    output = invoke("runs").output
    assert names_in_order(output, "noted", "Tags: [b], for class", "[red]not red", "plain")
    assert output.count("Tags:") == 1


@pytest.mark.parametrize("kind", CHANGES)
def test_runs_lists_those_of_another_version(url: str, kind: str) -> None:
    store, newer, readable = Store(url), RunSpec(epochs=2), RunSpec(train_examples=8)
    record_run(store, readable, (1.0,))
    make_unreadable(store, newer, "newer [/red] run", kind)
    output = invoke("runs").output
    assert names_in_order(output, readable.digest[:8], newer.digest[:8], "newer [/red] run", "Not readable")


@pytest.mark.usefixtures("no_scheduler")
@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("command", ["compare", "record"])
def test_an_unreadable_run_is_said_before_anything_is_trained(
    url: str, command: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = SMALL if command == "compare" else ["record", "notebook", "recorded.npz", "--seeds", "1"]
    changes = {"epochs": 1, "train_examples": 200, "hidden_units": (8,)} if command == "compare" else {}
    make_unreadable(Store(url), PRESETS["notebook"].variants[0].spec.model_copy(update=changes), "newer", kind)
    output = refused(*arguments)
    assert "“newer” was written by another version" in output
    assert not Path("recorded.npz").exists()


@pytest.mark.parametrize("delete", [True, False])
def test_a_run_that_is_deleted_or_becomes_unreadable_while_it_trains_is_said(
    url: str, delete: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train_elsewhere(store: Store, variants: dict[str, list[RunSpec]], *_: object) -> float:
        (first,), *others = variants.values()
        for (spec,) in others:
            record_run(store, spec, (1.0,), (make_evaluation(1),), RunState.COMPLETED)
        if not delete:
            make_unreadable(store, first, "newer", "a field")
        return 1.0

    monkeypatch.setattr(commands, "train", train_elsewhere)
    assert ("“Baseline” was deleted" if delete else "“newer” was written") in refused(*SMALL)


@pytest.mark.parametrize("is_held", [False, True])
def test_unreadable_runs_are_stopped_by_digest_and_all(url: str, is_held: bool) -> None:
    """At once, or by the version that holds them."""
    store = Store(url)
    for seed in range(2):
        columns = {"state": "RUNNING", "lease_until": time.time() + 100 if is_held else 0.0}
        make_unreadable(store, RunSpec(seed=seed), f"newer {seed}", "a field", **columns)
    make_unreadable(store, RunSpec(seed=2), "ended", "a field")
    assert numbers_in(invoke("stop", RunSpec().digest[:6]).output) == [1]
    state = "RUNNING" if is_held else "STOPPED"
    assert [run.state for run in store.unreadable_runs()] == [state, "RUNNING", "COMPLETED"]
    assert numbers_in(invoke("stop", "--all").output) == [2 if is_held else 1]
    assert [run.state for run in store.unreadable_runs()] == [state, state, "COMPLETED"]
    assert "begins with" in refused("stop", RunSpec(seed=2).digest)


@pytest.mark.parametrize("text", [":smile:", "[/bold]:smile:", ":smile: [red]x[/red]"])
def test_names_errors_tags_and_notes_are_not_markup_in_the_terminal(url: str, text: str) -> None:
    store = Store(url)
    run = store.launch(RunSpec(), f"{text} name", OWNER)
    store.finish(run.digest, OWNER, RunState.FAILED, f"{text} error")
    store.annotate(run.digest, f"{text} note", [f"{text} tag"])
    make_unreadable(store, RunSpec(seed=1), f"{text} unreadable", next(iter(CHANGES)))
    output = invoke("runs").output
    assert all(f"{text} {word}" in output for word in ("name", "error", "tag", "note", "unreadable"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--all"),
        (["feed"], "feed."),
        (["feed", "beef"], "feed, beef."),
    ],
)
def test_stop_errors(url: str, arguments: list[str], message: str) -> None:
    assert message in refused("stop", *arguments)


def test_stop_by_digest_and_all(url: str) -> None:
    store = Store(url)
    chosen, other, done = (store.launch(RunSpec(seed=seed), "A", OWNER) for seed in range(3))
    store.finish(done.digest, OWNER, RunState.COMPLETED)
    assert numbers_in(invoke("stop", chosen.digest[:6]).output) == [1]
    assert [store.run(r.digest).stop_requested for r in (chosen, other, done)] == [True, False, False]
    assert done.digest in refused("stop", done.digest)
    assert numbers_in(invoke("stop", "--all").output) == [2]
    assert [store.run(r.digest).stop_requested for r in (chosen, other, done)] == [True, True, False]


@pytest.mark.parametrize(
    ("setting", "names"),
    [
        ("epochs", ["--set", "FIELD=VALUE", "'epochs'"]),
        ("epochs=0", ["Epochs", "whole number", " 1 ", "1,000", " 0 "]),
        ("epochs=ten", ["Epochs", "whole number", " 1 ", "1,000", "'ten'"]),
        ("learning_rate=NaN", ["Learning rate", "number", " 0 ", "100", "'NaN'"]),
        ("placement=within", ["Placement", "none, before_activation, after_activation", "'within'"]),
        ("hidden_units=0", ["whole number", " 1 ", "2,048", "300-100", " 0 "]),
        ("hidden_units=8,zero", ["'zero'"]),
        ("colour=blue", ["colour", "placement,"]),
        ("seed=" + "9" * 5_000, ["Seed", "whole number", " 0 ", "2,147,483,647", "'999"]),
        ("seed=" + "[" * 50_000, ["Seed", "whole number", " 0 ", "2,147,483,647", "'[[["]),
    ],
    ids=lambda text: text[:20],
)
@pytest.mark.usefixtures("no_scheduler")
def test_invalid_settings(url: str, setting: str, names: list[str]) -> None:
    assert names_in_order(refused("compare", "notebook", "--set", setting), *names)


@pytest.mark.parametrize(
    ("text", "name_and_value"),
    [
        ("epochs=3", ("epochs", 3)),
        ("learning_rate=1e-3", ("learning_rate", 0.001)),
        ("hidden_units=[8, 4]", ("hidden_units", [8, 4])),
        ("hidden_units=8,4", ("hidden_units", [8, 4])),
        ("train_examples=null", ("train_examples", None)),
        ("center=false", ("center", False)),
        ("placement=none", ("placement", "none")),
        ("placement=a=b", ("placement", "a=b")),
    ],
)
def test_settings_are_json_lists_or_text(text: str, name_and_value: tuple[str, Any]) -> None:
    assert commands._parse_setting(text) == name_and_value


@pytest.mark.usefixtures("no_scheduler")
def test_compare_validates_before_training(url: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "results.json"
    assert str(missing.parent.name) in refused(*SMALL, "--json", str(missing))
    assert names_in_order(refused("compare", "notebook", "--epochs", "0"), "Epochs", "whole number")
    too_large = refused("compare", "notebook", "--set", "seed=2147483647", "--seeds", "2")
    assert names_in_order(too_large, "Seed", "whole number")


@pytest.mark.parametrize("command", [["runs"], ["stop", "--all"], SMALL], ids=lambda command: command[0])
def test_store_error(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNLAB_STORE", "nowhere")
    assert "BNLAB_STORE" in refused(*command)


@pytest.mark.usefixtures("url")
def test_datasets_lists_known_ones_files_and_refused_files(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "console", plain_console(width=250))
    write_dataset(data_folder / "school.npz")
    (data_folder / "empty.npz").touch()
    output = invoke("datasets").output
    assert names_in_order(output, "mnist", "fashion_mnist", "cifar10", "school", "6 × 5", "54", "25", "3", "empty")
    assert f"{data_folder / 'empty.npz'} cannot be read: it is damaged" in output


@pytest.mark.usefixtures("url")
def test_names_of_datasets_are_not_markup_in_the_terminal(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "console", plain_console(width=250))
    write_dataset(data_folder / ":smile:.npz")
    (data_folder / "[b]:home:.npz").touch()
    lines = [line.split() for line in invoke("datasets").output.splitlines()]
    assert {":smile:", "[b]:home:"} <= {words[0] for words in lines if words}
    assert f"{data_folder / '[b]:home:.npz'} cannot be read" in invoke("datasets").output


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.usefixtures("url")
def test_datasets_lists_a_file_whose_name_is_no_text(data_folder: Path) -> None:
    (data_folder / os.fsdecode(b"caf\xe9.npz")).touch()
    assert names_in_order(invoke("datasets").output, "mnist", "caf?")


@pytest.mark.parametrize(
    "content",
    [b"", b"Statistics", b"[1]", b'{"mnist": {"pixels": 784}}', b'{"mnist": {"first_varying": 3}}', b"\xff\xfe"],
)
def test_statistics_refuses_a_file_with_something_else(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "statistics.json"
    path.write_bytes(content)
    assert "something else" in refused("statistics", str(path), "--dataset", "mnist")
    assert path.read_bytes() == content


def test_paths_are_not_markup_in_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a[").mkdir()
    assert "a[/red].json" in invoke("statistics", "a[/red].json", "--dataset", "mnist").output


@pytest.mark.usefixtures("no_scheduler", "url")
def test_a_dataset_that_cannot_be_used_is_refused_with_the_reason(data_folder: Path) -> None:
    write_dataset(data_folder / "flat.npz", x_train=np.zeros((60, 784), np.uint8))
    assert "x_train has the shape (60, 784)" in refused("compare", "notebook", "--set", "dataset=flat")


@pytest.mark.usefixtures("url")
def test_a_missing_folder_of_datasets_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNLAB_DATA", "nowhere")
    assert "The folder nowhere of datasets (BNLAB_DATA) cannot be read" in refused("presets")
