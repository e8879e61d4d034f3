"""A throwaway PostgreSQL server for a test session, on a Unix socket in a folder of its own."""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

USER = "postgres"
DEBIAN = "/usr/lib/postgresql"
SETTINGS = ("listen_addresses=", "fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=50")


def _binaries() -> Path | None:
    """The folder of initdb and pg_ctl: on the path, or where Debian keeps the versions' own."""
    found = shutil.which("initdb")
    installed = sorted(Path(DEBIAN).glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return Path(found).parent if found else installed[-1].parent if installed else None


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The server's folder, in which its socket is."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed: there is no initdb")
    folder = Path(tempfile.mkdtemp(prefix="bnlab-pg-"))
    options: dict[str, Any] = {"stdout": subprocess.DEVNULL, "timeout": 60, "cwd": folder}
    if os.geteuid() == 0:  # the server refuses to run as root
        options |= {"user": USER, "group": USER, "extra_groups": []}
        shutil.chown(folder, USER, USER)
    data = folder / "data"
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "-N"], check=True, **options
    )
    settings = " ".join([f"-k {folder}", *(f"-c {setting}" for setting in SETTINGS)])
    control = [binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    subprocess.run([*map(str, control), "-o", settings, "start"], check=True, **options)
    yield str(folder)
    subprocess.run([*map(str, control), "-m", "immediate", "stop"], check=True, **options)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def new_postgresql_url(postgresql_server: str) -> Callable[[], str]:
    """Makes an empty database; returns its URL."""
    numbers = itertools.count()

    def url_of(database: str) -> str:
        return f"postgresql+psycopg://{USER}@/{database}?host={postgresql_server}"

    def create() -> str:
        name = f"bnlab_{next(numbers)}"
        server = create_engine(url_of("postgres"), isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        server.dispose()
        return url_of(name)

    return create
