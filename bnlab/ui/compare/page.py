"""The Compare page: choose variants, train them, watch their curves."""

import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.charts.results_table import COLUMNS, ResultColumn, result_columns
from bnlab.live.compare_offer import CompareOffer, RunsByLabel, compare_offer, compare_versions, visitor_name
from bnlab.live.downloads import RESULTS, results_url
from bnlab.live.reading import STATES_VERSION
from bnlab.runs.progress import summary_text
from bnlab.runs.rights import Rights
from bnlab.runs.run import Run
from bnlab.runs.scheduler import Scheduler
from bnlab.ui import services
from bnlab.ui.assets import base_path
from bnlab.ui.compare.answer import ANSWER, render_answer
from bnlab.ui.compare.curves import render_curves
from bnlab.ui.compare.folding import is_fold_open, render_fold
from bnlab.ui.compare.prediction import render_lesson_texts, render_prediction
from bnlab.ui.compare.questions import render_introduction, render_questions
from bnlab.ui.compare.settings import render_settings
from bnlab.ui.compare.toolbar import render_toolbar
from bnlab.ui.compare.variants import RunsByDigest, SpecsByLabel, render_networks, render_variants
from bnlab.ui.components import render_heading
from bnlab.ui.downloads import render_link
from bnlab.ui.launching import COMPARE, pending_at
from bnlab.ui.lesson import hides_results
from bnlab.ui.live import TableColumn, follow, live_table, live_text
from bnlab.ui.state import PageState, page_state, view_to_url
from bnlab.ui.visitor import rights_on

STILL_TRAINING = "Training in progress; showing latest values. Predictions are timed when no run trains."
ENDED = "Values are each run’s latest measurement."
HOW_TO_READ = "Click a header to sort."


def render_page() -> None:
    """Draw the page, without waiting for workers: progress and curves are the event stream's (`bnlab.live.compare`)."""
    scheduler, state = services.scheduler(), page_state()
    specs = state.comparison.specs()
    runs, problem = _find_runs(scheduler, specs), scheduler.problem
    rights, is_hidden = rights_on(runs.values()), hides_results(scheduler.store, state)
    by_seed = {label: [runs.get(spec.digest) for spec in label_specs] for label, label_specs in specs.items()}
    offer = compare_offer(by_seed, rights, problem, is_hidden=is_hidden)
    with st.container(gap="xsmall"):  # close together, so that the curves are on the first screen
        render_heading("Batch normalization lab", state)
        render_lesson_texts(state.lesson)
        render_introduction(state)
        render_questions(state)
        render_prediction(scheduler.store, state, specs, runs, is_hidden=is_hidden)
        render_toolbar(state, specs, runs, offer)
        if problem:
            st.warning(escape_markdown(problem), icon=":material/cloud_off:")
        if not is_hidden:
            render_answer(scheduler.store, state, specs, runs)
        version = _follow(state, by_seed, rights, problem, is_hidden=is_hidden)
        render_variants(state, specs, runs, rights, offer, version)
    if not state.lesson.hides("variants"):
        render_settings(state)
    if not is_hidden:
        render_curves(state.settings, "" if state.lesson.hides("results") else ANSWER)
        _render_summary(scheduler, runs, specs, state, offer)
    render_networks(state.comparison)
    if not is_hidden and not state.lesson.hides("results"):
        _render_results(scheduler, state, specs, runs, is_active=offer.is_active)


def _follow(state: PageState, runs: RunsByLabel, rights: Rights, problem: str, *, is_hidden: bool) -> str:
    """Have the page rendered again when it offers something else; returns the version that is rendered."""
    # What depends on more than the offer is rarely shown, and its page is rendered again when any state changes.
    shows_more = rights.is_teacher or pending_at(COMPARE) is not None or is_fold_open()
    versions = compare_versions(runs, problem, rights.shares, is_hidden=is_hidden)
    name = STATES_VERSION if shows_more else visitor_name(rights.visitor)
    return follow("compare", view_to_url(state), versions, name)


def _render_results(
    scheduler: Scheduler, state: PageState, specs: SpecsByLabel, runs: RunsByDigest, *, is_active: bool
) -> None:
    st.subheader("Results")
    if not runs:
        st.info("The table fills as the networks train.")
        return
    st.caption(f"{STILL_TRAINING if is_active else ENDED} {HOW_TO_READ}")
    scheduler.measure_latencies(run.spec for run in runs.values())
    _render_table(state, runs)
    render_fold(_runs_by_label(specs, runs))


def _render_summary(
    scheduler: Scheduler, runs: RunsByDigest, specs: SpecsByLabel, state: PageState, offer: CompareOffer
) -> None:
    """A line of text that is always present, so that nothing moves when training starts or ends."""
    digests = {spec.digest for variant_specs in specs.values() for spec in variant_specs}  # variants may share specs
    text = summary_text(runs.values(), len(digests), scheduler.activity(runs.values()))
    hint = "" if offer.is_trained_here or state.lesson.hides("training") else "Press Train to train on this machine."
    with st.container(key="summary"):
        live_text("summary", text, hint, key="summary-text")
        announced = summary_text(runs.values(), len(digests))  # changes with states, not with speeds
        live_text("announcement", announced, key="announcement", is_announced=True)


def _find_runs(scheduler: Scheduler, specs: SpecsByLabel) -> dict[str, Run]:
    return scheduler.store.find(spec for variant_specs in specs.values() for spec in variant_specs)


def _runs_by_label(specs: SpecsByLabel, runs: RunsByDigest) -> dict[str, list[Run]]:
    return {
        label: [runs[spec.digest] for spec in variant_specs if spec.digest in runs]
        for label, variant_specs in specs.items()
    }


def _render_table(state: PageState, runs: RunsByDigest) -> None:
    """The results: a row per variant, with cells of the event stream, and a link to all columns and digits."""
    baseline = state.settings.baseline
    names = result_columns(runs.values(), seeds=state.comparison.seeds, baseline=baseline)
    columns = [TableColumn("label", "Network", numeric=False)]
    columns += [_table_column(name, COLUMNS[name], baseline) for name in names]
    launched = [any(spec.digest in runs for spec in specs) for specs in state.comparison.specs().values()]
    live_table("results", columns, sum(launched), key="results")
    render_link("Download as CSV", results_url(base_path(), view_to_url(state)), RESULTS, key="results_csv")


def _table_column(name: str, column: ResultColumn, baseline: str) -> TableColumn:
    return TableColumn(name, column.title, column.help.format(baseline=baseline), column.numeric, column.name)
