"""The results of a comparison as a table, one row per variant; its cells are the event stream's."""

from collections.abc import Sequence

import streamlit as st

from bnlab.charts.results_table import COLUMNS, ResultColumn, measured_runs, result_columns, results_table
from bnlab.runs.latencies import last_measured
from bnlab.runs.reader import last_evaluated_steps
from bnlab.runs.run import Run
from bnlab.runs.store import Store
from bnlab.ui.compare.cards import RunsByDigest, SpecsByLabel
from bnlab.ui.live import TableColumn, live_table


def render_results(store: Store, specs: SpecsByLabel, runs: RunsByDigest, baseline: str) -> None:
    """Draw the table, and a button that downloads it with all columns and digits."""
    names = result_columns(runs.values(), seeds=max(map(len, specs.values())), baseline=baseline)
    columns = [TableColumn("label", "Network", numeric=False)]
    columns += [_table_column(name, COLUMNS[name], baseline) for name in names]
    live_table("results", columns, key="results")
    st.download_button(
        "CSV",
        lambda: _csv(store, specs, baseline),
        "bnlab-results.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="results_csv",
    )


def _table_column(name: str, column: ResultColumn, baseline: str) -> TableColumn:
    return TableColumn(name, column.title, column.help.format(baseline=baseline), column.numeric)


def _csv(store: Store, specs: SpecsByLabel, baseline: str) -> str:
    """The table at the time of the click; latencies are in milliseconds."""
    found = store.find(spec for label_specs in specs.values() for spec in label_specs)
    runs: dict[str, Sequence[Run]] = {
        label: [found[spec.digest] for spec in label_specs if spec.digest in found]
        for label, label_specs in specs.items()
    }
    measured = measured_runs(runs, last_evaluated_steps(store, list(found)))
    frame = results_table(store, measured, baseline, last_measured(store))
    latencies = [name for name in frame.columns if name.startswith("latency_")]
    return frame.assign(**{name: frame[name] * 1e3 for name in latencies}).to_csv(index=False)
