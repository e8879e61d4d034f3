"""The registries that a spec chooses from: adding an entry adds a choice.

The form, the command line and the conformance tests iterate these mappings. `bnlab.model` looks up the Keras classes by
the names in them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Choice:
    """A named option: `title` and a one-sentence `description` are shown to users."""

    title: str
    description: str


@dataclass(frozen=True)
class Activation(Choice):
    """An elementwise nonlinearity; `layer` is its Keras layer class (None for the identity), `config` its arguments."""

    layer: str | None
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Initializer(Choice):
    """A Keras initializer class; `takes_stddev` if the spec's `initializer_stddev` is its `stddev`."""

    keras_class: str
    takes_seed: bool = True
    takes_stddev: bool = False


@dataclass(frozen=True)
class Optimizer(Choice):
    """A Keras optimizer class and its fixed arguments; the learning rate is the spec's."""

    keras_class: str
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rescaling(Choice):
    """The factor that every pixel (0 to 255) is multiplied by before it enters the network."""

    factor: float


@dataclass(frozen=True)
class EvaluationMethod(Choice):
    """With which statistics a run is evaluated; `compares_statistics` if with all of `STATISTICS`."""

    compares_statistics: bool = False


ARCHITECTURES: dict[str, Choice] = {
    "dense": Choice("Dense", "The image as one row of numbers, every unit seeing all of it."),
    "conv": Choice("Convolutional", "3 × 3 kernels in steps of 2; BN by channel, over examples and places."),
}

PLACEMENTS: dict[str, Choice] = {
    "none": Choice("None", "No normalization between the hidden layers."),
    "before_activation": Choice(
        "Before the activation", "Dense → BN → activation, as Ioffe and Szegedy (2015) placed it."
    ),
    "after_activation": Choice("After the activation", "Dense → activation → BN."),
}

VALIDATIONS: dict[str, Choice] = {
    "test": Choice("Test images", "Validate on the test images, as the notebook does."),
    "holdout": Choice("Held-out images", "Validate on the first training images (at most 5,000), never trained on."),
}

STATISTICS: dict[str, Choice] = {
    "moving": Choice("Moving statistics", "The moving mean and variance, as at inference."),
    "batch": Choice(
        "The batch’s own statistics", "Mean and variance of each batch of the run’s batch size, as in training."
    ),
    "reestimated": Choice(
        "Re-estimated statistics",
        "Mean and variance over up to 10,000 training images with the weights as they are (PreciseBN, Wu and Johnson "
        "2021).",
    ),
}
"""What a batch normalization layer normalizes by when a network is evaluated."""

EVALUATED_IMAGES: dict[str, Choice] = {
    "validation": Choice("Validation images", "The images of the validation curves."),
    "training": Choice("Training images", "Up to 10,000 of the images that the run is trained on."),
}

EVALUATION_METHODS: dict[str, EvaluationMethod] = {
    "moving": EvaluationMethod("Moving statistics", "Validation images only, as a network is used at inference."),
    "all": EvaluationMethod(
        "All three statistics",
        "Also with the batches' own and with re-estimated statistics, and on training images. The weights are the "
        "same; evaluations take several times as long.",
        compares_statistics=True,
    ),
}

RESCALINGS: dict[str, Rescaling] = {
    "unit": Rescaling("Pixels / 255", "Pixels between 0 and 1, as the notebook feeds them.", 1 / 255),
    "raw": Rescaling("Raw pixels", "Pixels from 0 to 255, unscaled.", 1.0),
    "thousandth": Rescaling("Pixels / 1000", "Pixels between 0 and 0.255, a thousandth of the raw ones.", 0.001),
}


def _activation(title: str, name: str) -> Activation:
    return Activation(title, f"Keras's {name}.", "Activation", {"activation": name})


ACTIVATIONS: dict[str, Activation] = {
    "linear": Activation("Linear (none)", "No nonlinearity: the network is a linear classifier.", None),
    "relu": _activation("ReLU", "relu"),
    "leaky_relu": Activation(
        "Leaky ReLU", "Slope 0.3 below zero, Keras's default.", "LeakyReLU", {"negative_slope": 0.3}
    ),
    "sigmoid": _activation("Sigmoid", "sigmoid"),
    "tanh": _activation("Tanh", "tanh"),
    "elu": _activation("ELU", "elu"),
    "selu": _activation("SELU", "selu"),
    "gelu": _activation("GELU", "gelu"),
    "swish": _activation("Swish", "swish"),
}

INITIALIZERS: dict[str, Initializer] = {
    "glorot_uniform": Initializer("Glorot uniform", "Keras's default; fits tanh.", "GlorotUniform"),
    "glorot_normal": Initializer("Glorot normal", "Fits tanh and sigmoid.", "GlorotNormal"),
    "he_normal": Initializer("He normal", "Fits ReLU and its relatives.", "HeNormal"),
    "he_uniform": Initializer("He uniform", "Fits ReLU and its relatives.", "HeUniform"),
    "lecun_normal": Initializer("LeCun normal", "Fits SELU.", "LecunNormal"),
    "lecun_uniform": Initializer("LeCun uniform", "Fits SELU.", "LecunUniform"),
    "orthogonal": Initializer("Orthogonal", "Keeps the norm of what passes through.", "Orthogonal"),
    "random_normal": Initializer(
        "Random normal",
        "A standard deviation of your own, blind to the layer's size.",
        "RandomNormal",
        takes_stddev=True,
    ),
    "random_uniform": Initializer("Random uniform", "Between −0.05 and 0.05.", "RandomUniform"),
    "truncated_normal": Initializer("Truncated normal", "Standard deviation 0.05, cut at two.", "TruncatedNormal"),
    "ones": Initializer("Ones", "Every weight 1: every unit computes the same.", "Ones", takes_seed=False),
    "zeros": Initializer("Zeros", "Every weight 0: nothing can be learned below.", "Zeros", takes_seed=False),
}

OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Optimizer("SGD", "Plain stochastic gradient descent, as the notebook uses.", "SGD"),
    "sgd_momentum": Optimizer("SGD with momentum", "Momentum 0.9.", "SGD", {"momentum": 0.9}),
    "nesterov": Optimizer(
        "Nesterov momentum", "Momentum 0.9, looking ahead.", "SGD", {"momentum": 0.9, "nesterov": True}
    ),
    "rmsprop": Optimizer("RMSprop", "Steps divided by the gradients' running size.", "RMSprop"),
    "adam": Optimizer("Adam", "Running mean and size of the gradients.", "Adam"),
}


def one_of(registry: Mapping[str, Choice]) -> Callable[[str], str]:
    """A pydantic validator that accepts the keys of `registry`."""

    def check(value: str) -> str:
        if value not in registry:
            raise ValueError("must be one of " + ", ".join(registry))
        return value

    return check
