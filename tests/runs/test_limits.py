"""What a visitor may launch; more is refused with a sentence that says what to do."""

from dataclasses import replace

import pytest

from bnlab.runs.config import Settings
from bnlab.runs.estimates import step_seconds, training_bytes
from bnlab.runs.limits import LimitError, Limits, is_large
from bnlab.runs.run import RunState
from bnlab.runs.shares import NO_VISITOR
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from tests.runs.store_rows import tiny_spec, tiny_specs, update_row
from tests.runs.test_storage import record_weights
from tests.sentences import numbers_in

LIMITS = Limits(queued_runs=4, parameters=300_000, steps=20_000)


def refusal(store: Store, specs: list[tuple[RunSpec, str]], visitor: str = "ann") -> str:
    with pytest.raises(LimitError) as error:
        LIMITS.check(store, specs, visitor)
    sentence = str(error.value)
    assert sentence.count(": ") + sentence.count(". ") >= 1, "what is, and what to do"
    return sentence


def test_the_settings_name_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("QUEUED_RUNS", "PARAMETERS", "STEPS", "MEMORY_MB", "STEP_SECONDS", "STORE_MB")
    for value, name in enumerate(names, start=3):
        monkeypatch.setenv(f"BNLAB_MAX_{name}", str(value))
    assert Limits.from_settings(Settings()) == Limits(3, 4, 5, 6, 7, 8)


def test_the_limits_are_by_default_those_of_the_settings() -> None:
    settings = Settings()
    default = Limits(settings.max_queued_runs, settings.max_parameters, settings.max_steps)
    assert Limits.from_settings(settings) == default


def test_a_network_has_a_largest_size(store: Store) -> None:
    largest, wide = RunSpec(), RunSpec(hidden_units=(2048,) * 50)
    LIMITS.check(store, [(largest, "A")], "ann")
    numbers = numbers_in(refusal(store, [(largest, "A"), (wide, "Wide")]))
    assert numbers == [describe_network(wide).params, LIMITS.parameters]


def test_a_run_has_a_largest_length(store: Store) -> None:
    long = RunSpec(epochs=12)
    assert numbers_in(refusal(store, [(long, "Long")])) == [long.total_steps, LIMITS.steps]


def test_memory_and_steps_are_estimated_from_the_spec(store: Store) -> None:
    """The network that took 9 GB and whose steps took most of a minute, whatever its number of parameters."""
    huge = RunSpec(hidden_units=(2048,) * 50, batch_size=4096)
    assert 6e9 < training_bytes(huge) < 15e9
    assert step_seconds(huge) > 10
    generous = Limits(4, 10**9, 20_000)
    with pytest.raises(LimitError, match=r"MB of memory, and at most 2,000"):
        generous.check(store, [(huge, "Huge")], "ann")
    with pytest.raises(LimitError, match=r"s, and at most 2 are"):
        replace(generous, memory_mb=10**6).check(store, [(huge, "Huge")], "ann")
    replace(generous, memory_mb=10**6, step_seconds=1e3).check(store, [(huge, "Huge")], "ann")


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_far_from_the_limits(store: Store, preset: str) -> None:
    specs = [(variant.spec, variant.label) for variant in PRESETS[preset].variants]
    Limits(500, 20_000_000, 2_000_000, memory_mb=400, step_seconds=0.1).check(store, specs, "ann")


def test_a_visitor_has_a_largest_number_of_active_runs(store: Store) -> None:
    LIMITS.check(store, tiny_specs(*range(4)), "ann")
    assert numbers_in(refusal(store, tiny_specs(*range(5)))) == [5, 4]
    store.launch_runs(tiny_specs(0, 1, 2), "owner", visitor="ann")
    LIMITS.check(store, tiny_specs(0, 1, 2, 3), "ann")
    assert numbers_in(refusal(store, tiny_specs(2, 3, 4))) == [2, 3, 4]
    for visitor in ("ben", NO_VISITOR):
        LIMITS.check(store, tiny_specs(5, 6, 7, 8), visitor)
    update_row(store, tiny_spec(0), state=RunState.COMPLETED)
    store.request_stop([tiny_spec(1).digest], "ann")
    LIMITS.check(store, tiny_specs(2, 3, 4, 5), "ann")


def test_who_is_not_known_has_one_limit_together(store: Store) -> None:
    store.launch_runs(tiny_specs(0, 1, 2), "owner")
    assert numbers_in(refusal(store, tiny_specs(3, 4), NO_VISITOR)) == [2, 3, 4]
    LIMITS.check(store, tiny_specs(3, 4), "ann")


def test_a_store_has_a_largest_size(store: Store) -> None:
    limits = replace(LIMITS, store_mb=1)
    limits.check(store, tiny_specs(0), "ann")
    record_weights(store, tiny_spec(9), 1_000_000)
    with pytest.raises(LimitError) as error:
        limits.check(store, tiny_specs(0), "ann")
    assert numbers_in(str(error.value))[-1] == 1
    store.launch_runs(tiny_specs(0), "owner", visitor="ann")
    limits.check(store, tiny_specs(0), "ann")  # which launches nothing


def test_what_is_large_is_confirmed() -> None:
    settings = Settings(confirm_runs=7, confirm_minutes=2)
    assert not is_large(7, 120, settings)
    assert is_large(8, 1, settings)
    assert is_large(1, 121, settings)
