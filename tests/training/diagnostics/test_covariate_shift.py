"""Internal covariate shift against plain Keras."""

import numpy as np
import pytest

from bnlab.specs.run_spec import RunSpec
from bnlab.training.diagnostics.gradients import layer_shifts_at_steps
from tests.slow import all_but_one_slow
from tests.training.keras_oracle import batch_at, keras_gradients, train_with_keras

SMALL = {"hidden_units": (12, 8), "train_examples": 200, "learning_rate": 0.2, "activation": "tanh", "epochs": 1}


def keras_shifts(spec: RunSpec, step: int) -> list[tuple[str, float, float, float]]:
    """Layer, ‖G‖, ‖G − G′‖ and cosine of each layer: for each, the preceding variables are updated in the model."""
    model, batch = train_with_keras(spec, step), batch_at(spec, step)
    before = [variable.numpy() for variable in model.trainable_variables]
    gradients = keras_gradients(model, *batch)
    names = [variable.path.split("/")[-2] + "/" + variable.name for variable in model.trainable_variables]
    order = [layer.name for layer in model.layers]
    rows = []
    for layer in ("dense_1", "dense_2", "output"):
        for variable, start, gradient in zip(model.trainable_variables, before, gradients, strict=True):
            precedes = order.index(variable.path.split("/")[-2]) < order.index(layer)
            variable.assign(start - spec.learning_rate * gradient if precedes else start)
        index = names.index(f"{layer}/kernel")
        g, after = (
            array.astype(np.float64).ravel() for array in (gradients[index], keras_gradients(model, *batch)[index])
        )
        cosine = g @ after / np.linalg.norm(g) / np.linalg.norm(after)
        rows.append((layer, float(np.linalg.norm(g)), float(np.linalg.norm(g - after)), cosine))
    return rows


@pytest.mark.parametrize(
    "changes",
    all_but_one_slow(
        [{"placement": "before_activation", "input_normalization": True}, {}, {"placement": "after_activation"}]
    ),
    ids=str,
)
def test_agrees_with_keras(changes: dict[str, object]) -> None:
    spec = RunSpec(**SMALL, **changes)
    for step, shifts in layer_shifts_at_steps(spec, [0, 9]):
        for shift, (layer, norm, difference, cosine) in zip(shifts, keras_shifts(spec, step), strict=True):
            assert shift.layer == layer
            assert shift.gradient_norm == pytest.approx(norm, rel=2e-3)
            assert shift.difference == pytest.approx(difference, rel=5e-3, abs=1e-5 * norm)
            assert shift.cosine == pytest.approx(cosine, abs=1e-4)


def test_the_first_layer_has_no_shift() -> None:
    ((_, shifts),) = layer_shifts_at_steps(RunSpec(**SMALL), [3])
    assert (shifts[0].difference, shifts[0].cosine) == (0, pytest.approx(1))
    assert all(shift.difference > 0 for shift in shifts[1:])


@pytest.mark.slow
def test_a_vanishing_step_causes_no_shift() -> None:
    spec = RunSpec(**SMALL | {"learning_rate": 1e-30, "placement": "before_activation", "noise": True})
    ((_, shifts),) = layer_shifts_at_steps(spec, [2])
    assert [shift.difference for shift in shifts] == [0, 0, 0]
    assert [shift.cosine for shift in shifts] == pytest.approx([1, 1, 1])


def test_the_step_is_the_optimizers() -> None:
    """The size of Adam's first step is the learning rate, independent of the gradient."""
    small, large = (
        next(layer_shifts_at_steps(RunSpec(**SMALL | {"optimizer": "adam", "learning_rate": rate}), [0]))[1][
            -1
        ].difference
        for rate in (1e-4, 1e-3)
    )
    assert large == pytest.approx(10 * small, rel=0.3)


def test_the_cosine_of_a_zero_gradient_is_nan() -> None:
    ((_, shifts),) = layer_shifts_at_steps(RunSpec(**SMALL | {"kernel_initializer": "zeros"}), [0])
    assert np.isnan(shifts[0].cosine)
