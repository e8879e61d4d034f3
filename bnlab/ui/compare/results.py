"""The results of a comparison as a table, one row per variant; its cells are the event stream's."""

from bnlab.charts.results_table import COLUMNS, ResultColumn, result_columns
from bnlab.live.downloads import RESULTS, results_url
from bnlab.ui.assets import base_path
from bnlab.ui.compare.variants import RunsByDigest
from bnlab.ui.downloads import render_link
from bnlab.ui.live import TableColumn, live_table
from bnlab.ui.state import PageState, view_to_url


def render_results(state: PageState, runs: RunsByDigest) -> None:
    """Draw the table, and a link that downloads it with all columns and digits."""
    baseline = state.settings.baseline
    names = result_columns(runs.values(), seeds=state.comparison.seeds, baseline=baseline)
    columns = [TableColumn("label", "Network", numeric=False)]
    columns += [_table_column(name, COLUMNS[name], baseline) for name in names]
    launched = [any(spec.digest in runs for spec in specs) for specs in state.comparison.specs().values()]
    live_table("results", columns, sum(launched), key="results")
    render_link("Download as CSV", results_url(base_path(), view_to_url(state)), RESULTS, key="results_csv")


def _table_column(name: str, column: ResultColumn, baseline: str) -> TableColumn:
    return TableColumn(name, column.title, column.help.format(baseline=baseline), column.numeric, column.name)
