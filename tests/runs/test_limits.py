"""What a visitor may launch; more is refused with a sentence that says what to do."""

import pytest

from bnlab.runs.config import Settings
from bnlab.runs.limits import LimitError, Limits, is_large
from bnlab.runs.run import RunState
from bnlab.runs.shares import NOBODY
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from tests.runs.store_rows import tiny_spec, tiny_specs, update_row
from tests.sentences import numbers_in

LIMITS = Limits(queued_runs=4, parameters=300_000, steps=20_000)


def refusal(store: Store, specs: list[tuple[RunSpec, str]], visitor: str = "ann") -> str:
    with pytest.raises(LimitError) as error:
        LIMITS.check(store, specs, visitor)
    sentence = str(error.value)
    assert sentence.count(": ") + sentence.count(". ") >= 1, "what is, and what to do"
    return sentence


def test_the_settings_name_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"QUEUED_RUNS": 3, "PARAMETERS": 4, "STEPS": 5}.items():
        monkeypatch.setenv(f"BNLAB_MAX_{name}", str(value))
    assert Limits.from_settings(Settings()) == Limits(3, 4, 5)


def test_a_network_has_a_largest_size(store: Store) -> None:
    largest, wide = RunSpec(), RunSpec(hidden_units=(2048,) * 50)
    LIMITS.check(store, [(largest, "A")], "ann")
    numbers = numbers_in(refusal(store, [(largest, "A"), (wide, "Wide")]))
    assert numbers == [describe_network(wide).params, LIMITS.parameters]


def test_a_run_has_a_largest_length(store: Store) -> None:
    long = RunSpec(epochs=12)
    assert numbers_in(refusal(store, [(long, "Long")])) == [long.total_steps, LIMITS.steps]


def test_a_visitor_has_a_largest_number_of_active_runs(store: Store) -> None:
    LIMITS.check(store, tiny_specs(*range(4)), "ann")
    assert numbers_in(refusal(store, tiny_specs(*range(5)))) == [5, 4]
    store.launch_runs(tiny_specs(0, 1, 2), "owner", visitor="ann")
    LIMITS.check(store, tiny_specs(0, 1, 2, 3), "ann")
    assert numbers_in(refusal(store, tiny_specs(2, 3, 4))) == [2, 3, 4]
    for visitor in ("ben", NOBODY):
        LIMITS.check(store, tiny_specs(5, 6, 7, 8), visitor)
    update_row(store, tiny_spec(0), state=RunState.COMPLETED)
    store.request_stop([tiny_spec(1).digest], "ann")
    LIMITS.check(store, tiny_specs(2, 3, 4, 5), "ann")


def test_who_is_not_known_has_one_limit_together(store: Store) -> None:
    store.launch_runs(tiny_specs(0, 1, 2), "owner")
    assert numbers_in(refusal(store, tiny_specs(3, 4), NOBODY)) == [2, 3, 4]
    LIMITS.check(store, tiny_specs(3, 4), "ann")


def test_what_is_large_is_confirmed() -> None:
    settings = Settings(confirm_runs=7, confirm_minutes=2)
    assert not is_large(7, 120, settings)
    assert is_large(8, 1, settings)
    assert is_large(1, 121, settings)
