"""Duration of one training step of the notebook's networks: bnlab, Keras `fit`, and the matrix products alone."""

import time
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from benchmarks.side_by_side import Alternative, Measure
from bnlab.specs.presets import PRESETS
from bnlab.specs.validation import revise_spec

if TYPE_CHECKING:
    from bnlab.model.datasets import Arrays

SPECS = {variant.label: variant.spec for variant in PRESETS["notebook"].variants}
FIT_STEPS = 300
FLOOR_STEPS = 300


def bnlab_step() -> Measure:
    """Bnlab on one thread, as in a worker: the steps of one epoch without the evaluations."""
    from bnlab.training.runtime import use_one_thread
    from bnlab.training.trainer import Trainer

    use_one_thread()

    def measure(network: str) -> float:
        trainer = Trainer(revise_spec(SPECS[network], {"epochs": 1}))
        while not trainer.finished:
            trainer.advance()
        return trainer.seconds / trainer.step * 1e3

    return measure


def fit_step() -> Measure:
    """Keras `fit` as in the notebook, on all cores."""
    return _fit(1)


def fit_50_step() -> Measure:
    """Keras `fit` with `steps_per_execution=50`."""
    return _fit(50)


def _fit(steps_per_execution: int) -> Measure:
    from bnlab.model.build import build_model
    from bnlab.model.datasets import load_arrays

    @cache
    def build_fit(network: str) -> Callable[[], object]:
        arrays = load_arrays(SPECS[network])
        examples = FIT_STEPS * SPECS[network].batch_size
        images, labels = arrays.train_images[:examples] / 255.0, arrays.train_labels[:examples]
        model = build_model(SPECS[network])
        model.compile(
            loss="sparse_categorical_crossentropy",
            optimizer="sgd",
            metrics=["accuracy"],
            steps_per_execution=steps_per_execution,
        )
        return lambda: model.fit(images, labels, epochs=1, verbose=0)

    def measure(network: str) -> float:
        fit = build_fit(network)
        start = time.perf_counter()
        fit()
        return (time.perf_counter() - start) / FIT_STEPS * 1e3

    return measure


def floor_step() -> Measure:
    """The matrix products of a step in NumPy on one thread: outputs, gradients of kernels and of inputs."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    def measure(network: str) -> float:
        spec = SPECS[network]
        rng = np.random.default_rng(0)
        widths = (784, *spec.hidden_units, 10)
        values = [rng.standard_normal((spec.batch_size, width), np.float32) for width in widths]
        kernels = [rng.standard_normal(shape, np.float32) for shape in pairwise(widths)]
        layers = list(zip(values, kernels, values[1:], strict=False))
        # The gradient of the images is needed only for normalization on the input.
        backward_layers = layers if spec.input_normalization else layers[1:]
        with threadpool_limits(1):
            start = time.perf_counter()
            for _ in range(FLOOR_STEPS):
                for inputs, kernel, _outputs in layers:
                    inputs @ kernel
                for inputs, _kernel, outputs in layers:
                    inputs.T @ outputs
                for _inputs, kernel, outputs in backward_layers:
                    outputs @ kernel.T
            return (time.perf_counter() - start) / FLOOR_STEPS * 1e3

    return measure


STEP_ALTERNATIVES: dict[str, Alternative] = {
    "bnlab": bnlab_step,
    "fit": fit_step,
    "fit, 50 steps per execution": fit_50_step,
    "floor": floor_step,
}


def train_all_by_fit(epochs: int) -> float:
    """Seconds for the notebook's four trainings by `fit` in sequence, including imports."""
    start = time.perf_counter()
    from bnlab.model.build import build_model
    from bnlab.model.datasets import load_arrays

    for spec in SPECS.values():
        train_by_fit(build_model(spec), load_arrays(spec), epochs)
    return time.perf_counter() - start


def train_by_fit(model: Any, arrays: "Arrays", epochs: int) -> None:
    """Train as in the notebook."""
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    model.fit(
        arrays.train_images / 255.0,
        arrays.train_labels,
        epochs=epochs,
        verbose=0,
        validation_data=(arrays.validation_images / 255.0, arrays.validation_labels),
    )
