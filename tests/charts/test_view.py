"""How curves are looked at."""

import pytest
from pydantic import ValidationError

from bnlab.charts.view import X_AXES, View


def test_every_control_has_a_title_and_a_sentence() -> None:
    for field in View.model_fields.values():
        assert field.title
        assert field.description
        assert field.description.endswith(".")
    assert all(axis.title and axis.description.endswith(".") for axis in X_AXES.values())


def test_its_schema_names_every_axis() -> None:
    assert View.model_json_schema()["properties"]["x"]["enum"] == list(X_AXES)


@pytest.mark.parametrize("x", X_AXES)
@pytest.mark.parametrize("smoothing", [0, 0.99])
def test_bounds_belong_to_it(x: str, smoothing: float) -> None:
    view = View(x=x, smoothing=smoothing, baseline="x" * 40)
    assert View.model_validate_json(view.model_dump_json()) == view


@pytest.mark.parametrize(
    "given",
    [
        {"x": "weeks"}, {"x": None}, {"smoothing": -0.01}, {"smoothing": 1}, {"smoothing": float("nan")},
        {"log_x": "perhaps"}, {"baseline": "x" * 41}, {"zoom": 2},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        View.model_validate(given)
    assert [error["loc"] for error in refused.value.errors()] == [tuple(given)]


def test_a_view_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        View().x = "step"  # type: ignore[misc]
