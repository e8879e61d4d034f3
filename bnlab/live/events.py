"""Documents, the differences between two of them, and the server-sent events that carry both to browsers.

A document is what a view shows at one moment: nested dicts, whose other values are texts, numbers, lists, and float32
arrays. None does not occur in it. A difference is a JSON Merge Patch (RFC 7386: dicts are merged, null removes a
name) with two more rules, because curves grow: ``{"add": [keep, tail]}`` in place of an array keeps its first values,
or rows if it has two dimensions, and appends others; ``{"mix": [kept, places, others]}`` keeps the values, or
rows, whose bits are set in ``kept`` at the places whose bits are set in ``places``, and has others between them, as a
curve has that is thinned again. static/live_stream.js applies it.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnlab.charts.figures import encode_even

Document = Mapping[str, Any]
MAX_SKIPPED = 16
"""How many values of an array are left out at once where it is thinned."""


def difference(old: Document, new: Document) -> dict[str, Any]:
    """The patch that turns `old` into `new`, ready for JSON; empty if they are equal."""
    patch: dict[str, Any] = dict.fromkeys(old.keys() - new.keys())
    for name, value in new.items():
        before = old.get(name)
        if before is value:
            continue
        if isinstance(value, np.ndarray) and isinstance(before, np.ndarray):
            if (change := _array_difference(before, value)) is not None:
                patch[name] = change
        elif isinstance(value, Mapping) and isinstance(before, Mapping):
            if change := difference(before, value):
                patch[name] = change
        elif isinstance(value, np.ndarray) or isinstance(before, np.ndarray) or before != value:
            patch[name] = encode(value)
    return patch


def encode(value: Any) -> Any:
    """A document, or a value in one, ready for JSON.

    Arrays become ``{"f4": base64 of little-endian float32}``, those with two dimensions with their ``columns``, and
    evenly spaced ones, as most x are, ``{"even": [start, step, length]}``.
    """
    if isinstance(value, np.ndarray):
        floats = _float32(value)
        if floats.ndim > 1:
            return {"f4": _base64(floats), "columns": floats.shape[1]} if floats.size else []
        return encode_even(floats) or {"f4": _base64(floats)}
    if isinstance(value, Mapping):
        return {name: encode(part) for name, part in value.items()}
    return value


def event(kind: str, identifier: str, data: object) -> bytes:
    """One server-sent event, with `data` as JSON; without an `identifier` a reader keeps that of the last event."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    prefix = f"id: {identifier}\n" if identifier else ""
    return f"{prefix}event: {kind}\ndata: {text}\n\n".encode()


def _array_difference(old: NDArray[Any], new: NDArray[Any]) -> object:
    """How to make `new` of `old`; None if they are equal."""
    old, new = _float32(old), _float32(new)
    if old.shape[1:] != new.shape[1:] or not old.size:
        return None if old.shape == new.shape else encode(new)
    shared = min(len(old), len(new))
    differing = old[:shared].view(np.int32) != new[:shared].view(np.int32)  # as bits: NaN equals NaN
    rows = np.flatnonzero(differing.any(axis=tuple(range(1, old.ndim))))
    keep = int(rows[0]) if len(rows) else shared
    if keep == len(old) == len(new):
        return None
    if 2 * keep > len(new):
        return {"add": [keep, _base64(new[keep:])]}
    return _mixed(old, new) or encode(new)


def _mixed(old: NDArray[np.float32], new: NDArray[np.float32]) -> object:
    """`new` as values, or rows, of `old`, in their order, with others between them; None if few of them are."""
    before, after = _comparable(old), _comparable(new)
    kept, places = np.zeros(len(old), bool), np.zeros(len(new), bool)
    position = 0
    for place, value in enumerate(after):
        found = next((at for at in range(position, min(position + MAX_SKIPPED, len(old))) if before[at] == value), None)
        if found is not None:
            kept[found] = places[place] = True
            position = found + 1
    if 2 * places.sum() < len(new):
        return None
    return {"mix": [_bits(kept), _bits(places), _base64(new[~places])]}


def _comparable(values: NDArray[np.float32]) -> Sequence[object]:
    """Each value, or row, as its bits: NaN equals NaN."""
    return [row.tobytes() for row in values] if values.ndim > 1 else values.view(np.int32).tolist()


def _bits(flags: NDArray[np.bool_]) -> str:
    return base64.b64encode(np.packbits(flags, bitorder="little").tobytes()).decode()


def _float32(values: NDArray[Any]) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, "<f4")


def _base64(values: NDArray[Any]) -> str:
    return base64.b64encode(_float32(values).tobytes()).decode()
