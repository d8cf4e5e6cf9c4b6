"""A small validator of JSON schemas: the keywords that the schema of accord documents uses."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
# Keywords that constrain nothing.
_DOCUMENTATION = {"$schema", "$defs", "title", "description", "default", "examples", "format", "x-taplo"}
_CHECKS: Mapping[str, Callable[[Any, Any], bool]] = {
    "enum": lambda value, wanted: value in wanted,
    "pattern": lambda value, wanted: not isinstance(value, str) or re.search(wanted, value) is not None,
    "minLength": lambda value, wanted: len(value) >= wanted,
    "minItems": lambda value, wanted: len(value) >= wanted,
    "maxItems": lambda value, wanted: len(value) <= wanted,
    "minimum": lambda value, wanted: value >= wanted,
    "maximum": lambda value, wanted: value <= wanted,
    "exclusiveMinimum": lambda value, wanted: value > wanted,
}


def schema_errors(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any], path: str = "") -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield where a value is not as a schema says. Raises ValueError for a keyword that is not known here."""
    unknown = schema.keys() - _CHECKS.keys() - _DOCUMENTATION - _NESTED.keys() - {"type", "required"}
    if unknown:
        raise ValueError(f"unknown keywords {sorted(unknown)}")
    kind = schema.get("type")
    if kind and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        yield f"{path}: is not of type {kind}"
        return
    yield from (f"{path}: {key} is missing" for key in schema.get("required", ()) if key not in value)
    for keyword, check in _CHECKS.items():
        if keyword in schema and not check(value, schema[keyword]):
            yield f"{path}: {value!r} is against {keyword} {schema[keyword]}"
    for keyword, nested in _NESTED.items():
        if keyword in schema:
            yield from nested(schema, value, root, path)


def _reference(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any], path: str) -> Iterator[str]:  # noqa: ANN401
    yield from schema_errors(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], value, root, path)


def _properties(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any], path: str) -> Iterator[str]:  # noqa: ANN401
    for key, item in value.items():
        if key in schema["properties"]:
            yield from schema_errors(schema["properties"][key], item, root, f"{path}.{key}")
        elif schema.get("additionalProperties") is False:
            yield f"{path}: there is no key {key}"


def _items(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any], path: str) -> Iterator[str]:  # noqa: ANN401
    for place, item in enumerate(value):
        yield from schema_errors(schema["items"], item, root, f"{path}[{place}]")


def _any_of(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any], path: str) -> Iterator[str]:  # noqa: ANN401
    if not any(not [*schema_errors(option, value, root, path)] for option in schema["anyOf"]):
        yield f"{path}: none of anyOf"


def _one_of(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any], path: str) -> Iterator[str]:  # noqa: ANN401
    fitting = sum(not [*schema_errors(option, value, root, path)] for option in schema["oneOf"])
    if fitting != 1:
        yield f"{path}: {fitting} of oneOf"


_NESTED = {
    "$ref": _reference,
    "properties": _properties,
    "additionalProperties": lambda *_: iter(()),  # read with the properties
    "items": _items,
    "anyOf": _any_of,
    "oneOf": _one_of,
}
