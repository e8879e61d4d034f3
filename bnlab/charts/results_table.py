"""The results of a comparison as a table, one row per variant."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from bnlab.charts.formatting import MINUS
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.runs.summary import SHARED_TEXTS, results_frame
from bnlab.training.records import LATENCY_BATCHES

MAX_LOSS = 1e6
"""Larger losses, of runs that diverged, say nothing and are wider than their column."""
MISSING = "–"

MeasuredRuns = tuple[tuple[str, tuple[tuple[str, int, RunState, bool | None], ...]], ...]
"""For each label, the digest, last evaluated step, state and `shared` of its runs.

The table depends on nothing else but the latencies of their networks.
"""


@dataclass(frozen=True)
class ResultColumn:
    """A column of the table.

    Attributes:
        title: its heading.
        name: what screen readers read instead, where another column has the same title.
        format: writes a value that is not missing.
        help: a remark, in which `{baseline}` is the baseline's label.
        missing: stands for a missing value.
        numeric: whether its texts are numbers.
    """

    title: str
    format: Callable[[float], str]
    help: str = ""
    missing: str = MISSING
    numeric: bool = True
    name: str = ""


def _decimals(decimals: int, *, unit: str = "", sign: str = "", factor: float = 1) -> Callable[[float], str]:
    return lambda value: f"{value * factor:{sign}z.{decimals}f}{unit}".replace("-", MINUS)


def _loss(value: float) -> str:
    return f"{value:.4f}" if abs(value) < MAX_LOSS else MISSING


def _whole(value: float) -> str:
    return f"{value:,.0f}"


_PERCENT = _decimals(2, unit=" %", factor=100)
_REACHED = "At the pace of the fastest epoch. –: not reached by every seed"
_SHARED = (
    "Whether bnlab did other work on the machine at the same time, so that the network may take fewer seconds alone. "
    "Not known of recorded runs and those of earlier versions"
)
_LATENCY = (
    "The median of several, on one thread of this machine, alternating with the other networks. Measured when no run "
    "trains; –: not yet"
)
COLUMNS: dict[str, ResultColumn] = {
    "params": ResultColumn("Parameters", _whole),
    "trainable": ResultColumn("Trainable", _whole),
    "diverged": ResultColumn("Diverged", _whole, "How many seeds: their loss is not finite, so they have no result"),
    "diverged_step": ResultColumn("Diverged at step", _whole, "The first seed that did"),
    "runs": ResultColumn("Seeds measured", _whole, "How many the means are over: those that diverged are omitted"),
    "val_loss": ResultColumn("Validation loss", _loss, "–: not finite, or larger than a million"),
    "val_loss_sd": ResultColumn("± SD", _loss, name="± SD of validation loss"),
    "val_accuracy": ResultColumn("Validation accuracy", _PERCENT),
    "val_accuracy_sd": ResultColumn("± SD", _PERCENT, name="± SD of validation accuracy"),
    "difference": ResultColumn(
        "Difference (points)",
        _decimals(2, sign="+", factor=100),
        "Validation accuracy minus {baseline}’s, seed by seed, in percentage points",
    ),
    "difference_sd": ResultColumn("± SD", _decimals(2, factor=100), name="± SD of the difference"),
    "difference_runs": ResultColumn(
        "Seeds compared", _whole, "How many the difference is over: those that diverged here or in {baseline} have none"
    ),
    "seconds_per_epoch": ResultColumn(
        "Seconds per epoch",
        _decimals(2),
        "The training steps of the fastest epoch, mean over seeds. –: no seed has trained a whole epoch",
    ),
    "seconds_to_95": ResultColumn("Seconds to 95 %", _decimals(1), _REACHED),
    "seconds_to_97": ResultColumn("Seconds to 97 %", _decimals(1), _REACHED),
    "shared": ResultColumn(
        "Seconds measured",
        lambda shared: SHARED_TEXTS[bool(shared)],
        _SHARED,
        missing=SHARED_TEXTS[None],
        numeric=False,
    ),
    **{
        f"latency_{size}": ResultColumn(f"Prediction of {size} (ms)", _decimals(3, factor=1e3), _LATENCY)
        for size in LATENCY_BATCHES
    },
}
"""By the column's name in `results_frame`, in the order in which they are shown; the first, of labels, is left out."""


def result_columns(runs: Iterable[Run], *, seeds: int, baseline: str) -> list[str]:
    """The names of the columns that say something: divergences, deviations of seeds, differences to a baseline."""
    hidden = set() if baseline else {"difference", "difference_sd", "difference_runs"}
    if not any(run.state is RunState.DIVERGED for run in runs):
        hidden |= {"diverged", "diverged_step", "difference_runs"}
    if seeds == 1:
        hidden |= {"runs", "difference_runs", *(name for name in COLUMNS if name.endswith("_sd"))}
    return [name for name in COLUMNS if name not in hidden]


def measured_runs(runs: Mapping[str, Sequence[Run]], evaluated: Mapping[str, int]) -> MeasuredRuns:
    """`runs` by their labels, with the steps of their last evaluations by digest, -1 before the first."""
    return tuple(
        (label, tuple((run.digest, evaluated[run.digest], run.state, run.shared) for run in label_runs))
        for label, label_runs in runs.items()
    )


@lru_cache(maxsize=64)
def results_table(store: Store, measured: MeasuredRuns, baseline: str, _measured_at: float) -> pd.DataFrame:
    """The frame of `results_frame`, computed once for all who look at it until something in it is measured again.

    `_measured_at` is the time of the store's last latencies (`bnlab.runs.latencies.last_measured`).
    """
    runs = {run.digest: run for run in store.runs(digest for _, label_runs in measured for digest, *_ in label_runs)}
    comparison = {
        label: [runs[digest] for digest, *_ in label_runs if digest in runs] for label, label_runs in measured
    }
    return results_frame(store, comparison, baseline or None)


@lru_cache(maxsize=64)
def result_texts(store: Store, measured: MeasuredRuns, baseline: str, measured_at: float) -> dict[str, dict[str, str]]:
    """The table as it is displayed: by label and by the column's name. Arguments as of `results_table`."""
    frame = results_table(store, measured, baseline, measured_at)
    return {
        str(row["label"]): {name: _text(row.get(name), column) for name, column in COLUMNS.items()}
        for row in frame.to_dict("records")
    }


def _text(value: float | None, column: ResultColumn) -> str:
    return column.missing if value is None or pd.isna(value) else column.format(value)
