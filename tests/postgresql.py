"""A temporary PostgreSQL server for a test session, on a Unix socket in a temporary folder."""

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


def _find_binaries() -> Path | None:
    """The folder of initdb and pg_ctl: on the path, or of Debian's newest version."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    installed = sorted(Path(DEBIAN).glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return installed[-1].parent if installed else None


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The folder of the server's socket."""
    binaries = _find_binaries()
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
    """A function that creates an empty database and returns its URL."""
    counter = itertools.count()

    def database_url(database: str) -> str:
        return f"postgresql+psycopg://{USER}@/{database}?host={postgresql_server}"

    def create() -> str:
        name = f"bnlab_{next(counter)}"
        server = create_engine(database_url("postgres"), isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        server.dispose()
        return database_url(name)

    return create
