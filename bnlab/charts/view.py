"""How curves are looked at: the axes, the smoothing, what they are compared with."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bnlab.spec.choices import Choice, one_of

X_AXES: dict[str, Choice] = {
    "epoch": Choice("Epochs", "How often every training image has been seen."),
    "step": Choice("Steps", "How many updates were made."),
    "seconds": Choice("Seconds", "Time spent in training steps, on the machine that trained."),
}


class View(BaseModel):
    """What a reader may set about the curves; part of the page's address.

    Raises:
        pydantic.ValidationError: a field is out of its bounds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    x: Annotated[str, AfterValidator(one_of(X_AXES))] = Field(
        "epoch", title="Against", description="What runs to the right.", json_schema_extra={"enum": list(X_AXES)}
    )
    smoothing: float = Field(
        0.6,
        ge=0,
        le=0.99,
        title="Smoothing",
        description="The weight of the past in the training curves' running average; the raw curve stays behind.",
    )
    log_x: bool = Field(False, title="Log x", description="Show the first steps as wide as the last epochs.")
    log_y: bool = Field(
        False,
        title="Log loss",
        description="Show losses on a logarithmic axis; not differences, which may be below zero.",
    )
    singles: bool = Field(False, title="Every seed", description="Draw each seed's own curve beside the mean.")
    baseline: str = Field(
        "", max_length=40, title="Baseline", description="The variant that the others are compared with, by its name."
    )
    differences: bool = Field(
        False, title="Differences", description="Draw each curve minus the baseline's instead of the curve."
    )
    projector: bool = Field(False, title="Projector", description="Large type and thick lines, for the last row.")
