"""Contestants in processes of their own, measured in turns, so that a noisy machine is noisy for all of them."""

import multiprocessing
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from multiprocessing.connection import Connection
from statistics import median
from types import TracebackType

Measure = Callable[[str], float]
Contestant = Callable[[], Measure]


class Process:
    """A contestant in its own process: calling it measures one network and returns milliseconds a step."""

    def __init__(self, contestant: Contestant) -> None:
        """Start the process; `contestant` is a module-level function that returns its measure."""
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(contestant, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def __call__(self, network: str) -> float:
        """Measure `network`."""
        self._connection.send(network)
        return float(self._connection.recv())

    def __enter__(self) -> "Process":
        """The process itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._connection.close()
        self._process.terminate()
        self._process.join()


def measure_in_turns(
    contestants: Mapping[str, Contestant], networks: list[str], rounds: int
) -> dict[str, dict[str, float]]:
    """Network -> contestant -> the median of `rounds` measurements, after one that is thrown away."""
    with ExitStack() as stack:
        running = {name: stack.enter_context(Process(contestant)) for name, contestant in contestants.items()}
        results = {}
        for network in networks:
            turns = [{name: measure(network) for name, measure in running.items()} for _ in range(rounds + 1)]
            results[network] = {name: median(turn[name] for turn in turns[1:]) for name in running}
        return results


def _serve(contestant: Contestant, connection: Connection) -> None:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    try:
        measure = contestant()
        while True:
            connection.send(measure(connection.recv()))
    except EOFError:
        return
