"""Hypothesis strategies for RunSpec, generated from its JSON schema."""

from typing import Any

from hypothesis import strategies as st

from bnlab.specs.datasets import DATASETS
from bnlab.specs.run_spec import RunSpec

PROPERTIES: dict[str, dict[str, Any]] = RunSpec.model_json_schema()["properties"]


def field_values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """The values that a field's JSON schema allows."""
    if "anyOf" in schema:
        return st.one_of(*(field_values(option) for option in schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "array":
        return st.lists(field_values(schema["items"]), min_size=schema["minItems"], max_size=schema["maxItems"])
    if schema["type"] == "integer":
        return st.integers(schema["minimum"], schema.get("maximum", min(d.train for d in DATASETS.values())))
    if schema["type"] == "number":
        return st.floats(
            schema.get("minimum", schema.get("exclusiveMinimum")),
            schema.get("maximum", schema.get("exclusiveMaximum")),
            exclude_min="exclusiveMinimum" in schema,
            exclude_max="exclusiveMaximum" in schema,
        )
    return {"boolean": st.booleans(), "null": st.none()}[schema["type"]]


def spec_values(**fixed: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Valid values of any subset of the fields, including the `fixed` ones."""
    optional = {name: field_values(schema) for name, schema in PROPERTIES.items() if name not in fixed}
    return st.fixed_dictionaries({name: st.just(value) for name, value in fixed.items()}, optional=optional)


def specs(**fixed: Any) -> st.SearchStrategy[RunSpec]:
    """Any valid RunSpec with the `fixed` fields."""
    return spec_values(**fixed).map(lambda values: RunSpec(**values))
