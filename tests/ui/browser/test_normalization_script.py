"""static/normalization.js in Chromium, against NumPy."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from bnlab.specs.run_spec import RunSpec
from tests.numpy_normalization import Dense, Floats, Normalization, fold_into_next, fold_into_previous, normalize_batch

pytestmark = pytest.mark.browser

RNG = np.random.default_rng(0)
BATCH = RNG.normal(3, 2, 7)
MATRIX = RNG.normal(1, 2, (6, 8))
DENSE = Dense(RNG.normal(size=(3, 2)), RNG.normal(size=2))


def bn(features: int) -> Normalization:
    gamma, beta, mean = RNG.normal(size=(3, features))
    return Normalization(gamma, beta, mean, RNG.uniform(0.2, 3, features))


def call(page: Page, name: str, *arguments: Any) -> Any:
    """The result of a function of the script; arrays are lists there."""
    lists = [a.tolist() if isinstance(a, np.ndarray) else a for a in arguments]
    return page.evaluate(
        "async ([name, values]) => (await import('/normalization.js'))[name](...values)", [name, lists]
    )


def as_layer(dense: Dense) -> dict[str, Any]:
    return {"kernel": dense.kernel.tolist(), "bias": dense.bias.tolist()}


def as_bn(layer: Normalization) -> dict[str, Any]:
    statistics = {"mean": layer.moving_mean, "variance": layer.moving_variance}
    return {name: v.tolist() for name, v in {"gamma": layer.gamma, "beta": layer.beta, **statistics}.items()}


def close(result: Any, expected: Any) -> None:
    np.testing.assert_allclose(np.array(result, float), expected, rtol=1e-9, atol=1e-12)


def test_statistics_and_normalization_of_a_batch(scripts: Page) -> None:
    assert scripts.evaluate("async () => (await import('/normalization.js')).EPSILON") == RunSpec().epsilon
    for values in (BATCH, BATCH[:1], 1e-4 * BATCH):
        close(call(scripts, "mean", values), values.mean())
        close(call(scripts, "variance", values), values.var())
        close(call(scripts, "normalizeBatch", values), normalize_batch(values))
        options = {"gamma": 1.5, "beta": -2, "epsilon": 1e-5}
        close(call(scripts, "normalizeBatch", values, options), normalize_batch(values, **options))
    layer = Normalization(np.array([3.0]), np.array([2.0]), np.array([1.0]), np.array([4.0]), epsilon=0)
    close(call(scripts, "normalize", BATCH, 1, 4, {"gamma": 3, "beta": 2, "epsilon": 0}), layer(BATCH[:, None]).ravel())


def test_histogram(scripts: Page) -> None:
    values = np.append(BATCH, [-10, 10])
    close(call(scripts, "histogram", values, 10, 21), np.histogram(values, np.linspace(-10, 10, 22))[0] / 9)


def test_random_numbers_are_normal_reproducible_and_extended_by_longer_ones(scripts: Page) -> None:
    numbers = np.array(call(scripts, "normals", 20_000, 4))
    assert abs(numbers.mean()) < 0.03
    assert abs(numbers.std() - 1) < 0.03
    quantiles = np.quantile(numbers, [0.0228, 0.1587, 0.8413, 0.9772])
    np.testing.assert_allclose(quantiles, [-2, -1, 1, 2], atol=0.08)
    assert call(scripts, "normals", 5, 4) == numbers[:5].tolist()
    assert call(scripts, "normals", 5, 5) != numbers[:5].tolist()
    shares = np.histogram(call(scripts, "uniforms", 20_000, 0), 10, (0, 1))[0] / 20_000
    np.testing.assert_allclose(shares, 0.1, atol=0.01)


@pytest.mark.parametrize("momentum", [0.0, 0.9, 0.99, 0.999])
def test_moving_averages_and_the_initial_values_end(scripts: Page, momentum: float) -> None:
    expected = [1.0]
    for value in BATCH:
        expected.append(momentum * expected[-1] + (1 - momentum) * value)
    close(call(scripts, "movingAverages", 1, BATCH, momentum), expected)
    weights = momentum ** np.arange(10_000)
    assert call(scripts, "stepsUntilBelow", 0.01, momentum) == np.flatnonzero(weights < 0.01)[0]


def test_with_keras_momentum_99_percent_is_forgotten_after_459_steps(scripts: Page) -> None:
    assert call(scripts, "stepsUntilBelow", 0.01, 0.99) == 459


@pytest.mark.parametrize(("normalizer", "axes"), [("batch", (0,)), ("layer", (1,)), ("group", (1,)), ("rms", (1,))])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_other_normalizers_on_a_matrix(scripts: Page, normalizer: str, axes: tuple[int], groups: int) -> None:
    values = MATRIX.reshape(6, groups, -1) if normalizer == "group" else MATRIX
    axes = (2,) if normalizer == "group" else axes
    mean = 0.0 if normalizer == "rms" else values.mean(axis=axes, keepdims=True)
    square = ((values - mean) ** 2).mean(axis=axes, keepdims=True)
    expected = ((values - mean) / np.sqrt(square + 1e-3)).reshape(6, 8)
    close(call(scripts, "normalizeMatrix", MATRIX, normalizer, groups), expected)
    sets = np.array(call(scripts, "statisticsSets", MATRIX, normalizer, groups))
    assert len(np.unique(sets)) == {"batch": 8, "group": 6 * groups}.get(normalizer, 6)


def test_folded_layers(scripts: Page) -> None:
    x = RNG.normal(size=(5, 3))
    after, before = bn(2), bn(3)
    close(call(scripts, "dense", x, as_layer(DENSE)), DENSE(x))
    close(call(scripts, "normalizeRows", x, as_bn(before)), before(x))
    for name, arguments, folded in (
        ("foldIntoPrevious", (as_layer(DENSE), as_bn(after)), fold_into_previous(DENSE, after)),
        ("foldIntoNext", (as_bn(before), as_layer(DENSE)), fold_into_next(before, DENSE)),
    ):
        result = call(scripts, name, *arguments)
        close(result["kernel"], folded.kernel)
        close(result["bias"], folded.bias)
    close(fold_into_previous(DENSE, after)(x), after(DENSE(x)))
    close(fold_into_next(before, DENSE)(x), DENSE(before(x)))


def losses(inputs: Floats, target: Floats, rate: float, steps: int, limit: float) -> Floats:
    rows = np.column_stack([inputs, np.ones(len(inputs))])
    weights, result = np.zeros(rows.shape[1]), np.full(steps + 1, np.nan)
    for step in range(steps + 1):
        error = rows @ weights - target
        loss = np.mean(error**2) / 2
        if loss > limit:
            break
        result[step] = loss
        weights -= rate * rows.T @ error / len(error)
    return result


@pytest.mark.parametrize("rate", [0.01, 0.3, 5.0])
def test_gradient_descent(scripts: Page, rate: float) -> None:
    inputs, target = RNG.normal(size=(20, 3)), RNG.normal(size=20)
    result = scripts.evaluate(
        "async (values) => Array.from((await import('/normalization.js')).descent(...values), "
        "(loss) => Number.isNaN(loss) ? null : loss)",
        [inputs.tolist(), target.tolist(), rate, 30, 1e4],
    )
    expected = losses(inputs, target, rate, 30, 1e4)
    assert np.isnan(expected).any() == (rate == 5.0)
    close([np.nan if loss is None else loss for loss in result], expected)


def test_activations(scripts: Page) -> None:
    units = MATRIX - 1
    oracle = {
        "relu": np.maximum(units, 0),
        "leaky_relu": np.where(units < 0, 0.3 * units, units),
        "sigmoid": 1 / (1 + np.exp(-units)),
        "tanh": np.tanh(units),
        "linear": units,
    }
    for name, expected in oracle.items():
        close(call(scripts, "activate", units, name), expected)
    close(call(scripts, "normalizeUnits", units), normalize_batch(units.T).T)
