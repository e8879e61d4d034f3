"""Migrations of the store's tables with Alembic: `versions` has one module for each revision."""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection


def is_known(revision: str) -> bool:
    """Whether a store at `revision` can be upgraded by this version of bnlab."""
    try:
        return ScriptDirectory.from_config(_config()).get_revision(revision) is not None
    except CommandError:
        return False


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the tables up to `revision`, in the transaction that `connection` is in."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "bnlab.runs:migrations")
    return config
