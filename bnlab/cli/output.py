"""The output of the commands: JSON documents and tables."""

import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from bnlab.charts.tables import summary_frame, variables_frame
from bnlab.runs.reader import history_frame
from bnlab.runs.run import Run, UnreadableRun
from bnlab.runs.store import Store
from bnlab.specs.datasets import DATASETS, UNUSABLE
from bnlab.specs.network import Network, describe_network
from bnlab.specs.presets import PRESETS

MIN_SCIENTIFIC = 1e6
"""The smallest number that tables show in scientific notation."""
SHARED_MARK = "†"
SHARED_CAPTION = f"{SHARED_MARK}: measured beside other work of bnlab on the same machine"
NUMERIC_COLUMNS = ("seed", "done", "trained")


def write_json(path: Path, document: Any) -> None:
    """Write `document` atomically; numbers that are not finite become null."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(_replace_non_finite(document), indent=2) + "\n")
    partial.replace(path)


def comparison_document(store: Store, runs: list[tuple[str, Run]], wall_seconds: float) -> dict[str, Any]:
    """The document of `compare --json`: labelled runs in the preset's order."""
    return {"wall_seconds": wall_seconds, "runs": [_run_document(store, label, run) for label, run in runs]}


def network_document(label: str, network: Network) -> dict[str, Any]:
    """The document of `describe --json` for one variant."""
    return {
        "label": label,
        "params": _params(network),
        "layers": [
            {
                "name": layer.name,
                "class": layer.keras_class,
                "output_shape": list(layer.output_shape),
                "params": layer.params,
                "trainable": layer.trainable,
                "non_trainable": layer.non_trainable,
                "variables": [
                    {"name": v.name, "shape": list(v.shape), "trainable": v.trainable} for v in layer.variables
                ],
            }
            for layer in network.layers
        ],
    }


def _run_document(store: Store, label: str, run: Run) -> dict[str, Any]:
    return {
        "label": label,
        "digest": run.digest,
        "spec": run.spec.model_dump(mode="json"),
        "state": run.state.value,
        "params": _params(describe_network(run.spec)),
        "history": history_frame(store, run).to_dict("records"),
        "steps": run.step,
        "train_seconds": run.seconds,
        "shared": run.shared,
        "tags": list(run.tags),
        "note": run.note,
    }


def _params(network: Network) -> dict[str, int]:
    return {"total": network.params, "trainable": network.trainable, "non_trainable": network.non_trainable}


def _replace_non_finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _replace_non_finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_replace_non_finite(item) for item in value]
    return None if isinstance(value, float) and not abs(value) < float("inf") else value


def presets_table() -> Table:
    """Name, variants and description of every preset."""
    table = Table("preset", "networks", "what it compares", show_lines=True)
    for name, preset in PRESETS.items():
        table.add_row(name, "\n".join(variant.label for variant in preset.variants), preset.description)
    return table


def datasets_table() -> Table:
    """Every dataset with its shape, sizes and source, and the files that are none, with the reason."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("dataset", "images", "training", "test", "classes", "what it is"):
        table.add_column(heading, justify="right" if heading in ("training", "test", "classes") else "left")
    for name, dataset in DATASETS.items():
        shape = " × ".join(map(str, dataset.image_shape))
        description = f"{dataset.title}: {dataset.description}" if dataset.path is None else str(dataset.path)
        counts = (f"{count:,}" for count in (dataset.train, dataset.test, dataset.classes))
        table.add_row(name, shape, *counts, description)
    for name, sentence in UNUSABLE.items():
        table.add_row(name, "", "", "", "", Text(sentence, "red"))
    return table


def network_table(label: str, network: Network) -> Table:
    """The layers with their numbers of parameters, as in `model.summary()`, also by trainable and non-trainable."""
    table = Table(title=label, title_justify="left", title_style="bold", show_footer=True)
    table.add_column("layer", "total")
    table.add_column("class")
    table.add_column("output shape")
    totals = {"params": network.params, "trainable": network.trainable, "non-trainable": network.non_trainable}
    for title, total in totals.items():
        table.add_column(title, f"{total:,}", justify="right")
    for name, keras_class, shape, *counts in summary_frame(network).itertuples(index=False):
        table.add_row(name, keras_class, shape, *(f"{count:,}" for count in counts))
    return table


def variables_table(network: Network) -> Table:
    """Name, shape, trainable and size of every normalization variable, as the notebook prints `bn.variables`."""
    table = Table("bn.variables", "shape", "trainable", "params")
    for name, shape, trainable, params in variables_frame(network).itertuples(index=False):
        table.add_row(name, shape, str(trainable), f"{params:,}")
    return table


def results_table(frame: pd.DataFrame) -> Table:
    """The results of a comparison (`bnlab.runs.summary.results_frame`); which seeds diverged, and have none, if any."""
    has_diverged = bool(frame["diverged"].any())
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("network", min_width=14)
    for heading in ("params", "trainable", "val_loss", "val_accuracy", "s/epoch", "to 95 %", "to 97 %"):
        table.add_column(heading, justify="right", min_width=len(heading))
    if has_diverged:
        table.add_column("diverged")
    if True in set(frame["shared"]):
        table.caption = SHARED_CAPTION
    for row in frame.to_dict("records"):
        table.add_row(
            row["label"],
            f"{row['params']:,}",
            f"{row['trainable']:,}",
            _format_mean_and_sd(row["val_loss"], row["val_loss_sd"]),
            _format_mean_and_sd(row["val_accuracy"], row["val_accuracy_sd"]),
            _mark(_format_number(row["seconds_per_epoch"], 2), row["shared"]),
            _mark(_format_seconds(row["seconds_to_95"]), row["shared"]),
            _mark(_format_seconds(row["seconds_to_97"]), row["shared"]),
            *([_divergence(row)] if has_diverged else []),
        )
    return table


def runs_table(runs: Sequence[Run], unreadable: Sequence[UnreadableRun] = ()) -> Table:
    """All runs, the newest last, then those that this version of bnlab cannot read."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("digest", "label", "seed", "state", "done", "trained", "last written"):
        table.add_column(heading, no_wrap=heading != "label", justify="right" if heading in NUMERIC_COLUMNS else "left")
    if any(run.shared for run in runs):
        table.caption = SHARED_CAPTION
    for run in runs:
        table.add_row(
            run.digest[:8],
            run.label,
            str(run.spec.seed),
            "RECORDED" if run.recorded else run.state,
            f"{run.progress:.0%}",
            _mark(f"{run.seconds:.1f} s", run.shared),
            time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(run.updated_at)),
        )
        if run.error:
            table.add_row("", Text(run.error, "red"))
        if run.tags:
            table.add_row("", f"Tags: {', '.join(run.tags)}")
        if run.note:
            table.add_row("", run.note)
    for other in unreadable:
        table.add_row(other.digest[:8], other.label, "", other.state)
        table.add_row("", Text("Not readable by this version of bnlab.", "red"))
    return table


def _divergence(row: Mapping[Any, Any]) -> str:
    """How many seeds diverged, and when the first did; empty if none did."""
    if not row["diverged"]:
        return ""
    return f"{row['diverged']} of {row['runs'] + row['diverged']} seeds, step {row['diverged_step']:,.0f}"


def _mark(seconds: str, shared: bool | None) -> str:
    return f"{seconds} {SHARED_MARK}" if shared and seconds[0].isdigit() else seconds


def _format_mean_and_sd(mean: float, sd: float) -> str:
    return _format_number(mean, 4) if math.isnan(sd) else f"{_format_number(mean, 4)} ± {_format_number(sd, 4)}"


def _format_seconds(value: float) -> str:
    return "never" if math.isnan(value) else f"{value:.1f} s"


def _format_number(value: float, digits: int) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:.{digits}e}" if abs(value) >= MIN_SCIENTIFIC else f"{value:z.{digits}f}"
