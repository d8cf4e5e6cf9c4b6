"""Filters through a link: whether there is a linked record (`isNull`), and which one.

`owner: {isNull: true}` finds the records without an owner, and so does `owner: {id: {isNull: true}}`. Beside other
conditions, as in `owner: {or: [{isNull: true}, {name: {eq: "Anna"}}]}`, it is judged in two cases: without a linked
record every condition on its fields is false; with one, only they decide.
"""

from collections.abc import Mapping
from typing import Any

from api.graph.derived.filter_types import IS_NULL

Given = Mapping[str, Any]
_NEVER: Given = {"or": []}


def tests_presence(given: Given) -> bool:
    """Return whether the filter of a link tests with `isNull` whether there is a linked record."""
    return any(
        key == IS_NULL or (key == "id" and IS_NULL in value) or any(map(tests_presence, _parts(key, value)))
        for key, value in given.items()
    )


def is_true_without_record(given: Given) -> bool:
    """Return whether the filter of a link is true if there is no linked record."""
    return all(_holds_without_record(key, value) for key, value in given.items())


def of_linked_record(given: Given) -> dict[str, Any]:
    """Return the filter that a linked record has to satisfy, without `isNull`. Nulls stay, for the reader to refuse."""
    found: dict[str, Any] = {}
    never: list[Given] = []
    for key, value in given.items():
        match key, value:
            case "isNull", True:
                never.append(_NEVER)
            case "isNull", False:
                pass
            case "id", {"isNull": bool(is_null)}:
                never += [_NEVER] if is_null else []
                found[key] = {operator: operand for operator, operand in value.items() if operator != IS_NULL}
            case "and" | "or", list():
                found[key] = [of_linked_record(part) for part in value]
            case "not", Mapping():
                found[key] = of_linked_record(value)
            case _:
                found[key] = value
    return found | {"and": [*found.get("and", ()), *never]} if never else found


def _holds_without_record(key: str, value: Any) -> bool:  # noqa: ANN401 - any coerced input
    match key, value:
        case "isNull", bool():
            return bool(value)
        case "id", {"isNull": True, **others}:
            return not others
        case "and", _:
            return all(map(is_true_without_record, value))
        case "or", _:
            return any(map(is_true_without_record, value))
        case "not", _:
            return not is_true_without_record(value)
        case _:
            return False


def _parts(key: str, value: Any) -> tuple[Given, ...]:  # noqa: ANN401 - any coerced input
    """Return the filters that a combination consists of, those that are given."""
    if value is None or key not in ("and", "or", "not"):
        return ()
    return (value,) if key == "not" else tuple(value)
