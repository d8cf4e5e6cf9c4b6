"""The JSON schema of an accord document, by which editors complete and check its TOML."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from schema.accord import Accord
from schema.clauses.rule_values import rule_column
from schema.durations import DURATION_PATTERN
from schema.kpis import CATALOGUE
from schema.tables import SHAPES
from schema.vocab import Vocabulary

_DURATION = {"type": "string", "pattern": DURATION_PATTERN, "examples": ["30 days", "8 hours"]}


def accord_json_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of a document as a person writes it: in TOML, or in JSON with the same keys.

    It knows every key and value by itself. Proposing a version checks also what sections say about others.
    """
    schema = Accord.model_json_schema(schema_generator=_DocumentSchema)
    definitions = schema["$defs"]
    rule = definitions["Stage"]["properties"]["rule"]
    alternatives = rule["oneOf"]
    definitions["TimeLimit"] = _one_of_two(_DURATION, definitions["TimeLimit"])
    definitions["FieldIs"]["properties"]["field"]["enum"] = _readable_fields()
    definitions["Stage"]["properties"]["needs"]["items"]["enum"] = _readable_fields()
    definitions["Target"]["properties"]["kpi"]["enum"] = [*CATALOGUE]
    schema = _plain(schema, alternatives)
    schema["$defs"]["Rule"] = {
        "title": "Rule",
        "description": "When a contact enters the stage: a table with one key, which says what kind of rule it is.",
        "oneOf": alternatives,
    }
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}


class _DocumentSchema(GenerateJsonSchema):
    """What a document may state, where it differs from what the models hold."""

    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> JsonSchemaValue:  # noqa: ARG002 - the interface
        """A duration in words."""
        return dict(_DURATION)

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        """The words of a vocabulary with their meanings, which Taplo shows beside them."""
        found = super().enum_schema(schema)
        if issubclass(schema["cls"], Vocabulary):
            found["x-taplo"] = {"docs": {"enumValues": [word.doc for word in schema["cls"]]}}
        return found

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        """A list of words that is read before it is checked: one word may stand alone."""
        inner = super().function_before_schema(schema)
        return _one_of_two(inner["items"], inner) if inner.get("type") == "array" else inner

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """A value that may be left out. TOML has no null."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """A value with its default, unless that is to state nothing."""
        found = super().default_schema(schema)
        states_nothing = found.get("default") in (None, []) or isinstance(found["default"], dict)
        return {key: value for key, value in found.items() if key != "default" or not states_nothing}

    def get_title_from_name(self, name: str) -> str:  # noqa: ARG002 - the interface
        """No title for a key, which would be the key again."""
        return ""


def _one_of_two(alone: JsonSchemaValue, whole: JsonSchemaValue) -> JsonSchemaValue:
    shown: JsonSchemaValue = {key: whole[key] for key in ("title", "description", "default") if key in whole}
    return {**shown, "anyOf": [alone, {key: value for key, value in whole.items() if key not in shown}]}


def _readable_fields() -> list[str]:
    names = (f"{table}.{column.name}" for table in ("contact", "company") for column in SHAPES[table].columns)
    return [name for name in names if _is_readable(name)]


def _is_readable(name: str) -> bool:
    try:
        rule_column(name)
    except ValueError:
        return False
    return True


def _plain(node: Any, alternatives: list[Any]) -> Any:  # noqa: ANN401 - JSON of any shape
    """The schema with one definition of rules, and without empty titles."""
    if isinstance(node, list):
        return [_plain(item, alternatives) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("oneOf") == alternatives:
        described = {"description": node["description"]} if "description" in node else {}
        return {**described, "$ref": "#/$defs/Rule"}
    return {key: _plain(value, alternatives) for key, value in node.items() if (key, value) != ("title", "")}
