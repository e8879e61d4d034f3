"""Settings: values that are refused, and what is secret."""

import pytest
from pydantic import ValidationError

from bnlab.runs.config import Settings, settings_error_text
from tests.broken_stores import is_a_plain_sentence


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"BNLAB_MAX_STEPS": "many-and-secret"}, ["BNLAB_MAX_STEPS"]),
        ({"BNLAB_METRICS": "perhaps-secret"}, ["BNLAB_METRICS"]),
        ({"BNLAB_LOG_LEVEL": "secret", "BNLAB_MAX_STEPS": "0"}, ["BNLAB_LOG_LEVEL", "BNLAB_MAX_STEPS"]),
    ],
)
def test_a_refused_value_is_a_sentence_without_the_value(
    values: dict[str, str], names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    text = settings_error_text(caught.value)
    assert is_a_plain_sentence(text)
    assert all(name in text for name in names)
    assert "secret" not in text
    assert "secret" not in str(caught.value)


def test_empty_variables_are_as_if_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"BNLAB_{name.upper()}", "")
    assert Settings().model_fields_set == set()


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())
