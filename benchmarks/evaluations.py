"""`python -m benchmarks.evaluations`: what evaluating with all three statistics costs, beside moving ones alone.

Whole trainings measured in turns: a ratio, so that other work on the machine affects both.
"""

import argparse
import os
import time

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.side_by_side import Alternative, Measure, measure_in_turns
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec

SPECS: dict[str, RunSpec] = {
    "early validation (2,000 images, 10 epochs)": PRESETS["early_validation"].variants[1].spec,
    "placement (55,000 images, 2 epochs)": revise_spec(PRESETS["placement"].variants[-1].spec, {"epochs": 2}),
}
"""With BN before the activation."""


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="trainings of each network and each way")
    arguments = parser.parse_args()
    console = Console()
    console.print(f"{os.cpu_count()} cores, load before {psutil.getloadavg()[0]:.1f}")
    console.print(evaluation_table(evaluation_seconds(arguments.rounds)))


def evaluation_seconds(rounds: int) -> dict[str, dict[str, float]]:
    """Network -> way -> median seconds of a training, with its evaluations and without compiling."""
    return measure_in_turns(EVALUATION_ALTERNATIVES, list(SPECS), rounds)


def evaluation_table(seconds: dict[str, dict[str, float]]) -> Table:
    """Seconds and their ratios."""
    table = Table("network", "moving, s", "all three, s", "ratio", title="Evaluations", title_justify="left")
    for network, row in seconds.items():
        table.add_row(network, f"{row['moving']:.2f}", f"{row['all']:.2f}", f"{row['all'] / row['moving']:.2f}")
    return table


def moving() -> Measure:
    """Trainings that are evaluated with moving statistics."""
    return _measure("moving")


def all_statistics() -> Measure:
    """Trainings that are evaluated with all statistics."""
    return _measure("all")


EVALUATION_ALTERNATIVES: dict[str, Alternative] = {"moving": moving, "all": all_statistics}


def _measure(evaluate_with: str) -> Measure:
    from bnlab.runs.worker import set_up_worker
    from bnlab.training.trainer import Trainer

    set_up_worker()

    def measure(network: str) -> float:
        trainer = Trainer(revise_spec(SPECS[network], {"evaluate_with": evaluate_with}))
        start = time.perf_counter()
        while not trainer.finished:
            trainer.advance()
        return time.perf_counter() - start - trainer.setup_seconds

    return measure


if __name__ == "__main__":
    main()
