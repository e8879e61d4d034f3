"""The settings of the curves as query parameters of a URL."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from bnlab.charts.series import CurveSettings
from bnlab.specs.comparison import Comparison
from bnlab.specs.validation import explain_errors, parse_value


def settings_from_url(
    parameters: Mapping[str, Sequence[str]], comparison: Comparison
) -> tuple[CurveSettings, list[str]]:
    """The curve settings of a URL's parameters, and a sentence for each value that is not valid."""
    values: dict[str, Any] = {
        name: parameters[name][-1] if name in ("x", "baseline") else parse_value(parameters[name][-1])
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
