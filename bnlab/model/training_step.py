"""The current training step, for layers whose output in training depends on it."""

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
    """The step after `step` steps of a run with `seed`; both are int32 scalars, possibly symbolic.

    Without a seed BatchNoise layers are the identity, as measurements need them.
    """

    step: tf.Tensor
    seed: tf.Tensor | None = None


_current: ContextVar[TrainingStep | None] = ContextVar("training_step", default=None)


def current_step() -> TrainingStep | None:
    """The step of the innermost `training_step` context; None outside."""
    return _current.get()


@contextmanager
def training_step(spec: RunSpec, model: keras.Model, step: TrainingStep) -> Iterator[None]:
    """A context in which `model`, built for `spec`, is called in a training step.

    BatchNoise layers draw the step's noise, and batch renormalization uses the step's limits of its correction. Outside
    the context it uses the final limits.
    """
    clipping = NORMALIZERS[spec.normalizer].clipping
    layers = [layer for layer in model.layers if clipping and getattr(layer, "renorm", False)]
    final_limits = [layer.renorm_clipping for layer in layers]
    if clipping:
        r_max, d_max = ramp_at(clipping.r_max, step.step), ramp_at(clipping.d_max, step.step)
        for layer in layers:
            layer.renorm_clipping = {"rmax": r_max, "rmin": 1 / r_max, "dmax": d_max}
    token = _current.set(step)
    try:
        yield
    finally:
        _current.reset(token)
        for layer, limits in zip(layers, final_limits, strict=True):
            layer.renorm_clipping = limits


def ramp_at(ramp: Ramp, step: tf.Tensor) -> tf.Tensor:
    """`ramp.at(step)` as a tensor, for a `step` that may be symbolic."""
    progress = tf.cast(step - ramp.first, tf.float32) / (ramp.last - ramp.first)
    return ramp.start + (ramp.end - ramp.start) * tf.clip_by_value(progress, 0.0, 1.0)
