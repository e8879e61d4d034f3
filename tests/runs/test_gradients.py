"""The measurements of a network's layers, done by a worker."""

import numpy as np
import pytest

from bnlab.runs.diagnostics import XRAY_COLUMNS, XrayError, measure_ics, measure_perturbation, xray_run, xray_spec
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.in_process_training import train_in_process
from tests.one_thread import one_thread  # noqa: F401
from tests.stored_runs import OWNER

SPEC = RunSpec(placement="before_activation", hidden_units=(9, 7), train_examples=300, epochs=1)


def test_the_xray_of_a_spec_has_a_row_for_each_layer_and_step() -> None:
    frame = xray_spec(SPEC, [0, 3])
    assert list(frame.columns) == ["step", "depth", "layer", *XRAY_COLUMNS]
    assert frame[["step", "depth", "layer"]].values.tolist() == [
        [step, depth, f"dense_{depth}"] for step in (0, 3) for depth in (1, 2)
    ]
    assert np.isfinite(frame[[*XRAY_COLUMNS]].to_numpy()).all()


def test_a_stored_run_is_looked_into_where_it_stands(store: Store) -> None:
    store.launch(SPEC, "a run", OWNER)
    with pytest.raises(XrayError, match="no weights of this run are kept"):
        xray_run(store.url, SPEC.digest)
    train_in_process(store, SPEC, "a run")
    found, expected = xray_run(store.url, SPEC.digest), xray_spec(SPEC, [SPEC.total_steps])
    assert found[["step", "layer"]].equals(expected[["step", "layer"]])
    np.testing.assert_allclose(found[[*XRAY_COLUMNS]], expected[[*XRAY_COLUMNS]], rtol=1e-4)


def test_the_shifts_of_every_layer_with_weights() -> None:
    frame = measure_ics(SPEC, [0, 2])
    assert list(frame.columns) == ["step", "depth", "layer", "gradient_norm", "difference", "cosine"]
    assert frame["layer"].tolist() == ["dense_1", "dense_2", "output"] * 2
    assert frame["step"].tolist() == [0] * 3 + [2] * 3


def test_a_row_for_each_quantity() -> None:
    frame = measure_perturbation(SPEC, [5], 0.05)
    assert list(frame.columns) == ["step", "quantity", "training", "inference"]
    assert len(frame) == 6
    assert frame.set_index("quantity").loc["moving_mean", "training"] == 0
    assert measure_perturbation(SPEC.model_copy(update={"placement": "none"}), [0], 0.05).empty


@pytest.mark.workers
def test_a_worker_does_it(store: Store, scheduler: str) -> None:
    lab = Scheduler(store, scheduler=scheduler)
    try:
        answers = [lab.submit(xray_spec, SPEC, [0]), lab.submit(measure_ics, SPEC, [0])]
        answers.append(lab.submit(measure_perturbation, SPEC, [0], 0.1))
        assert [len(answer.result(timeout=120)) for answer in answers] == [2, 3, 6]
    finally:
        lab.close()
