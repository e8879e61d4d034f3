"""Where things are: the store and the scheduler, as the environment says."""

import os

from platformdirs import user_data_path


def store_url() -> str:
    """`BNLAB_STORE`, a SQLAlchemy URL, or an SQLite file in the user's data folder."""
    return os.environ.get("BNLAB_STORE") or f"sqlite:///{user_data_path('bnlab') / 'bnlab.db'}"


def scheduler_address() -> str | None:
    """`BNLAB_SCHEDULER`, a Dask scheduler's address, or None for workers of our own."""
    return os.environ.get("BNLAB_SCHEDULER") or None
