"""Every command on stores that it cannot use: one sentence and exit status 2, never a traceback."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from sqlalchemy import text

from bnlab.cli import claims, commands, options, training
from bnlab.cli.options import plain_console
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.broken_stores import UNREADABLE, UNWRITABLE, WORDS, is_a_plain_sentence
from tests.cli.invocation import invoke
from tests.slow import all_slow_but
from tests.stored_runs import OWNER

COMMANDS = {
    "claims": ["claims", "A1"],
    "compare": ["compare", "notebook", "--epochs", "1", "--set", "train_examples=64"],
    "record": ["record", "notebook", "recorded.npz", "--seeds", "1"],
    "rates": ["rates", "rates.json"],
    "runs": ["runs"],
    "stop": ["stop", "--all"],
}
WITHOUT_STORE = {
    "describe": ["describe", "notebook"],
    "presets": ["presets"],
    "report": ["report", "claims.md"],
    "datasets": ["datasets"],
    "statistics": ["statistics", "statistics.json", "--dataset", "mnist"],
}
NOBODY = 65534


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written beside the tests, and no worker is started."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training, "Scheduler", None)
    monkeypatch.setattr(claims, "Scheduler", None)
    monkeypatch.setattr(commands, "console", plain_console(width=200))
    monkeypatch.setattr(options, "INTERACTIVE_BUSY_SECONDS", 0.1)


def sentence_of(*arguments: str) -> str:
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    return result.output.splitlines()[-1].removeprefix("Error: ")


def newer_version(folder: Path) -> Path:
    with Store(f"sqlite:///{folder}/newer.db") as store, store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '99'"))
    return folder / "newer.db"


def directory(folder: Path) -> Path:
    (folder / "folder.db").mkdir()
    return folder / "folder.db"


def text_file(folder: Path) -> Path:
    (folder / "notes.db").write_text("This is not a database, whatever its name says. " * 30)
    return folder / "notes.db"


def in_no_folder(folder: Path) -> Path:
    (folder / "file").write_text("not a folder")
    return folder / "file" / "bnlab.db"


def in_a_missing_folder(folder: Path) -> Path:
    return folder / "missing" / "bnlab.db"


BAD_STORES = {
    "newer": newer_version,
    "folder": directory,
    "text": text_file,
    "nowhere": in_no_folder,
    "missing": in_a_missing_folder,
}


def test_all_commands_are_tested() -> None:
    assert isinstance(commands.main, click.Group)
    assert {*COMMANDS, *WITHOUT_STORE} == {*commands.main.commands}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", BAD_STORES)
def test_a_store_that_cannot_be_opened(
    kind: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNLAB_STORE", f"sqlite:///{BAD_STORES[kind](tmp_path)}")
    assert is_a_plain_sentence(sentence_of(*COMMANDS[command]))


@pytest.mark.parametrize(
    ("kind", "command"),
    all_slow_but([("newer", command) for command in WITHOUT_STORE], itertools.product(BAD_STORES, WITHOUT_STORE)),
)
def test_commands_that_need_no_store(kind: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNLAB_STORE", f"sqlite:///{BAD_STORES[kind](tmp_path)}")
    assert invoke(*WITHOUT_STORE[command]).exit_code == 0


@pytest.mark.parametrize("command", ["runs", "stop"])
@pytest.mark.parametrize("path", ["empty.db", "new.db"])
def test_an_empty_file_and_a_new_one_become_a_store(
    path: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.db").touch()
    monkeypatch.setenv("BNLAB_STORE", f"sqlite:///{tmp_path / path}")
    assert invoke(*COMMANDS[command]).exit_code == 0
    assert invoke("runs").output.startswith("No runs yet")


@pytest.fixture
def read_only_store() -> Iterator[Path]:
    """A store whose file and folder this process may not write."""
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to other users
        path = Path(name) / "bnlab.db"
        with Store(f"sqlite:///{path}") as store:
            store.launch(RunSpec(), "A", OWNER)
        path.chmod(0o444)
        path.parent.chmod(0o555)
        if user == 0:  # who may write everything
            os.seteuid(NOBODY)
        yield path
        os.seteuid(user)
        path.parent.chmod(0o755)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="Windows has other rights of files")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_may_not_be_written(command: str, read_only_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNLAB_STORE", f"sqlite:///{read_only_store}")
    assert is_a_plain_sentence(sentence_of(*COMMANDS[command]))


@pytest.fixture
def opened(url: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store that the commands use, opened before it breaks."""
    store = Store(url, 0.1)
    store.launch(RunSpec(), "A", OWNER)
    for module in (commands, claims):
        monkeypatch.setattr(module, "open_store", lambda: store)
    return store


@pytest.mark.parametrize(
    ("breakage", "command"),
    all_slow_but([("moved away", command) for command in COMMANDS], itertools.product(UNREADABLE, COMMANDS)),
)
def test_a_store_that_breaks_while_a_command_runs(breakage: str, command: str, opened: Store) -> None:
    with UNREADABLE[breakage](opened):
        sentence = sentence_of(*COMMANDS[command])
    assert WORDS[breakage] in sentence
    assert is_a_plain_sentence(sentence)


@pytest.mark.parametrize("breakage", UNWRITABLE)
def test_a_store_that_cannot_be_written(breakage: str, opened: Store) -> None:
    with UNWRITABLE[breakage](opened):
        result = invoke("stop", "--all")
        if result.exit_code or breakage != "full":  # a stop may need no new page
            assert WORDS[breakage] in sentence_of("stop", "--all")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize("arguments", [["report", "full"], ["describe", "notebook", "--json", "folder/networks.json"]])
def test_a_result_that_cannot_be_written(arguments: list[str]) -> None:
    Path("full").symlink_to("/dev/full")
    Path("folder").mkdir()
    Path("folder/networks.json.partial").symlink_to("/dev/full")
    assert sentence_of(*arguments).endswith("No space left on device.")
