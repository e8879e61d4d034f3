"""Sensitivity of the loss to the quantities of normalization layers, against NumPy."""

import numpy as np
import pytest

from bnlab.model.datasets import load_arrays
from bnlab.specs.normalizers import NORMALIZERS
from bnlab.specs.run_spec import RunSpec
from bnlab.training.checkpoint import save_state
from bnlab.training.data import probe_batch
from bnlab.training.diagnostics.sensitivity import PERTURBATIONS, loss_changes
from bnlab.training.trainer import trained_states
from tests.slow import all_but_one_slow

SPEC = RunSpec(
    placement="before_activation", input_normalization=True, hidden_units=(10,), activation="tanh", momentum=0.8,
    train_examples=200, epochs=1, learning_rate=0.1, noise=True,
)  # fmt: skip
AMOUNT = 0.1


def numpy_loss(w: dict[str, np.ndarray], quantity: str, amount: float, training: bool) -> float:
    """The loss in float64 with one quantity of both BN layers perturbed."""
    arrays = load_arrays(SPEC)
    x, labels = arrays.train_images[:128].reshape(128, -1) / 255.0, arrays.train_labels[:128]
    factor = {name: 1 + amount * (name == quantity) for name in PERTURBATIONS}
    shift = {name: amount * (name == quantity) for name in PERTURBATIONS}

    def normalized(x: np.ndarray, layer: str) -> np.ndarray:
        if training:
            mean = x.mean(0) + shift["batch_mean"] * x.std(0)
            variance = x.var(0) * factor["batch_variance"]
        else:
            mean = w[f"{layer}/moving_mean"] + shift["moving_mean"] * np.sqrt(w[f"{layer}/moving_variance"])
            variance = w[f"{layer}/moving_variance"] * factor["moving_variance"]
        y = (x - mean) / np.sqrt(variance + SPEC.epsilon)
        return y * w[f"{layer}/gamma"] * factor["gamma"] + w[f"{layer}/beta"] + shift["beta"]

    z = normalized(normalized(x, "bn_input") @ w["dense_1/kernel"] + w["dense_1/bias"], "bn_1")
    logits = np.tanh(z) @ w["output/kernel"] + w["output/bias"]
    logits -= logits.max(1, keepdims=True)
    return float((np.log(np.exp(logits).sum(1)) - logits[np.arange(128), labels]).mean())


@pytest.mark.parametrize("step", all_but_one_slow([0, 13], fast=13))
def test_agrees_with_numpy(step: int) -> None:
    ((_, state),) = trained_states(SPEC, [step])
    weights = {name: array.astype(np.float64) for name, array in save_state(SPEC, state).items()}
    changes = loss_changes(SPEC, state, step, probe_batch(SPEC), AMOUNT)
    variables = [v.name for v in NORMALIZERS[SPEC.normalizer].variables]
    assert [change.quantity for change in changes] == [
        q for q in PERTURBATIONS if q in variables or q.startswith("batch_")
    ]
    for change in changes:
        for training, actual in ((True, change.training), (False, change.inference)):
            expected = numpy_loss(weights, change.quantity, AMOUNT, training) - numpy_loss(weights, "", 0, training)
            assert actual == pytest.approx(expected, rel=1e-2, abs=3e-6), (change.quantity, training)


def test_each_mode_depends_only_on_its_statistics() -> None:
    ((_, state),) = trained_states(SPEC, [7])
    changes = {change.quantity: change for change in loss_changes(SPEC, state, 7, probe_batch(SPEC))}
    for name in ("mean", "variance"):
        assert changes[f"moving_{name}"].training == 0
        assert changes[f"batch_{name}"].inference == 0
        assert changes[f"moving_{name}"].inference != 0
        assert changes[f"batch_{name}"].training != 0


@pytest.mark.slow
def test_renormalization_depends_on_batch_statistics_only_in_training() -> None:
    spec = SPEC.model_copy(update={"normalizer": "batch_renormalization"})
    ((_, state),) = trained_states(spec, [7])
    for step in (7, 4_000):
        changes = {change.quantity: change for change in loss_changes(spec, state, step, probe_batch(spec))}
        assert changes["moving_mean"].inference != 0
        assert changes["batch_mean"].inference == 0
        assert changes["batch_mean"].training != 0


@pytest.mark.parametrize(
    "name", all_but_one_slow(name for name, entry in NORMALIZERS.items() if not entry.uses_batch_statistics)
)
def test_without_batch_statistics_both_modes_change_alike(name: str) -> None:
    spec = SPEC.model_copy(update={"normalizer": name})
    ((_, state),) = trained_states(spec, [7])
    changes = loss_changes(spec, state, 7, probe_batch(spec))
    assert [change.quantity for change in changes] == [v.name for v in NORMALIZERS[name].variables]
    for change in changes:
        assert change.training == pytest.approx(change.inference, rel=1e-4)
        assert change.training != 0


def test_only_existing_quantities_are_perturbed() -> None:
    spec = RunSpec(hidden_units=(4,), placement="after_activation", scale=False, train_examples=50)
    ((_, state),) = trained_states(spec, [0])
    assert "gamma" not in [change.quantity for change in loss_changes(spec, state, 0, probe_batch(spec))]
    plain = RunSpec(hidden_units=(4,), train_examples=50)
    ((_, state),) = trained_states(plain, [0])
    assert loss_changes(plain, state, 0, probe_batch(plain)) == ()
