"""The commands that test the statements: `claims`, `report` of its results, and `rates`, which chooses those of P1."""

import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich import box
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from bnlab.claims.catalog.placement_rates import tuning_specs
from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.measures import final_accuracy
from bnlab.claims.model import FULL, QUICK, Experiment, plan_experiment
from bnlab.claims.recorded import recorded_results, write_results
from bnlab.claims.report import claims_report, result_document
from bnlab.claims.results import ExperimentResult, read_cached_results, read_result, trained_specs
from bnlab.claims.runner import ClaimProgress, ClaimRunner
from bnlab.cli.options import EXIT_INTERRUPTED, check_parent_folder, console, json_option, open_store
from bnlab.cli.output import write_json
from bnlab.cli.progress import end_in_time, wait_before_poll, wait_until_stopped
from bnlab.cli.training import are_trained, refuse_unreadable, run_labels, train, trained_runs
from bnlab.runs.config import Settings
from bnlab.runs.reader import read_evaluations
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.shares import COMMAND_LINE
from bnlab.runs.store import Store

MAX_SEEDS = 100
MAX_SEED = 2**31 - 1
FILE_TYPE = click.Path(dir_okay=False, writable=True, path_type=Path)


def _parse_seeds(_context: click.Context, _parameter: click.Parameter, text: str | None) -> range | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,10}):(\d{1,10})", text, re.ASCII)
    seeds = range(*(int(bound) for bound in match.groups())) if match else range(0)
    if not 1 <= len(seeds) <= MAX_SEEDS or seeds[-1] > MAX_SEED:
        raise click.BadParameter(
            f"seeds are FROM:TO, as 0:5 for 0 to 4: at least one, at most {MAX_SEEDS}, but {text[:40]!r} was given."
        )
    return seeds


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...", type=click.Choice(list(CLAIMS), case_sensitive=False))
@click.option(
    "--quick/--full", "is_quick", default=True, show_default=True, help="About a minute per claim, or longer."
)
@click.option(
    "--seeds", metavar="FROM:TO", callback=_parse_seeds, help="These seeds, instead of the claim's own from 0."
)
@click.option(
    "--until-decided",
    is_flag=True,
    help="Double the seeds of a claim until all its conditions are decided, at most three times.",
)
@click.option(
    "--record",
    "record_path",
    type=FILE_TYPE,
    callback=check_parent_folder,
    help="Write the values as the app ships them.",
)
@json_option
def claims(
    ids: tuple[str, ...],
    is_quick: bool,
    seeds: range | None,
    until_decided: bool,
    record_path: Path | None,
    json_path: Path | None,
) -> None:
    """Test the statements on batch normalization, all or those named. Ctrl-C stops; the same command resumes."""
    store = open_store()
    selected = [claim for claim_id, claim in CLAIMS.items() if claim_id in ids or not ids]
    experiments = [plan_experiment(claim, QUICK if is_quick else FULL, seeds) for claim in selected]
    trials = _run_all(store, experiments, until_decided)
    console.print(trials_table(trials))
    if json_path:
        write_json(json_path, [result_document(trial) for trial in trials])
    if record_path:
        write_results(trials, record_path)
    sys.exit(len(trials) < len(experiments))


@click.command()
@click.argument("path", metavar="FILE", type=FILE_TYPE, callback=check_parent_folder)
def report(path: Path) -> None:
    """Write the recorded results that ship with bnlab as a page in Markdown: docs/claims.md."""
    path.write_text(claims_report(recorded_results().values()), encoding="utf-8")


@click.command()
@click.argument("path", metavar="FILE", type=FILE_TYPE, callback=check_parent_folder)
def rates(path: Path) -> None:
    """Train the runs by which P1 chooses its learning rates, on seeds of their own, and write what they reach."""
    networks = tuning_specs()
    variants = {
        f"{network}, rate {rate}": specs for network, by_rate in networks.items() for rate, specs in by_rate.items()
    }
    labels = run_labels(variants)
    store = open_store()
    if not are_trained(store, labels):
        train(store, variants, labels, "P1 rates")
    trained = trained_runs(store, labels)
    evaluations = read_evaluations(store, list(trained.values()))
    accuracies = {
        network: {
            rate: [round(final_accuracy(trained[spec.digest], evaluations[spec.digest]), 2) for spec in specs]
            for rate, specs in by_rate.items()
        }
        for network, by_rate in networks.items()
    }
    path.write_text(json.dumps(accuracies, indent=1) + "\n", "utf-8")
    console.print(f"{len(labels)} runs in {path}.")


def trials_table(trials: Sequence[ExperimentResult]) -> Table:
    """One row per trial: statement, verdict, and the mean difference with its confidence interval."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("", "statement", "verdict", "mean difference, 95 % interval", "seeds", "runs", "trained"):
        table.add_column(heading, justify="right" if heading in ("seeds", "runs", "trained") else "left")
    for trial in trials:
        difference, claim = trial.difference, trial.experiment.claim
        interval = f"{_format_signed(difference.low)} to {_format_signed(difference.high)}"
        effect = f"{_format_signed(difference.mean)} ({interval}) {claim.measure.difference_unit}"
        table.add_row(
            claim.id,
            claim.statement,
            trial.text,
            f"{effect}, {claim.measure.title}",
            str(len(trial.experiment.seeds)),
            str(trial.networks),
            f"{trial.cost.seconds:.0f} s",
        )
    return table


def _run_all(store: Store, experiments: list[Experiment], until_decided: bool) -> list[ExperimentResult]:
    """The trials of all experiments that were completed; the errors of others are printed."""
    cached = read_cached_results(store)
    while all(cached.coverage(experiment).is_complete for experiment in experiments):
        trials = [read_result(store, experiment) for experiment in experiments]
        looks = [(until_decided and trial.next_look) or trial.experiment for trial in trials]
        if looks == experiments:
            return trials
        experiments = looks
    refuse_unreadable(store, _trained_digests(experiments))  # not hours later, when it is the turn of their claim
    scheduler = Scheduler(store, scheduler=Settings().scheduler)
    try:
        runs = (_run(scheduler, experiment, until_decided) for experiment in experiments)
        return [trial for trial in runs if trial is not None]
    except KeyboardInterrupt:
        looks = [look for experiment in experiments for look in _looks(experiment)]
        end_in_time(scheduler, _trained_digests(looks))
        console.print("Stopping; what was trained is kept.")
        _stop(scheduler, looks)
        console.print("Stopped. The same command resumes from here.")
        sys.exit(EXIT_INTERRUPTED)
    finally:
        scheduler.close()


def _run(scheduler: Scheduler, experiment: Experiment, until_decided: bool) -> ExperimentResult | None:
    """The trial, with more seeds as long as it is to be decided and may have more; None if it failed."""
    trial = _run_once(scheduler, experiment)
    while until_decided and trial is not None and (more := trial.next_look) is not None:
        trial = _run_once(scheduler, more)
    return trial


def _run_once(scheduler: Scheduler, experiment: Experiment) -> ExperimentResult | None:
    claim = experiment.claim
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    is_complete = read_cached_results(scheduler.store).coverage(experiment).is_complete
    with Progress(*columns, console=console, refresh_per_second=4, transient=True, disable=is_complete) as progress:
        bar = progress.add_task(claim.id, total=1.0, detail="")
        runner = ClaimRunner(scheduler, experiment)
        runner.start(COMMAND_LINE)
        started = time.monotonic()
        while not (state := runner.progress()).is_complete:
            if state.has_failed:
                console.print(f"{claim.id}: {state.problem}", style="red")
                _stop(scheduler, [experiment])
                return None
            progress.update(bar, completed=state.fraction, detail=state.problem or _counts_text(state))
            wait_before_poll(time.monotonic() - started)
            started = time.monotonic()
    trial = read_result(scheduler.store, experiment)
    console.print(f"{claim.id}: {trial.text}", soft_wrap=True)
    return trial


def _looks(experiment: Experiment) -> Iterator[Experiment]:
    """The experiment, then those with more seeds that it may lead to."""
    yield experiment
    if experiment.next_look is not None:
        yield from _looks(experiment.next_look)


def _stop(scheduler: Scheduler, experiments: Sequence[Experiment]) -> None:
    for experiment in experiments:
        ClaimRunner(scheduler, experiment).stop(COMMAND_LINE)
    wait_until_stopped(scheduler, _trained_digests(experiments))


def _trained_digests(experiments: Sequence[Experiment]) -> list[str]:
    return [spec.digest for experiment in experiments for spec in trained_specs(experiment)]


def _counts_text(progress: ClaimProgress) -> str:
    """Text such as '34 of 60 runs, 2 of 40 measurements'."""
    coverage = progress.coverage
    parts = (
        (coverage.trained, coverage.runs, "runs"),
        (coverage.measured, coverage.measurements, "measurements"),
    )
    return ", ".join(f"{done} of {total} {unit}" for done, total, unit in parts if total)


def _format_signed(value: float) -> str:
    """A number with its sign and about three significant digits."""
    digits = 0 if abs(value) >= 100 else 2 if abs(value) >= 1 else 3
    return f"{value:+z,.{digits}f}"
