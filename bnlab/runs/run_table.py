"""Lists of runs: by which fields they are shown, filtered and grouped, in which of them they differ, and group results.

A field's values are texts, as in links: those of `bnlab.specs.field_text` for the fields of a spec, ids for states.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import pandas as pd

from bnlab.runs.run import Run, RunState
from bnlab.specs.datasets import DATASETS
from bnlab.specs.diff import NO_VALUE, format_value, unused_fields
from bnlab.specs.field_text import format_field, parse_field
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import SpecError, did_you_mean, revise_spec

UNUSED = "unused"
"""The text of a spec's field that has no effect in it."""
RECORDED = "RECORDED"
"""Takes the place of the state of runs that are shipped with bnlab."""
STATES: dict[str, str] = {
    RunState.QUEUED.value: "Waiting",
    RunState.RUNNING.value: "Training",
    RunState.COMPLETED.value: "Complete",
    RunState.STOPPED.value: "Stopped",
    RunState.FAILED.value: "Failed",
    RunState.DIVERGED.value: "Diverged",
    RECORDED: "Recorded",
}
"""The titles of states, by the state's id."""
GROUP_COLUMNS = ("group", "runs", "completed", "val_accuracy", "val_accuracy_sd")

Filters = Mapping[str, Collection[str]]
"""By the id of a field: the texts of the values that are wanted."""


@dataclass(frozen=True)
class RunField:
    """A field by which runs are shown, filtered and grouped.

    Attributes:
        title: its name on pages.
        texts: the texts of a run's value; none or several for a field that is a set.
        format: a value's text as it is shown.
        parse: the text that `texts` returns for a value in a link; raises SpecError if no run can have that value.
        key: what texts are sorted by.
    """

    title: str
    texts: Callable[[Run], tuple[str, ...]]
    format: Callable[[str], str] = str
    parse: Callable[[str], str] = str
    key: Callable[[str], Any] = str.casefold


def shown_state(run: Run) -> str:
    """The state shown for the run, a key of STATES."""
    return RECORDED if run.recorded else run.state


def state_title(run: Run) -> str:
    """The title of the run's state."""
    return STATES[shown_state(run)]


def varying_fields(runs: Iterable[Run]) -> list[str]:
    """The fields of specs in which the runs differ, in RunSpec's order.

    A field without effect in a spec counts as its default, as in `bnlab.specs.diff.differing_fields`.
    """
    specs = [(run.spec, unused_fields(run.spec)) for run in runs]
    return [name for name, field in RunSpec.model_fields.items() if _differs(specs, name, field.default)]


def _differs(specs: Sequence[tuple[RunSpec, frozenset[str]]], name: str, default: object) -> bool:
    values = (default if name in unused else getattr(spec, name) for spec, unused in specs)
    first = next(values, None)
    return any(value != first for value in values)


def matching_runs(runs: Iterable[Run], filters: Filters) -> list[Run]:
    """The runs that have, of each field in `filters`, one of the wanted values."""
    wanted = [(FIELDS[name].texts, frozenset(texts)) for name, texts in filters.items() if texts]
    return [run for run in runs if all(not values.isdisjoint(texts(run)) for texts, values in wanted)]


def present_values(runs: Iterable[Run], name: str) -> dict[str, int]:
    """The texts of a field's values in `runs`, sorted, and how many runs have each."""
    field = FIELDS[name]
    counts = Counter(text for run in runs for text in field.texts(run))
    return {text: counts[text] for text in sorted(counts, key=field.key)}


def field_column(runs: Iterable[Run], name: str) -> list[Any]:
    """What a table shows of a field of the spec: numbers, so that they can be sorted, or formatted texts.

    None where the field has no effect.
    """
    is_number = is_numeric(name)
    return [
        None
        if name in unused_fields(run.spec)
        else getattr(run.spec, name)
        if is_number
        else format_value(name, getattr(run.spec, name))
        for run in runs
    ]


def is_numeric(name: str) -> bool:
    """Whether `field_column` has numbers for this field."""
    return RunSpec.model_fields[name].annotation in (int, float)


def sort_by_group(runs: Iterable[Run], name: str) -> list[Run]:
    """The runs in the order of their groups, and otherwise as they were; those that are in no group come last."""
    field = FIELDS[name]

    def position(run: Run) -> tuple[bool, list[Any]]:
        texts = field.texts(run)
        return not texts, [field.key(text) for text in texts]

    return sorted(runs, key=position)


def groups_frame(runs: Sequence[Run], accuracies: Mapping[str, float], name: str) -> pd.DataFrame:
    """One row per value of the field `name`, sorted by it. A run with several values is in several groups.

    Columns: group (the value as it is shown), runs, completed (how many of them were trained to their end),
    val_accuracy, val_accuracy_sd (mean and standard deviation of the completed runs' final validation accuracies, a
    fraction; NaN without runs, or one for the deviation). `accuracies` are the runs' last ones, by digest; what a
    diverged run recorded before it diverged is no result, nor is what a stopped one did.
    """
    field = FIELDS[name]
    members: dict[str | None, list[Run]] = {}
    for run in runs:
        for text in field.texts(run) or (None,):
            members.setdefault(text, []).append(run)
    rows = []
    for text in sorted(members, key=lambda text: (True, 0) if text is None else (False, field.key(text))):
        completed = [run for run in members[text] if run.state is RunState.COMPLETED]
        final = pd.Series([accuracies.get(run.digest, math.nan) for run in completed], dtype=float)
        title = NO_VALUE if text is None else field.format(text)
        rows.append((title, len(members[text]), len(completed), final.mean(), final.std()))
    return pd.DataFrame(rows, columns=list(GROUP_COLUMNS))


def _spec_texts(name: str, run: Run) -> tuple[str, ...]:
    return (UNUSED,) if name in unused_fields(run.spec) else (format_field(getattr(run.spec, name)),)


@lru_cache(maxsize=4096)
def _spec_value(name: str, text: str) -> Any:
    """The value of a field of RunSpec with this text; raises SpecError if no spec can have it."""
    largest = max(DATASETS, key=lambda dataset: DATASETS[dataset].train)  # allows the most training examples
    spec = revise_spec(RunSpec(dataset=largest), {name: parse_field(name, text)})
    return getattr(spec, name)


def _format_spec_text(name: str, text: str) -> str:
    return NO_VALUE if text == UNUSED else format_value(name, _spec_value(name, text))


def _parse_spec_text(name: str, text: str) -> str:
    return UNUSED if text == UNUSED else format_field(_spec_value(name, text))


def _spec_key(name: str, text: str) -> tuple[bool, Any]:
    """Numbers and lists of them by their values, others by their titles; fields without effect last."""
    if text == UNUSED:
        return True, 0
    if is_numeric(name):
        return False, float(text)
    value = _spec_value(name, text)
    if value is None:
        return False, math.inf
    return False, format_value(name, value).casefold() if isinstance(value, str) else value


def _parse_state(text: str) -> str:
    if text.upper() not in STATES:
        raise SpecError(f"There is no state {text[:40]!r}{did_you_mean(text, STATES)}")
    return text.upper()


FIELDS: dict[str, RunField] = {
    **{
        name: RunField(
            str(field.title),
            partial(_spec_texts, name),
            format=partial(_format_spec_text, name),
            parse=partial(_parse_spec_text, name),
            key=partial(_spec_key, name),
        )
        for name, field in RunSpec.model_fields.items()
    },
    "label": RunField("Name", lambda run: (run.label,)),
    "state": RunField(
        "State",
        lambda run: (str(shown_state(run)),),
        format=STATES.__getitem__,
        parse=_parse_state,
        key=list(STATES).index,
    ),
    "tag": RunField("Tag", lambda run: run.tags),
}
"""By the id that links use."""
