"""Alternatives measured in turns, each in its process, so that a temporary load affects all of them."""

import multiprocessing
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from multiprocessing.connection import Connection
from statistics import median
from types import TracebackType

Measure = Callable[[str], float]
Alternative = Callable[[], Measure]


class AlternativeProcess:
    """An alternative in a separate process: calling it measures one network and returns milliseconds per step."""

    def __init__(self, alternative: Alternative) -> None:
        """Start the process; `alternative` is a module-level function that returns the measuring function."""
        context = multiprocessing.get_context("spawn")
        self._connection, child_connection = context.Pipe()
        self._process = context.Process(target=_serve, args=(alternative, child_connection), daemon=True)
        self._process.start()
        child_connection.close()

    def __call__(self, network: str) -> float:
        """Measure `network`."""
        self._connection.send(network)
        return float(self._connection.recv())

    def __enter__(self) -> "AlternativeProcess":
        """Return the process."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._connection.close()
        self._process.terminate()
        self._process.join()


def measure_in_turns(
    alternatives: Mapping[str, Alternative], networks: list[str], rounds: int
) -> dict[str, dict[str, float]]:
    """Network -> alternative -> the median of `rounds` measurements, after one for warm-up."""
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(AlternativeProcess(alternative)) for name, alternative in alternatives.items()
        }
        results = {}
        for network in networks:
            turns = [{name: measure(network) for name, measure in processes.items()} for _ in range(rounds + 1)]
            results[network] = {name: median(turn[name] for turn in turns[1:]) for name in processes}
        return results


def _serve(alternative: Alternative, connection: Connection) -> None:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    try:
        measure = alternative()
        while True:
            connection.send(measure(connection.recv()))
    except EOFError:
        return
