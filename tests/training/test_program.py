"""The compiled program against plain Keras: same batches and initial weights; loss of every step, final weights."""

from itertools import cycle

import keras
import numpy as np
import pytest

from bnlab.model.build import build_model
from bnlab.model.datasets import load_arrays
from bnlab.specs.choices import OPTIMIZERS, PLACEMENTS, RESCALINGS
from bnlab.specs.normalizers import NORMALIZERS
from bnlab.specs.run_spec import RUNTIME_FIELDS, RunSpec
from bnlab.training.program import program_for
from bnlab.training.schedule import batch_indices
from bnlab.training.trainer import Trainer

STEPS = 70
# A smooth activation and modest rates: ReLU's kinks and large steps amplify float32's rounding step by step. An epoch
# has 30 batches of the same size: a smaller last one, which one test has, is traced for itself, also by Keras.
SMALL = {"hidden_units": (24, 16), "train_examples": 960, "epochs": 3, "activation": "tanh"}
RATES = {"sgd": 0.02, "sgd_momentum": 0.002, "nesterov": 0.002, "rmsprop": 0.0005, "adam": 0.0005}


def train_with_keras(spec: RunSpec, steps: int) -> tuple[np.ndarray, np.ndarray, keras.Model]:
    """The oracle, `train_on_batch` on the same batches: loss and accuracy of every step, and the trained model."""
    optimizer = OPTIMIZERS[spec.optimizer]
    model = build_model(spec)
    model.compile(
        optimizer=getattr(keras.optimizers, optimizer.keras_class)(spec.learning_rate, **optimizer.config),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,  # XLA would compile for each spec and again for an epoch's last, smaller batch
    )
    arrays, curve = load_arrays(spec), []
    for step in range(steps):
        batch = batch_indices(spec, step)
        images = arrays.train_images[batch].astype("float32") * np.float32(RESCALINGS[spec.rescale].factor)
        model.reset_metrics()
        curve.append(model.train_on_batch(images, arrays.train_labels[batch]))
    loss, accuracy = np.array(curve, dtype=float).T
    return loss, accuracy, model


def train_with_bnlab(spec: RunSpec, steps: int) -> tuple[np.ndarray, np.ndarray, Trainer]:
    trainer, loss, accuracy = Trainer(spec), [], []
    while trainer.step < steps:
        records = trainer.advance()
        loss.append(records.loss)
        accuracy.append(records.accuracy)
    return np.concatenate(loss)[:steps], np.concatenate(accuracy)[:steps], trainer


def assert_agrees(spec: RunSpec) -> None:
    """`spec` has STEPS steps or a few more; the oracle takes as many as bnlab took."""
    loss, accuracy, trainer = train_with_bnlab(spec, STEPS)
    keras_loss, keras_accuracy, model = train_with_keras(spec, trainer.step)
    np.testing.assert_allclose(loss, keras_loss[:STEPS], rtol=1e-3)
    np.testing.assert_allclose(accuracy, keras_accuracy[:STEPS], atol=1e-6)
    actual = {name: array for name, array in trainer.checkpoint().arrays.items() if name.count("/") == 1}
    expected = {f"{v.path.split('/')[-2]}/{v.name}": v.numpy() for v in model.weights}
    assert actual.keys() == expected.keys()
    for name, array in actual.items():
        # The absolute part allows for rounding of zeros, such as an offset that the following BN removes.
        allowed = 1e-3 * np.linalg.norm(expected[name]) + 1e-5 * np.sqrt(array.size)
        assert np.linalg.norm(array - expected[name]) < allowed, name


@pytest.mark.xla
def test_agrees_with_keras_with_xla_and_a_smaller_last_batch() -> None:
    changes = {"optimizer": "adam", "placement": "before_activation", "learning_rate": RATES["adam"], "use_bias": False}
    spec = RunSpec(**SMALL | {"train_examples": 1_000} | changes)
    assert spec.examples % spec.batch_size == 8
    assert_agrees(spec)


# Every placement and every optimizer, but not each pair: an update does not depend on the network.
@pytest.mark.slow
@pytest.mark.parametrize(("optimizer", "placement"), list(zip(OPTIMIZERS, cycle(PLACEMENTS))))
def test_agrees_with_keras(optimizer: str, placement: str) -> None:
    assert_agrees(
        RunSpec(**SMALL, placement=placement, optimizer=optimizer, learning_rate=RATES[optimizer], use_bias=False)
    )


OTHER_FIELDS = [
    {"input_normalization": True, "placement": "after_activation", "optimizer": "adam", "learning_rate": 0.001},
    *({"normalizer": name} for name, entry in NORMALIZERS.items() if not entry.uses_batch_statistics),
    {"center": False, "scale": False, "rescale": "raw", "learning_rate": 0.001},
    {"batch_size": 128, "activation": "sigmoid", "validation": "holdout"},
]


@pytest.mark.slow
@pytest.mark.parametrize("changes", OTHER_FIELDS, ids=str)
def test_agrees_with_keras_in_the_other_fields(changes: dict[str, object]) -> None:
    assert_agrees(RunSpec(**(SMALL | {"placement": "before_activation", "epochs": 9} | changes)))


@pytest.mark.slow
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_agrees_with_keras_in_convolutions(placement: str) -> None:
    assert_agrees(
        RunSpec(
            **SMALL | {"hidden_units": (4, 6)},
            architecture="conv",
            placement=placement,
            input_normalization=placement != "none",
            learning_rate=0.02,
        )
    )


def test_specs_that_differ_only_in_values_share_a_program() -> None:
    spec = RunSpec(**SMALL)
    values = {
        "seed": 7,
        "kernel_initializer": "he_normal",
        "initializer_stddev": 1.0,
        "learning_rate": 0.5,
        "epochs": 3,
        "train_examples": 64,
        "rescale": "raw",
        "validation": "holdout",
        "batch_size": 8,
        "evaluate_with": "all",
    }
    assert values.keys() == RUNTIME_FIELDS
    assert program_for(spec) is program_for(spec.model_copy(update=values))
    assert program_for(spec) is not program_for(spec.model_copy(update={"placement": "before_activation"}))


def test_training_stops_at_the_first_loss_that_is_not_finite() -> None:
    spec = RunSpec(**SMALL | {"rescale": "raw", "learning_rate": 100.0, "activation": "linear"})
    loss, trainer = train_to_the_end(spec)
    assert trainer.diverged
    assert not trainer.finished
    assert np.isfinite(loss[:-1]).all()
    assert not np.isfinite(loss[-1])
    assert len(loss) == trainer.step


def train_to_the_end(spec: RunSpec) -> tuple[np.ndarray, Trainer]:
    trainer, loss = Trainer(spec), []
    while not (trainer.finished or trainer.diverged):
        loss.append(trainer.advance().loss)
    return np.concatenate(loss), trainer
