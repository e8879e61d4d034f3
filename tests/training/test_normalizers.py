"""Conformance of every normalizer: training, resuming, folding, export, printed code and charts."""

from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from bnlab.charts.distributions import VARIABLE_TITLES, normalization_figure, normalization_frame, shown_variables
from bnlab.charts.network_diagram import network_text
from bnlab.charts.style import Style
from bnlab.model.build import build_folded, build_model, build_network, build_trained
from bnlab.model.export import trained_model_file
from bnlab.model.folding import FoldError, fold
from bnlab.specs.advice import advise
from bnlab.specs.keras_code import keras_code
from bnlab.specs.network import describe_network
from bnlab.specs.normalizers import NORMALIZERS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec
from bnlab.training.checkpoint import save_state
from bnlab.training.program import State, program_for
from bnlab.training.trainer import Trainer
from tests.slow import all_but_one_slow
from tests.training.keras_oracle import batch_at

SPEC = RunSpec(
    placement="before_activation", input_normalization=True, hidden_units=(32,), activation="tanh",
    train_examples=96, batch_size=20, epochs=1, learning_rate=0.05, momentum=0.8, validation="holdout",
)  # fmt: skip
BRN = SPEC.model_copy(update={"normalizer": "batch_renormalization", "input_normalization": False})


THREE_EPOCHS = {"train_examples": 5_000, "epochs": 3}


def spec_of(name: str) -> RunSpec:
    return SPEC.model_copy(update={"normalizer": name})


def train_to_the_end(spec: RunSpec) -> tuple[Trainer, list[dict[str, dict[str, np.ndarray]]]]:
    """The trainer, and the values of each evaluation by layer and variable."""
    trainer, snapshots = Trainer(spec), []
    while not (trainer.finished or trainer.diverged):
        snapshots += [
            {snapshot.layer: snapshot.values for snapshot in evaluation.snapshots}  # noqa: PD011
            for evaluation in trainer.advance().evaluations
        ]
    return trainer, snapshots


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow's, of NumPy 2
@pytest.mark.parametrize("name", all_but_one_slow(NORMALIZERS, fast="batch_renormalization"))
def test_a_normalizer_conforms(name: str) -> None:
    spec, entry = spec_of(name), NORMALIZERS[name]
    network = describe_network(spec)
    assert build_model(spec).count_params() == network.params
    assert [layer.normalizer for layer in network.normalizations] == [entry] * 2
    assert network_text(network).split(" → ").count(entry.short) == 2

    trainer, snapshots = train_to_the_end(spec)
    assert trainer.finished
    assert np.isfinite(trainer.validate()).all()
    assert [list(s) for s in snapshots] == [[layer.name for layer in network.normalizations]] * len(snapshots)
    for values in snapshots[0].values():
        assert {variable: set(array) for variable, array in values.items()} == {
            v.name: {v.initial} for v in entry.variables
        }

    weights = trainer.checkpoint().arrays
    images = np.random.default_rng(0).random((5, 28, 28), np.float32)
    expected = build_trained(network, spec, weights)(images).numpy()
    assert_folds_or_is_refused(spec, weights, images, expected)
    assert_code_builds(spec, build_trained(network, spec, weights), images, expected)
    assert trained_model_file(spec, weights)[:2] == b"PK"
    assert_draws(spec, snapshots, network.normalizations[1].name)


def assert_folds_or_is_refused(
    spec: RunSpec, weights: dict[str, np.ndarray], images: np.ndarray, expected: np.ndarray
) -> None:
    if NORMALIZERS[spec.normalizer].foldable:
        np.testing.assert_allclose(build_folded(spec, weights)(images), expected, rtol=1e-3, atol=1e-5)
    else:
        with pytest.raises(FoldError, match=f"^{NORMALIZERS[spec.normalizer].title} cannot be folded away: .*\\.$"):
            fold(spec, weights)


def assert_code_builds(spec: RunSpec, trained: keras.Model, images: np.ndarray, expected: np.ndarray) -> None:
    names: dict[str, keras.Model] = {}
    exec(keras_code(spec), names)
    names["model"].set_weights(trained.get_weights())
    np.testing.assert_allclose(names["model"](images), expected, rtol=1e-5, atol=1e-6)


def assert_draws(spec: RunSpec, snapshots: list[dict[str, dict[str, np.ndarray]]], layer: str) -> None:
    rows = [(step, v, array) for step, layers in enumerate(snapshots) for v, array in layers[layer].items()]
    frame = normalization_frame(pd.DataFrame(rows, columns=["step", "variable", "values"]), 5)
    shown = shown_variables([spec])
    assert shown == tuple(
        v for v in VARIABLE_TITLES if v in {v.name for v in NORMALIZERS[spec.normalizer].shown_variables}
    )
    for variable in shown:
        assert normalization_figure({"a": frame}, variable, {"a": Style("A", "#0072B2", "dash")}).data


@pytest.mark.parametrize("name", [name for name, entry in NORMALIZERS.items() if entry.clipping])
def test_resuming_changes_no_bit(name: str) -> None:
    """Resumes around the step at which the limits start to widen."""
    spec = spec_of(name).model_copy(update=THREE_EPOCHS)
    uninterrupted, resumed = Trainer(spec), Trainer(spec)
    uninterrupted.advance_to(520)
    for step in (490, 499, 501, 520):
        resumed.advance_to(step)
        resumed = Trainer(spec, resumed.checkpoint())
    for variable, array in uninterrupted.checkpoint().arrays.items():
        np.testing.assert_array_equal(array, resumed.checkpoint().arrays[variable], err_msg=variable)


@pytest.mark.parametrize("step", all_but_one_slow([0, 1_500, 9_000], fast=1_500))
def test_a_renormalized_step_agrees_with_keras(step: int) -> None:
    spec = BRN
    program, state = program_for(spec), random_state(spec)
    images, labels = batch_at(spec, 0)
    data = tf.constant((images * 255).round().astype(np.uint8)), tf.constant(labels), tf.constant(1 / 255, tf.float32)
    rate, indices = tf.constant(spec.learning_rate, tf.float32), tf.range(len(labels))[None, :]
    _, trainable, non_trainable, _, loss, _ = program.short_step(
        state.trainable, state.non_trainable, state.slots, data, indices, tf.constant(1), tf.constant([0, step]), rate
    )
    model = keras_with_limits(spec, state, step)
    expected = model.train_on_batch(images, labels)
    assert float(loss[0]) == pytest.approx(float(expected), rel=1e-4)
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    for actual, variable in zip([*trainable, *non_trainable], variables, strict=True):
        np.testing.assert_allclose(actual.numpy(), variable.numpy(), rtol=1e-3, atol=1e-5, err_msg=variable.path)


def random_state(spec: RunSpec) -> State:
    """Moving statistics far from their initial values, so that r and d differ from 1 and 0 and some are clipped."""
    state, rng = program_for(spec).initial_state(spec), np.random.default_rng(1)
    statistics = [tf.constant(rng.uniform(0.1, 2.0, v.shape).astype(np.float32)) for v in state.non_trainable]
    return replace(state, non_trainable=statistics)


def keras_with_limits(spec: RunSpec, state: State, step: int) -> keras.Model:
    """Keras's layers with the limits of the step as constants."""
    clipping = NORMALIZERS[spec.normalizer].clipping
    assert clipping
    r_max = clipping.r_max.at(step)
    limits = {"rmax": r_max, "rmin": 1 / r_max, "dmax": clipping.d_max.at(step)}
    network = describe_network(spec)
    layers = tuple(
        replace(layer, config=layer.config | {"renorm_clipping": limits}) if layer.normalizer else layer
        for layer in network.layers
    )
    model = build_trained(replace(network, layers=layers), spec, save_state(spec, state))
    model.compile(keras.optimizers.SGD(spec.learning_rate), "sparse_categorical_crossentropy", jit_compile=False)
    return model


@pytest.mark.slow
def test_renormalization_starts_as_batch_normalization() -> None:
    corrected, plain = (
        Trainer(BRN.model_copy(update={"normalizer": name, **THREE_EPOCHS}))
        for name in ("batch_renormalization", "batch_normalization")
    )
    for trainer in (corrected, plain):
        trainer.advance_to(500)
    corrected_arrays, plain_arrays = corrected.checkpoint().arrays, plain.checkpoint().arrays
    for name in ("dense_1/kernel", "bn_1/gamma", "output/kernel"):
        np.testing.assert_allclose(corrected_arrays[name], plain_arrays[name], rtol=1e-3, atol=1e-4)


SINGLE = RunSpec(
    placement="before_activation", normalizer="batch_renormalization", hidden_units=(16, 16), batch_size=1,
    train_examples=300, epochs=20, rescale="raw", momentum=0.9, learning_rate=0.01,
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"placement": "after_activation"},
        {"placement": "none", "input_normalization": True},
        {"rescale": "unit", "learning_rate": 0.1},
    ],
    ids=str,
)
def test_single_examples_train_to_finite_values(changes: dict[str, object]) -> None:
    """Beyond step 4,000 the limits no longer widen; what remains is said by advice."""
    spec = revise_spec(SINGLE, changes)
    trainer, losses = Trainer(spec), []
    while trainer.step < 4_200 and not trainer.diverged:
        losses.append(trainer.advance().loss)
    assert not trainer.diverged
    assert np.concatenate(losses)[-500:].mean() < 20
    assert "No gradient through the normalization" in [advice.title for advice in advise(spec)]
    assert all(np.isfinite(array).all() for array in trainer.checkpoint().arrays.values())
    assert np.isfinite(trainer.validate()).all()


@pytest.mark.slow
def test_single_examples_diverge_without_limits() -> None:
    """Every batch has variance 0, so the moving standard deviation falls towards √ε and d is unbounded."""
    (entry,) = [entry for entry in NORMALIZERS.values() if entry.clipping]
    network = describe_network(SINGLE)
    unlimited = tuple(
        replace(layer, config={**layer.config, "renorm_clipping": None}) if layer.normalizer is entry else layer
        for layer in network.layers
    )
    model = build_network(replace(network, layers=unlimited), SINGLE)
    model.compile(keras.optimizers.SGD(SINGLE.learning_rate), "sparse_categorical_crossentropy", jit_compile=False)
    losses = [float(model.train_on_batch(*batch_at(SINGLE, step))) for step in range(300)]
    assert not np.isfinite(losses[-1])
