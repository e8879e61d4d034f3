"""Which curves there are, and the reader's settings of them, which are part of a page's URL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from bnlab.specs.choices import EVALUATED_IMAGES, STATISTICS, Choice, one_of
from bnlab.specs.comparison import Comparison
from bnlab.specs.validation import explain_errors, parse_value
from bnlab.training.records import evaluation_columns

X_AXES: dict[str, Choice] = {
    "epoch": Choice("Epochs", "How often every training image has been seen."),
    "step": Choice("Steps", "How many updates were made."),
    "seconds": Choice("Seconds", "Time spent in training steps, on the machine that trained."),
}


@dataclass(frozen=True)
class Curve:
    """One of the charts.

    Attributes:
        id: names the chart in URLs, caches and file names.
        column: the column that is drawn.
        title: the title on the page.
        is_fraction: whether its values are fractions, shown in percent.
        is_noisy: whether values are recorded at every step, and smoothed.
    """

    id: str
    column: str
    title: str
    is_fraction: bool
    is_noisy: bool


TRAINING_CURVES = (
    Curve("training-loss", "loss", "Training loss", False, True),
    Curve("training-accuracy", "accuracy", "Training accuracy", True, True),
)
VALIDATION_CURVES = (
    Curve("validation-loss", "val_loss", "Validation loss", False, False),
    Curve("validation-accuracy", "val_accuracy", "Validation accuracy", True, False),
)
CURVES = (*TRAINING_CURVES, *VALIDATION_CURVES)
CURVES_BY_ID = {curve.id: curve for curve in reversed(CURVES)}
"""In the order of the page: validation accuracy first, training loss last."""
DEFAULT_IMAGES, DEFAULT_STATISTICS = "validation", "moving"
"""Of the validation curves: how every run is evaluated."""


class CurveSettings(BaseModel):
    """The reader's settings of the curves; part of the page's URL.

    Raises:
        pydantic.ValidationError: a field is out of its bounds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    x: Annotated[str, AfterValidator(one_of(X_AXES))] = Field(
        "epoch", title="X axis", description="What the curves are drawn over.", json_schema_extra={"enum": list(X_AXES)}
    )
    smoothing: float = Field(
        0.6,
        ge=0,
        le=0.99,
        title="Smoothing",
        description="The weight of the past in the training curves' running average; the raw curve stays behind.",
    )
    log_x: bool = Field(
        False, title="Log x", description="Show the first steps as wide as the last epochs; without step 0."
    )
    log_y: bool = Field(
        False,
        title="Log loss",
        description="Show losses on a logarithmic axis, exact zeros at its lower edge; not differences, which may be "
        "below zero.",
    )
    singles: bool = Field(False, title="Every seed", description="Draw each seed's own curve beside the mean.")
    baseline: str = Field(
        "", max_length=40, title="Baseline", description="The variant that the others are compared with, by its name."
    )
    differences: bool = Field(
        False, title="Differences", description="Draw each curve minus the baseline's instead of the curve."
    )
    statistics: Annotated[str, AfterValidator(one_of(STATISTICS))] = Field(
        DEFAULT_STATISTICS,
        title="Evaluated with",
        description="Which statistics the BN layers use in the validation charts. The batch’s own and re-estimated "
        "ones need runs whose setting “Evaluate with” is “All three statistics”.",
        json_schema_extra={"enum": list(STATISTICS)},
    )
    images: Annotated[str, AfterValidator(one_of(EVALUATED_IMAGES))] = Field(
        DEFAULT_IMAGES,
        title="Evaluated on",
        description="Which images the validation charts are about: training images are evaluated as validation images "
        "are, so that only the images differ.",
        json_schema_extra={"enum": list(EVALUATED_IMAGES)},
    )
    projector: bool = Field(
        False, title="Projector", description="One large chart with the names at its lines, for the last row."
    )
    chart: Annotated[str, AfterValidator(one_of(CURVES_BY_ID))] = Field(
        "validation-accuracy",
        title="Chart",
        description="The chart that a projector shows.",
        json_schema_extra={"enum": list(CURVES_BY_ID)},
    )

    @property
    def shows_default_evaluation(self) -> bool:
        """Whether the validation curves show what is recorded of every run."""
        return (self.images, self.statistics) == (DEFAULT_IMAGES, DEFAULT_STATISTICS)


def evaluated_curve(curve: Curve, settings: CurveSettings) -> Curve:
    """One of VALIDATION_CURVES with the images and statistics of the settings."""
    loss, accuracy = evaluation_columns(settings.images, settings.statistics)
    title = curve.title
    if settings.images != DEFAULT_IMAGES:
        title = (
            f"{'Accuracy' if curve.is_fraction else 'Loss'} on {_lower_first(EVALUATED_IMAGES[settings.images].title)}"
        )
    if not settings.shows_default_evaluation:
        title += f", {_lower_first(STATISTICS[settings.statistics].title)}"
    return replace(curve, column=accuracy if curve.is_fraction else loss, title=title)


def _lower_first(title: str) -> str:
    return title[:1].lower() + title[1:]


TEXTS = frozenset(name for name, field in CurveSettings.model_fields.items() if field.annotation is str)
"""The settings whose values are texts."""


def settings_from_url(
    parameters: Mapping[str, Sequence[str]], comparison: Comparison
) -> tuple[CurveSettings, list[str]]:
    """The curve settings of a URL's parameters, and a sentence for each value that is not valid."""
    values: dict[str, Any] = {
        name: parameters[name][-1] if name in TEXTS else parse_value(parameters[name][-1])
        for name in CurveSettings.model_fields
        if parameters.get(name)
    }
    faults: list[str] = []
    try:
        settings = CurveSettings.model_validate(values)
    except ValidationError as error:
        invalid = {details["loc"][0] for details in error.errors()}
        settings = CurveSettings(**{name: value for name, value in values.items() if name not in invalid})
        faults = explain_errors(error, CurveSettings)
    if settings.baseline and settings.baseline not in comparison.labels:
        faults.append(f"There is no variant {settings.baseline!r} to compare with.")
        settings = settings.model_copy(update={"baseline": ""})
    return settings, faults


def settings_to_url(settings: CurveSettings) -> dict[str, list[str]]:
    """The parameters that `settings_from_url` turns into these settings; defaults are left out."""
    changed = settings.model_dump(exclude_defaults=True)
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in changed.items()}
    return {name: [text] for name, text in texts.items()}
