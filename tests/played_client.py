"""A Dask client without a cluster, for tests of what a scheduler does with its answers."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class PlayedClient:
    """Knows the workers with these addresses."""

    cluster = None
    status = "running"
    addresses: tuple[str, ...] = ()

    @property
    def scheduler(self) -> "PlayedClient":
        return self

    def identity(self, n_workers: int) -> dict[str, Any]:
        return {"workers": {address: {} for address in self.addresses}}

    def sync(self, function: Callable[..., Any], **arguments: Any) -> Any:
        return function(**arguments)

    def submit(self, *_arguments: Any, **_options: Any) -> Any:
        """What is submitted waits for ever, as in a cluster without workers."""
        return Future()

    def close(self, timeout: float) -> None:
        """Do nothing."""
