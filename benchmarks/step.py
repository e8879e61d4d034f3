"""One training step of the notebook's networks: bnlab, Keras `fit`, and the matrix products alone."""

import time
from collections.abc import Callable
from functools import cache
from itertools import pairwise

from benchmarks.side_by_side import Contestant, Measure
from bnlab.specs.presets import PRESETS
from bnlab.specs.validation import revise_spec

SPECS = {variant.label: variant.spec for variant in PRESETS["notebook"].variants}
FIT_STEPS = 300
FLOOR_STEPS = 300


def bnlab_step() -> Measure:
    """One worker's thread, one epoch's steps without the measurements between them."""
    from bnlab.training.runtime import use_one_thread
    from bnlab.training.trainer import Trainer

    use_one_thread()

    def measure(network: str) -> float:
        training = Trainer(revise_spec(SPECS[network], {"epochs": 1}))
        while not training.finished:
            training.advance()
        return training.seconds / training.step * 1e3

    return measure


def fit_step() -> Measure:
    """Keras `fit` as the notebook calls it, with all the machine's cores."""
    return _fit(1)


def fit_50_step() -> Measure:
    """Keras `fit` with `steps_per_execution=50`."""
    return _fit(50)


def _fit(steps_per_execution: int) -> Measure:
    from bnlab.model.build import build_model
    from bnlab.model.datasets import load_arrays

    @cache
    def prepared(network: str) -> Callable[[], object]:
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
        fit = prepared(network)
        began = time.perf_counter()
        fit()
        return (time.perf_counter() - began) / FIT_STEPS * 1e3

    return measure


def floor_step() -> Measure:
    """The step's matrix products, NumPy on one thread: forward, kernels' gradients, inputs' gradients."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    def measure(network: str) -> float:
        spec = SPECS[network]
        rng = np.random.default_rng(0)
        widths = (784, *spec.hidden_units, 10)
        values = [rng.standard_normal((spec.batch_size, width), np.float32) for width in widths]
        kernels = [rng.standard_normal(shape, np.float32) for shape in pairwise(widths)]
        layers = list(zip(values, kernels, values[1:], strict=False))
        # The images need no gradient, unless BN on the input learns from it.
        behind = layers if spec.input_normalization else layers[1:]
        with threadpool_limits(1):
            began = time.perf_counter()
            for _ in range(FLOOR_STEPS):
                for inputs, kernel, _outputs in layers:
                    inputs @ kernel
                for inputs, _kernel, outputs in layers:
                    inputs.T @ outputs
                for _inputs, kernel, outputs in behind:
                    outputs @ kernel.T
            return (time.perf_counter() - began) / FLOOR_STEPS * 1e3

    return measure


STEP_CONTESTANTS: dict[str, Contestant] = {
    "bnlab": bnlab_step,
    "fit": fit_step,
    "fit, 50 steps an execution": fit_50_step,
    "floor": floor_step,
}


def whole_fit(epochs: int) -> float:
    """Seconds for the notebook's four trainings by `fit`, one after the other, from the first import on."""
    began = time.perf_counter()
    from bnlab.model.build import build_model
    from bnlab.model.datasets import load_arrays

    for spec in SPECS.values():
        train_by_fit(build_model(spec), load_arrays(spec), epochs)
    return time.perf_counter() - began


def train_by_fit(model, arrays, epochs: int) -> None:
    """The notebook's own training."""
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    model.fit(
        arrays.train_images / 255.0,
        arrays.train_labels,
        epochs=epochs,
        verbose=0,
        validation_data=(arrays.validation_images / 255.0, arrays.validation_labels),
    )
