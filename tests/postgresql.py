"""A temporary PostgreSQL server for a test session, on a Unix socket in a temporary folder."""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

USER = "postgres"
DEBIAN = "/usr/lib/postgresql"
SETTINGS = ("listen_addresses=''", "fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=50")


def _find_binaries() -> Path | None:
    """The folder of initdb and pg_ctl: on the path, or of Debian's newest version."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    installed = sorted(Path(DEBIAN).glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return installed[-1].parent if installed else None


@dataclass(frozen=True)
class PostgreSQL:
    """A running server: the folder of its socket, and a function that calls `pg_ctl` with more arguments."""

    socket: str
    control: Callable[..., None]


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """The server that all tests share."""
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
    with (data / "postgresql.conf").open("a") as file:
        file.write("\n".join([f"unix_socket_directories='{folder}'", *SETTINGS, ""]))
    command = [str(binaries / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log")]

    def control(*arguments: str) -> None:
        subprocess.run([*command, *arguments], check=True, **options)

    control("start")
    yield PostgreSQL(str(folder), control)
    control("-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def new_postgresql_url(postgresql_server: PostgreSQL) -> Callable[[], str]:
    """A function that creates an empty database and returns its URL."""
    counter = itertools.count()

    def database_url(database: str) -> str:
        return f"postgresql+psycopg://{USER}@/{database}?host={postgresql_server.socket}"

    def create() -> str:
        name = f"bnlab_{next(counter)}"
        server = create_engine(database_url("postgres"), isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        server.dispose()
        return database_url(name)

    return create
