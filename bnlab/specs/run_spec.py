"""RunSpec: everything that determines the result of one training, and nothing else."""

import hashlib
import json
import math
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from bnlab.specs import choices
from bnlab.specs.datasets import DATASETS, Dataset, check_dataset
from bnlab.specs.normalizers import NORMALIZERS, translate_former_fields

TRAINING_SEMANTICS = 1
"""Part of the digest. Increase it when the same spec trains to other numbers, so that old runs get other digests."""

Units = Annotated[int, Field(ge=1, le=2048)]


def _choice(registry: dict[str, Any], default: str, title: str, description: str) -> Any:
    def list_ids(schema: dict[str, Any]) -> None:  # when the schema is asked for: datasets may have been added
        schema["enum"] = list(registry)

    return Field(default, title=title, description=description, json_schema_extra=list_ids)


class RunSpec(BaseModel):
    """What to train: data, network, optimizer, length and seed. Frozen; its `digest` identifies the run.

    Raises:
        pydantic.ValidationError: a field is out of its bounds; `bnlab.specs.validation.explain_errors` explains it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    placement: Annotated[str, AfterValidator(choices.one_of(choices.PLACEMENTS))] = _choice(
        choices.PLACEMENTS, "none", "Placement", "Where the normalization stands in each hidden layer."
    )
    input_normalization: bool = Field(
        False, title="Normalize the input", description="A normalization layer before the first Dense."
    )
    use_bias: bool = Field(
        True, title="Use bias", description="Whether the hidden Dense layers add a bias; the output always does."
    )
    kernel_initializer: Annotated[str, AfterValidator(choices.one_of(choices.INITIALIZERS))] = _choice(
        choices.INITIALIZERS,
        "glorot_uniform",
        "Initializer",
        "How the hidden kernels start; the output layer keeps Keras's default.",
    )
    initializer_stddev: float = Field(
        0.05, ge=0, le=100, title="Initializer's stddev", description="Standard deviation of random_normal."
    )
    architecture: Annotated[str, AfterValidator(choices.one_of(choices.ARCHITECTURES))] = _choice(
        choices.ARCHITECTURES, "dense", "Architecture", "What the hidden layers are: Dense or convolutions."
    )
    activation: Annotated[str, AfterValidator(choices.one_of(choices.ACTIVATIONS))] = _choice(
        choices.ACTIVATIONS, "relu", "Activation", "The nonlinearity of the hidden layers."
    )
    hidden_units: tuple[Units, ...] = Field(
        (300, 100),
        min_length=1,
        max_length=50,
        title="Hidden units",
        description="Units of each hidden layer, nearest to the input first; filters in a convolution.",
        examples=["300-100", "10x100"],
    )
    optimizer: Annotated[str, AfterValidator(choices.one_of(choices.OPTIMIZERS))] = _choice(
        choices.OPTIMIZERS, "sgd", "Optimizer", "How gradients become updates."
    )
    learning_rate: float = Field(
        0.01, gt=0, le=100, title="Learning rate", description="The optimizer's learning rate."
    )
    batch_size: int = Field(32, ge=1, le=4096, title="Batch size", description="Examples per step.")
    epochs: int = Field(10, ge=1, le=1000, title="Epochs", description="Passes over the training examples.")
    seed: int = Field(
        0, ge=0, le=2**31 - 1, title="Seed", description="Decides the initial weights and the order of examples."
    )
    normalizer: Annotated[str, AfterValidator(choices.one_of(NORMALIZERS))] = _choice(
        NORMALIZERS, "batch_normalization", "Normalizer", "What the normalization layers normalize by."
    )
    momentum: float = Field(
        0.99,
        ge=0,
        lt=1,
        title="BN momentum",
        description="The weight of the old value in the moving mean and variance (PyTorch's is 1 minus this).",
    )
    epsilon: float = Field(
        1e-3, gt=0, le=1, title="Epsilon", description="Added to the variance inside the square root."
    )
    center: bool = Field(True, title="Center", description="Whether the normalization learns the offset beta.")
    scale: bool = Field(True, title="Scale", description="Whether the normalization learns the factor gamma.")
    noise: bool = Field(
        False,
        title="Noise after normalization",
        description="Gives the output of each hidden normalization layer another mean and spread at each step of "
        "training (Santurkar 2018).",
    )
    dataset: Annotated[str, AfterValidator(check_dataset)] = _choice(
        DATASETS, "mnist", "Dataset", "The images to classify."
    )
    train_examples: int | None = Field(
        None,
        ge=1,
        title="Training examples",
        description="How many training images to use; empty means all.",
        examples=["5000", "all"],
    )
    rescale: Annotated[str, AfterValidator(choices.one_of(choices.RESCALINGS))] = _choice(
        choices.RESCALINGS, "unit", "Rescale", "What the pixels are multiplied by."
    )
    validation: Annotated[str, AfterValidator(choices.one_of(choices.VALIDATIONS))] = _choice(
        choices.VALIDATIONS, "test", "Validation", "Which images the validation curves are measured on."
    )
    evaluate_with: Annotated[str, AfterValidator(choices.one_of(choices.EVALUATION_METHODS))] = _choice(
        choices.EVALUATION_METHODS,
        "moving",
        "Evaluate with",
        "Which statistics the normalization layers use in evaluations; it does not change the training.",
    )

    @model_validator(mode="before")
    @classmethod
    def _translate_former_fields(cls, values: Any) -> Any:
        return translate_former_fields(values) if isinstance(values, dict) else values

    @field_validator("train_examples")
    @classmethod
    def _within_dataset(cls, value: int | None, info: ValidationInfo) -> int | None:
        dataset = DATASETS.get(info.data.get("dataset", ""))
        if value is not None and dataset is not None and value > dataset.train:
            raise ValueError(f"must be at most {dataset.train:,}, all that {dataset.title} has for training")
        return None if dataset is not None and value == dataset.train else value  # one digest for "all"

    @field_validator("initializer_stddev", "momentum")
    @classmethod
    def _normalize_negative_zero(cls, value: float) -> float:
        # −0.0 equals 0.0, but its JSON differs, and the digest hashes the JSON.
        return value + 0.0

    @property
    def digest(self) -> str:
        """20 hexadecimal digits, the same for equal specs on every machine and in every process.

        Fields at their defaults are not hashed, so that adding a field does not change the digests of old runs.
        """
        return _digest(self)

    @property
    def data(self) -> Dataset:
        """The dataset's entry in the registry."""
        return DATASETS[self.dataset]

    @property
    def examples(self) -> int:
        """The number of training images in one epoch."""
        return self.train_examples if self.train_examples is not None else self.data.train

    @property
    def validation_examples(self) -> int:
        """The number of images that the validation curves are measured on."""
        return self.data.holdout if self.validation == "holdout" else self.data.test

    @property
    def steps_per_epoch(self) -> int:
        """Batches per epoch, including a smaller last one."""
        return math.ceil(self.examples / self.batch_size)

    @property
    def total_steps(self) -> int:
        """Batches in the whole training."""
        return self.steps_per_epoch * self.epochs


@lru_cache(maxsize=4096)  # pages need the same digests again and again
def _digest(spec: RunSpec) -> str:
    identity = {"semantics": TRAINING_SEMANTICS, "spec": spec.model_dump(mode="json", exclude_defaults=True)}
    canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:20]


RUNTIME_FIELDS = frozenset(
    {
        "seed",
        "kernel_initializer",
        "initializer_stddev",
        "learning_rate",
        "epochs",
        "train_examples",
        "rescale",
        "validation",
        "evaluate_with",
        "batch_size",
    }
)
"""Fields that are arguments of a compiled training program: specs that differ only in them share the program."""

MAX_PROGRAMS = 32
"""The number of compiled programs in a worker's LRU cache, which the scheduler accounts for."""

_RUNTIME_DEFAULTS = {name: RunSpec.model_fields[name].default for name in RUNTIME_FIELDS}


def program_key(spec: RunSpec) -> RunSpec:
    """`spec` with `RUNTIME_FIELDS` at their defaults: equal for specs that share a compiled program."""
    return spec.model_copy(update=_RUNTIME_DEFAULTS)
