"""Shared by all commands: the console, common options, the store, and errors."""

import sys
from pathlib import Path
from typing import Any, NoReturn

import click
from pydantic import ValidationError
from rich.console import Console

from bnlab.claims.results import MissingResultsError
from bnlab.runs.config import Settings, settings_error_text
from bnlab.runs.database import INTERACTIVE_BUSY_SECONDS
from bnlab.runs.errors import StoreError
from bnlab.runs.store import Store


def plain_console(**options: Any) -> Console:
    """A console that prints texts as they are: `[b]` and `:smile:` in names, errors and notes are no markup.

    What is to be colored or bold is a `rich.text.Text`, or has a style of its own.
    """
    return Console(markup=False, emoji=False, **options)


console = plain_console() if sys.stdout.isatty() else plain_console(width=120)
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


class Commands(click.Group):
    """A group of commands. Errors of the store and of files end a command with a sentence and exit status 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except (StoreError, MissingResultsError) as error:
            fail(str(error))
        except ValidationError as error:
            if error.title != Settings.__name__:
                raise
            fail(settings_error_text(error))
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            fail(f"{where}{error.strerror or error}.")


def open_store() -> Store:
    """The store that the settings name."""
    return Store(Settings().store, INTERACTIVE_BUSY_SECONDS)


def fail(sentence: str) -> NoReturn:
    """End the command with this error message."""
    raise click.UsageError(sentence)
