"""`python -m bnlab claims`: the notebook's statements on trial, without a browser."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich import box
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from bnlab.claims.claim import Claim, Size
from bnlab.claims.evidence import probes, trained_specs
from bnlab.claims.registry import CLAIMS
from bnlab.claims.trial import Trial, TrialError, missing_specs, read_trial, run_trial, size_seeds, trial_document
from bnlab.cli.documents import write_json
from bnlab.cli.options import INTERRUPTED, console, json_option, open_store
from bnlab.cli.watching import wait_until_stopped
from bnlab.runs.errands import ErrandError
from bnlab.runs.lab import Lab
from bnlab.runs.places import scheduler_address
from bnlab.runs.run import Run
from bnlab.runs.store import Store

MOST_SEEDS = 100
HIGHEST_SEED = 2**31 - 1

Asked = tuple[Claim, Size, range]


def _seeds(_context: click.Context, _parameter: click.Parameter, text: str | None) -> range | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,10}):(\d{1,10})", text, re.ASCII)
    seeds = range(*(int(end) for end in match.groups())) if match else range(0)
    if not 1 <= len(seeds) <= MOST_SEEDS or seeds[-1] > HIGHEST_SEED:
        raise click.BadParameter(
            f"seeds are FROM:TO, as 0:5 for 0 to 4: at least one, at most {MOST_SEEDS}, but {text[:40]!r} was given."
        )
    return seeds


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...", type=click.Choice(list(CLAIMS), case_sensitive=False))
@click.option("--quick/--full", "is_quick", default=True, show_default=True, help="About a minute a claim, or longer.")
@click.option("--seeds", metavar="FROM:TO", callback=_seeds, help="These seeds, instead of the claim's own from 0.")
@json_option
def claims(ids: tuple[str, ...], is_quick: bool, seeds: range | None, json_path: Path | None) -> None:
    """Put the notebook's statements on trial, all or those named. Ctrl-C stops; the same command goes on."""
    store = open_store()
    chosen = [CLAIMS[name] for name in CLAIMS if name in ids or not ids]
    sizes = [claim.quick if is_quick else claim.full for claim in chosen]
    asked = [(claim, size, size_seeds(size, seeds)) for claim, size in zip(chosen, sizes, strict=True)]
    trials = _held(store, asked)
    console.print(trials_table(trials))
    if json_path:
        write_json(json_path, [trial_document(trial) for trial in trials])
    sys.exit(len(trials) < len(asked))


def trials_table(trials: Sequence[Trial]) -> Table:
    """A line for each trial: what was said, the verdict, and the difference behind it."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("", "statement", "verdict", "difference, 95 % interval", "seeds", "runs", "trained"):
        table.add_column(heading, justify="right" if heading in ("seeds", "runs", "trained") else "left")
    for trial in trials:
        difference, claim = trial.difference, trial.claim
        ends = f"{_signed(difference.low)} to {_signed(difference.high)}"
        table.add_row(
            claim.id,
            escape(claim.statement),
            escape(trial.words),
            escape(f"{_signed(difference.mean)} ({ends}) {claim.measure.unit}, {claim.measure.name}"),
            str(len(trial.seeds)),
            str(len(trial.runs)),
            f"{trial.seconds:.0f} s",
        )
    return table


def _held(store: Store, asked: Sequence[Asked]) -> list[Trial]:
    """The trials that could be held; why others could not is printed."""
    if not any(missing_specs(store, *own) or probes(*own) for own in asked):
        return [read_trial(store, *own) for own in asked]
    lab = Lab(store, scheduler=scheduler_address())
    try:
        return [trial for own in asked if (trial := _hold(lab, own)) is not None]
    except KeyboardInterrupt:
        console.print("Stopping; what was trained is kept.")
        wait_until_stopped(lab, [spec.digest for own in asked for spec in trained_specs(*own)])
        console.print("Stopped. The same command goes on from here.")
        sys.exit(INTERRUPTED)
    finally:
        lab.close()


def _hold(lab: Lab, asked: Asked) -> Trial | None:
    claim, size, seeds = asked
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[detail]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    idle = not trained_specs(*asked)
    with Progress(*columns, console=console, refresh_per_second=4, transient=True, disable=idle) as progress:
        bar = progress.add_task(claim.id, total=1.0, detail="")

        def show(runs: Sequence[Run]) -> None:
            share = sum(run.step for run in runs) / max(1, sum(run.total_steps for run in runs))
            ended = sum(run.state.is_finished() for run in runs)
            progress.update(bar, completed=share, detail=lab.problem or f"{ended} of {len(runs)} runs")

        try:
            trial = run_trial(lab, claim, size, seeds, show)
        except (TrialError, ErrandError) as error:
            console.print(f"{claim.id}: {error}", style="red", markup=False)
            return None
    console.print(f"{claim.id}: {trial.words}", markup=False, soft_wrap=True)
    return trial


def _signed(value: float) -> str:
    digits = 0 if abs(value) >= 100 else 2 if abs(value) >= 1 else 3
    return f"{value:+z,.{digits}f}"
