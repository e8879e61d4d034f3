"""The training step that a model is called in, for the layers whose training depends on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import keras
import tensorflow as tf

from bnlab.specs.normalizers import NORMALIZERS, Ramp
from bnlab.specs.run_spec import RunSpec


@dataclass(frozen=True)
class TrainingStep:
    """The step that follows `step` steps of the run with `seed`: int32 scalars, also symbolic ones.

    Without a seed nothing random is drawn: measurements see the network of that step without its noise.
    """

    step: tf.Tensor
    seed: tf.Tensor | None = None


_current: ContextVar[TrainingStep | None] = ContextVar("training_step", default=None)


def current_step() -> TrainingStep | None:
    """The step that was entered last; None outside of any."""
    return _current.get()


@contextmanager
def training_step(spec: RunSpec, model: keras.Model, step: TrainingStep) -> Iterator[None]:
    """Let calls of `model`, which was built for `spec`, be calls in that training step.

    BatchNoise layers draw its noise, and the limits of batch renormalization's correction are those of the step.
    Outside, the limits are the last ones.
    """
    clipping = NORMALIZERS[spec.normalizer].clipping
    layers = [layer for layer in model.layers if clipping and getattr(layer, "renorm", False)]
    before = [layer.renorm_clipping for layer in layers]
    if clipping:
        r_max, d_max = ramp_at(clipping.r_max, step.step), ramp_at(clipping.d_max, step.step)
        for layer in layers:
            layer.renorm_clipping = {"rmax": r_max, "rmin": 1 / r_max, "dmax": d_max}
    token = _current.set(step)
    try:
        yield
    finally:
        _current.reset(token)
        for layer, limits in zip(layers, before, strict=True):
            layer.renorm_clipping = limits


def ramp_at(ramp: Ramp, step: tf.Tensor) -> tf.Tensor:
    """`ramp.at(step)`, where `step` may be symbolic."""
    progress = tf.cast(step - ramp.first, tf.float32) / (ramp.last - ramp.first)
    return ramp.start + (ramp.end - ramp.start) * tf.clip_by_value(progress, 0.0, 1.0)
