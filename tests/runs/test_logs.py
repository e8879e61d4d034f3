"""The log: one line per event, from a level on, without passwords."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bnlab.runs.config import Settings
from bnlab.runs.logs import HIDDEN, LineFormatter, log_event, set_up_logging

PASSWORD = "s3cret/@word"
STORE = "postgresql+psycopg://bnlab:s3cret%2F%40word@db.example/bnlab"
STORE_WITH_PARAMETER = "postgresql+psycopg://bnlab@db.example/bnlab?password=s3cret%2F%40word"


@pytest.fixture(autouse=True)
def restore_loggers() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("bnlab", "streamlit.test_logs")]
    before = [(logger.level, logger.handlers[:]) for logger in loggers]
    yield
    for logger, (level, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.handlers[:] = handlers


def fields_of(line: str) -> dict[str, str]:
    """The names and values of a line, which are read without knowing them."""
    fields, rest = {}, line
    while rest:
        name, _, rest = rest.partition("=")
        if rest.startswith('"'):
            fields[name], end = json.JSONDecoder().raw_decode(rest)
            rest = rest[end + 1 :]
        else:
            fields[name], _, rest = rest.partition(" ")
    return fields


def test_an_event_is_one_line_of_names_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info")
    logger = logging.getLogger("bnlab.test")
    log_event(logger, logging.INFO, "run ended", run="ab12", error='a "b"\nc', seconds=1.23456)
    line, end = capsys.readouterr().err.split("\n")
    assert end == ""
    fields = fields_of(line)
    assert fields.pop("time").endswith("Z")
    assert fields == {
        "level": "info",
        "logger": "bnlab.test",
        "event": "run ended",
        "run": "ab12",
        "error": 'a "b"\nc',
        "seconds": "1.235",
    }


def test_a_traceback_is_one_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info")
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        logging.getLogger("bnlab.test").exception("a view failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert fields_of(line)["traceback"].endswith("ValueError: first\nsecond")


@pytest.mark.parametrize(("level", "expected"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_is_a_setting(level: str, expected: int, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info")
    set_up_logging(level)  # not twice
    for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        log_event(logging.getLogger("bnlab.test"), number, "event")
    assert len(capsys.readouterr().err.splitlines()) == expected


def test_nothing_is_written_unless_the_log_is_set_up() -> None:
    script = "import bnlab.runs.logs as logs, logging; logs.log_event(logs.logging.getLogger('bnlab.a'), 40, 'event')"
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (process.stdout, process.stderr) == ("", "")


def test_other_packages_logs_look_the_same() -> None:
    other = logging.getLogger("streamlit.test_logs")
    other.addHandler(logging.StreamHandler())
    set_up_logging("info", others=["streamlit"])
    assert isinstance(other.handlers[0].formatter, LineFormatter)


@pytest.mark.parametrize(
    "text",
    [STORE, f"could not connect to {STORE}: refused", f"password {PASSWORD} wrong", "key=opensesame", "sqlite:///a.db"],
)
@pytest.mark.parametrize("store", [STORE, STORE_WITH_PARAMETER])
def test_no_password_is_logged(store: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = text.replace(STORE, store)
    monkeypatch.setenv("BNLAB_STORE", store)
    monkeypatch.setenv("BNLAB_TEACHER_KEY", "opensesame")
    record = logging.LogRecord("bnlab", logging.ERROR, "", 0, text, None, None)
    line = LineFormatter(Settings().secret_texts()).format(record)
    assert "s3cret" not in line
    assert "opensesame" not in line
    assert (HIDDEN in line) == (text != "sqlite:///a.db")


def test_passwords_in_addresses_are_found_without_knowing_them() -> None:
    record = logging.LogRecord(
        "bnlab", logging.ERROR, "", 0, "redis://:p@ss:w0rd@host/0 http://host:80/a@b", None, None
    )
    line = LineFormatter().format(record)
    assert "w0rd" not in line
    assert "http://host:80/a@b" in line
