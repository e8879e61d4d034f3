"""The store as workers open it: each from its own settings, so that no password travels with a task."""

from functools import lru_cache

from bnlab.runs.config import Settings
from bnlab.runs.store import Store


def worker_store_url(store_url: str) -> str:
    """The URL of the worker's own BNLAB_STORE; where it has none, the `store_url` of the app, which has no password."""
    settings = Settings()
    return settings.store if "store" in settings.model_fields_set else store_url


def open_worker_store(store_url: str) -> Store:
    """The store of this worker, kept open for its next task; see `worker_store_url`.

    Raises:
        bnlab.runs.errors.StoreError: it cannot be opened.
    """
    return _open(worker_store_url(store_url))


@lru_cache(maxsize=4)
def _open(url: str) -> Store:
    return Store(url)
