"""Shared by all commands: the console, common options, the store, and errors."""

import sys
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console

from bnlab.runs.config import Settings
from bnlab.runs.database import StoreError
from bnlab.runs.store import Store

console = Console() if sys.stdout.isatty() else Console(width=120)
EXIT_INTERRUPTED = 130
"""The exit status after Ctrl-C."""


def check_parent_folder(_context: click.Context, _parameter: click.Parameter, path: Path | None) -> Path | None:
    """A click callback that refuses a path in a folder that does not exist, before anything is trained."""
    if path is not None and not path.parent.is_dir():
        raise click.BadParameter(f"{path.parent} is not a folder.")
    return path


json_option = click.option(
    "--json",
    "json_path",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    callback=check_parent_folder,
    help="Write what is shown to this file.",
)


def open_store() -> Store:
    """Open the store that the settings name, or end the command with an error message."""
    try:
        return Store(Settings().store)
    except StoreError as error:
        fail(str(error))


def fail(sentence: str) -> NoReturn:
    """End the command with this error message."""
    raise click.UsageError(sentence)
