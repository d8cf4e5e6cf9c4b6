"""A filter over records, as JSON in the form in which GraphQL takes it: for the ids of answers."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import orjson

from api.plan.json_values import decimal_as_text, instant_as_text

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def filter_as_json(given: Mapping[str, Any]) -> str:
    """Return the coerced value of a filter as JSON, with its keys sorted. Errors: TypeError for another value."""
    return orjson.dumps(_as_json(given), option=orjson.OPT_SORT_KEYS).decode()


def _as_json(value: Any) -> Json:  # noqa: ANN401 - any coerced input
    match value:
        case Mapping():
            return {key: _as_json(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_as_json(inner) for inner in value]
        case Enum():
            return str(value.value)
        case datetime():
            return instant_as_text(value)
        case date():
            return value.isoformat()
        case Decimal():
            return decimal_as_text(value)
        case str() | int() | float() | None:
            return value
    raise TypeError(f"{type(value).__name__} is no value of a filter")
