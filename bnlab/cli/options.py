"""What the commands have in common: where they print, what they are given, how they refuse."""

import sys
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console

from bnlab.runs.config import store_url
from bnlab.runs.database import StoreError
from bnlab.runs.store import Store

console = Console() if sys.stdout.isatty() else Console(width=120)
INTERRUPTED = 130
"""The exit status after Ctrl-C."""


def in_a_folder(_context: click.Context, _parameter: click.Parameter, path: Path | None) -> Path | None:
    """Refuse a file that could not be written: told before the training, not after it."""
    if path is not None and not path.parent.is_dir():
        raise click.BadParameter(f"{path.parent} is not a folder.")
    return path


json_option = click.option(
    "--json",
    "json_path",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    callback=in_a_folder,
    help="Write what is shown to this file.",
)


def open_store() -> Store:
    """The store at `BNLAB_STORE`; a sentence and the end where it cannot be opened."""
    try:
        return Store(store_url())
    except StoreError as error:
        fail(str(error))


def fail(sentence: str) -> NoReturn:
    """End the command with this sentence."""
    raise click.UsageError(sentence)
