"""Which specs share one compiled program, known without TensorFlow."""

from bnlab.spec.run_spec import RunSpec

VALUE_FIELDS = frozenset(
    {
        "seed",
        "kernel_initializer",
        "initializer_stddev",
        "learning_rate",
        "epochs",
        "train_examples",
        "rescale",
        "validation",
        "batch_size",
    }
)
"""Fields that are arguments of the program, not part of it: specs that differ only in these share one."""

MOST_PROGRAMS = 32
"""How many compiled programs a worker keeps, those it used last: more than a group has structures."""

_DEFAULTS = {name: RunSpec.model_fields[name].default for name in VALUE_FIELDS}


def structure_of(spec: RunSpec) -> RunSpec:
    """`spec` with all VALUE_FIELDS at their defaults: equal, and hashed alike, for specs that share a program."""
    return spec.model_copy(update=_DEFAULTS)
