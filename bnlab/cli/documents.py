"""What the commands write as JSON."""

import json
from pathlib import Path
from typing import Any

from bnlab.runs.frames import history_frame
from bnlab.runs.run import Run
from bnlab.runs.store import Store
from bnlab.spec.network import Network, describe_network


def write_json(path: Path, document: Any) -> None:
    """Write `document`, atomically; numbers that are not finite become null."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(_finite(document), indent=2) + "\n")
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
    }


def _params(network: Network) -> dict[str, int]:
    return {"total": network.params, "trainable": network.trainable, "non_trainable": network.non_trainable}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not abs(value) < float("inf") else value
