"""The commands of `python -m bnlab`."""

import sys
from pathlib import Path
from typing import Any

import click

from bnlab.cli.claims import claims, rates, report
from bnlab.cli.options import Commands, check_parent_folder, console, fail, json_option, open_store
from bnlab.cli.output import (
    comparison_document,
    datasets_table,
    network_document,
    network_table,
    presets_table,
    results_table,
    runs_table,
    variables_table,
    write_json,
)
from bnlab.cli.training import are_trained, run_labels, train, trained_runs
from bnlab.model.dataset_statistics import compute_statistics
from bnlab.runs.datasets import register_datasets
from bnlab.runs.recording import write_recording
from bnlab.runs.run import ACTIVE, RunState
from bnlab.runs.summary import results_frame
from bnlab.specs.comparison import comparison_specs
from bnlab.specs.dataset_statistics import statistics_from_json, statistics_to_json
from bnlab.specs.datasets import PUBLISHED, DatasetError
from bnlab.specs.field_text import GRAMMAR, parse_field
from bnlab.specs.network import describe_network
from bnlab.specs.presets import PRESETS, Preset
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import SpecError

preset_argument = click.argument("preset", metavar="PRESET", type=click.Choice(list(PRESETS)))


@click.group(cls=Commands)
def main() -> None:
    """Compare batch-normalization variants, trained in the background."""
    try:
        register_datasets()
    except DatasetError as error:
        fail(str(error))


main.add_command(claims)
main.add_command(report)
main.add_command(rates)


@main.command()
def presets() -> None:
    """List the named comparisons."""
    console.print(presets_table())


@main.command()
def datasets() -> None:
    """List the datasets: those that bnlab knows, and the .npz files in the folder that BNLAB_DATA names."""
    console.print(datasets_table())


@main.command()
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), callback=check_parent_folder)
@click.option("--dataset", "names", multiple=True, type=click.Choice(list(PUBLISHED)), help="Only this one.")
def statistics(path: Path, names: tuple[str, ...]) -> None:
    """Compute the statistics of the datasets that bnlab knows, from which it gives advice.

    The numbers of other datasets in FILE are kept.
    """
    try:
        known = statistics_from_json(path.read_text("utf-8")) if path.exists() else {}
    except ValueError:
        fail(f"{path} has something else than statistics of datasets: name another file, or a new one.")
    try:
        known |= {name: compute_statistics(name) for name in names or PUBLISHED}
    except DatasetError as error:
        fail(str(error))
    path.write_text(statistics_to_json(known), "utf-8")
    console.print(f"{len(known)} datasets in {path}.")


@main.command()
@preset_argument
@json_option
def describe(preset: str, json_path: Path | None) -> None:
    """Show each network's layers, parameters and batch-normalization variables."""
    networks = {variant.label: describe_network(variant.spec) for variant in PRESETS[preset].variants}
    for label, network in networks.items():
        console.print(network_table(label, network))
        if network.normalizations:
            console.print(variables_table(network))
        console.print()
    if json_path:
        write_json(json_path, [network_document(label, network) for label, network in networks.items()])


@main.command()
@preset_argument
@click.option("--epochs", type=int, help="Passes over the training examples, instead of the preset's.")
@click.option("--seeds", type=click.IntRange(1, 100), default=1, show_default=True, help="Runs of each network.")
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help=f"Change a field in every run. {GRAMMAR}")
@json_option
def compare(preset: str, epochs: int | None, seeds: int, settings: tuple[str, ...], json_path: Path | None) -> None:
    """Train a preset's networks in the background and compare them. Ctrl-C stops; the same command goes on."""
    changes = dict(_parse_setting(text) for text in settings) | ({} if epochs is None else {"epochs": epochs})
    variants = _variant_specs(PRESETS[preset], changes, seeds)
    labels = run_labels(variants)
    store = open_store()
    wall_seconds = 0.0 if are_trained(store, labels) else train(store, variants, labels)
    by_digest = trained_runs(store, labels)
    comparison = {label: [by_digest[spec.digest] for spec in specs] for label, specs in variants.items()}
    console.print(results_table(results_frame(store, comparison)))
    if wall_seconds:
        console.print(f"{wall_seconds:.1f} s from the start of the workers to the end of the last run.")
    else:
        console.print("All of these runs had been trained before.")
    if json_path:
        labelled = [(label, run) for label, variant_runs in comparison.items() for run in variant_runs]
        write_json(json_path, comparison_document(store, labelled, wall_seconds))
    sys.exit(any(run.state is RunState.FAILED for run in by_digest.values()))


@main.command()
@preset_argument
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), callback=check_parent_folder)
@click.option("--seeds", type=click.IntRange(1, 100), default=3, show_default=True, help="Runs of each network.")
@click.option("--layers/--no-layers", default=True, help="Keep the values of the layers; by default they are kept.")
def record(preset: str, path: Path, seeds: int, layers: bool) -> None:
    """Train a preset's networks and write what the app shows before anything was trained here.

    The values of the layers are kept of the first seed alone.
    """
    variants = _variant_specs(PRESETS[preset], {}, seeds)
    labels = run_labels(variants)
    store = open_store()
    if not are_trained(store, labels):
        train(store, variants, labels)
    without_layers = [spec.digest for specs in variants.values() for spec in (specs[1:] if layers else specs)]
    write_recording(store, list(trained_runs(store, labels).values()), path, without_snapshots=without_layers)
    console.print(f"{len(labels)} runs in {path}, {path.stat().st_size / 1e6:.2f} MB.")


@main.command()
def runs() -> None:
    """List all runs."""
    store = open_store()
    stored, unreadable = store.runs(), store.unreadable_runs()
    if stored or unreadable:
        console.print(runs_table(stored, unreadable))
    else:
        console.print("No runs yet: python -m bnlab compare notebook makes the first.")


@main.command()
@click.argument("digests", nargs=-1)
@click.option("--all", "stop_all", is_flag=True, help="Stop whatever is queued or running.")
def stop(digests: tuple[str, ...], stop_all: bool) -> None:
    """Stop runs, by the digests that `runs` shows, or all of them; what was trained is kept."""
    store = open_store()
    active = [run.digest for run in store.runs() if run.state in ACTIVE]
    active += [run.digest for run in store.unreadable_runs() if run.state in ACTIVE]
    chosen = [run for run in active if stop_all or run.startswith(digests)]
    unknown = [digest for digest in digests if not any(run.startswith(digest) for run in active)]
    if not all(digests):
        fail("An empty digest would mean every run: say --all for that.")
    if unknown:
        fail(f"No queued or running run begins with {', '.join(unknown)}.")
    if not stop_all and not digests:
        fail("Say which runs to stop: their digests, or --all.")
    store.request_stop(chosen)
    console.print(f"Asked {len(chosen)} run{'' if len(chosen) == 1 else 's'} to stop.")


def _variant_specs(preset: Preset, changes: dict[str, Any], seeds: int) -> dict[str, list[RunSpec]]:
    try:
        return comparison_specs(preset.variants, changes, seeds)
    except SpecError as error:
        fail(str(error))


def _parse_setting(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator:
        fail(f"--set takes FIELD=VALUE, as in --set hidden_units=300-100, but {text[:60]!r} was given.")
    name = name.strip()
    return name, parse_field(name, value)
