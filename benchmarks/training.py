"""`python -m benchmarks.training`: training speed on the notebook's networks, against Keras and the hardware."""

import argparse
import json
import os
import platform
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.first_point import first_point_seconds
from benchmarks.recording import recording_shares
from benchmarks.side_by_side import measure_in_turns
from benchmarks.step_times import SPECS, STEP_ALTERNATIVES
from benchmarks.whole_comparison import compare_seconds, fit_seconds


def main() -> None:
    """Measure, print the tables and write everything as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each step")
    parser.add_argument("--epochs", type=int, default=10, help="epochs of the whole comparison")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/training.json"))
    arguments = parser.parse_args()
    # Let NumPy choose the best kernels for this processor in all child processes.
    os.environ.pop("OPENBLAS_CORETYPE", None)
    console = Console()
    console.print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    results: dict[str, Any] = {"cores": os.cpu_count(), "epochs": arguments.epochs}
    results["step_ms"] = measure_in_turns(STEP_ALTERNATIVES, list(SPECS), arguments.rounds)
    console.print(step_table(results["step_ms"]))
    results["recording"] = recording_shares(arguments.epochs)
    console.print(recording_table(results["recording"]))
    results["first_point_seconds"] = first_point_seconds()
    console.print(first_point_table(results["first_point_seconds"]))
    bnlab, fit = compare_seconds(arguments.epochs), fit_seconds(arguments.epochs)
    results["comparison_seconds"] = {"bnlab": bnlab, "fit": fit, "ratio": fit / bnlab["process_seconds"]}
    console.print(
        f"The whole comparison, {arguments.epochs} epochs: bnlab {bnlab['process_seconds']:.1f} s (from the start "
        f"of its scheduler {bnlab['wall_seconds']:.1f} s), four Keras fits {fit:.1f} s: "
        f"{fit / bnlab['process_seconds']:.1f} × faster."
    )
    arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    console.print(f"Written to {arguments.json}.")


def step_table(step_ms: dict[str, dict[str, float]]) -> Table:
    """Milliseconds per step and their ratios."""
    table = Table(title="Milliseconds per step", title_justify="left")
    for heading in ("network", *STEP_ALTERNATIVES, "bnlab / floor", "fit / bnlab"):
        table.add_column(heading, justify="left" if heading == "network" else "right")
    for network, ms in step_ms.items():
        ratios = f"{ms['bnlab'] / ms['floor']:.2f}", f"{ms['fit'] / ms['bnlab']:.1f}"
        table.add_row(network, *(f"{ms[name]:.3f}" for name in STEP_ALTERNATIVES), *ratios)
    return table


def recording_table(shares: dict[str, dict[str, float]]) -> Table:
    """The overhead of recording."""
    table = Table(
        "network", "seconds in steps", "validation", "all other recording", title="Recording", title_justify="left"
    )
    for network, row in shares.items():
        table.add_row(network, f"{row['step_seconds']:.1f}", f"{row['validation']:.1%}", f"{row['all else']:.1%}")
    return table


def first_point_table(seconds: dict[str, dict[str, float]]) -> Table:
    """Seconds from launch to the first recorded evaluation."""
    table = Table(
        "network", "new to the worker", "known to the worker", title="Seconds to the first point", title_justify="left"
    )
    for network, row in seconds.items():
        table.add_row(network, f"{row['new network']:.2f}", f"{row['known network']:.2f}")
    return table


if __name__ == "__main__":
    main()
