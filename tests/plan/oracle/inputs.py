"""Validation and parsing of client input: ids, and the operands of filters."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from schema.base import ColumnShape
from tests.plan.oracle.shapes import (
    COLUMNS,
    CONVERTED,
    KEYS,
    LINKS,
    LISTED_AGGREGATES,
    LISTS,
    MERGED_LISTS,
    STAGE_PARTS,
    VISIBLE,
    Row,
)

QUANTIFIERS = ("some", "none", "every")

_ID = re.compile(r"([a-z_]+)_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_INSTANT = re.compile(r"\d{8}T\d{6}(\.\d*[1-9])?Z")


class RejectedError(Exception):
    """Raised by a resolver for invalid input, with the code of the error."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse_id(text: str, table: str | None = None) -> tuple[str, UUID]:
    """Return the table and the primary key that an id names."""
    match = _ID.fullmatch(text)
    if match is None or match[1] not in VISIBLE or KEYS[match[1]] != ("id",) or table not in (None, match[1]):
        raise RejectedError("BAD_INPUT")
    return match[1], UUID(match[2])


def parse_record_id(text: str, table: str | None = None) -> tuple[str, UUID, str]:
    """Return the table and the primary key that an id names, and its end with an instant; empty without one."""
    plain, at, instant = text.partition("@")
    if at and _INSTANT.fullmatch(instant) is None:
        raise RejectedError("BAD_INPUT")
    return *parse_id(plain, table), at + instant


def as_of_suffix(instant: str) -> str:
    """Return the end of the ids of records as of an instant, which the argument `asOf` gives."""
    moment = datetime.fromisoformat(instant).astimezone(UTC)
    fraction = f"{moment:%f}".rstrip("0")
    return f"@{moment:%Y%m%dT%H%M%S}{'.' if fraction else ''}{fraction}Z"


def parse_comparisons(table: str, column: ColumnShape, filter_: Row) -> list[tuple[str, Any]]:
    """Return the operators of a column's filter with their parsed operands."""
    comparisons: list[tuple[str, Any]] = []
    for operator, value in filter_.items():
        if value is None:
            raise RejectedError("BAD_INPUT")
        if operator == "isNull":
            comparisons.append((operator, value))
        elif operator == "in":
            comparisons.append((operator, [_parse(table, column, item) for item in value]))
        else:
            comparisons.append((operator, _parse(table, column, value)))
    return comparisons


def parse_aggregate_comparisons(table: str, function: str, field: str, filter_: Row) -> list[tuple[str, Any]]:
    """Return the operators of a filter on an aggregate of a list with their parsed operands."""
    if function in ("sum", "avg"):
        if None in filter_.values():
            raise RejectedError("BAD_INPUT")
        return [
            (operator, [Decimal(str(item)) for item in value] if operator == "in" else Decimal(str(value)))
            if operator != "isNull"
            else (operator, value)
            for operator, value in filter_.items()
        ]
    if function == "count":
        if None in filter_.values():
            raise RejectedError("BAD_INPUT")
        return list(filter_.items())
    return parse_comparisons(table, LISTED_AGGREGATES[table][function][field], filter_)


def list_tests(list_filter: Row) -> list[tuple[str, Any]]:
    """Return the tests of a filter on a list: quantifiers and aggregates. A null and a lone `where` are rejected."""
    if None in list_filter.values():
        raise RejectedError("BAD_INPUT")
    tests = [(name, test) for name, test in list_filter.items() if name != "where"]
    if "where" in list_filter and not tests:
        raise RejectedError("BAD_INPUT")
    return tests


def validate_where(table: str, where: Row, *, is_link: bool = False, lists_merged: bool = False) -> None:
    """Reject a filter with a null or an invalid operand, even if no row is compared with it.

    `isNull` is only for the filter of a link. A list without merged rows is not filtered by what they were merged into.
    """
    for key, value in where.items():
        is_about_merges = key in ("mergedInto", "mergedIntoId") and not (is_link or lists_merged)
        if value is None or is_about_merges or (key == "isNull" and not is_link):
            raise RejectedError("BAD_INPUT")
        if key in ("and", "or"):
            for part in value:
                validate_where(table, part, is_link=is_link, lists_merged=lists_merged)
        elif key == "not":
            validate_where(table, value, is_link=is_link, lists_merged=lists_merged)
        elif key in LINKS[table]:
            validate_where(LINKS[table][key][1], value, is_link=True)
        elif key in LISTS[table]:
            _validate_list(LISTS[table][key][0], value, has_merged=key in MERGED_LISTS)
        elif key != "isNull":
            _validate_comparisons(table, key, value)


def _validate_list(other: str, list_filter: Row, *, has_merged: bool) -> None:
    tests = list_tests(list_filter)
    validate_where(other, list_filter.get("where", {}), lists_merged=has_merged)
    for name, test in tests:
        if name in QUANTIFIERS:
            validate_where(other, test, lists_merged=has_merged)
            continue
        for field, comparisons in {"": test}.items() if name == "count" else test.items():
            if comparisons is None:
                raise RejectedError("BAD_INPUT")
            parse_aggregate_comparisons(other, name, field, comparisons)


def _validate_comparisons(table: str, key: str, value: Row) -> None:
    if key == "isCounted":
        parse_comparisons("contact", COLUMNS["contact"]["isTest"], value)
    elif key == "stage" and table == "contact":
        for part, comparisons in value.items():
            if comparisons is None:
                raise RejectedError("BAD_INPUT")
            if part != "isNull":
                parse_comparisons("stage_entry", COLUMNS["stage_entry"][STAGE_PARTS[part]], comparisons)
    else:
        parse_comparisons(table, (COLUMNS[table] | CONVERTED[table])[key], value)


def _parse(table: str, column: ColumnShape, value: Any) -> Any:  # noqa: ANN401 - a column's value
    if column.link is not None or column.name == "id":
        return parse_id(value, column.link.target if column.link else table)[1]
    if column.python is datetime:
        return datetime.fromisoformat(value).astimezone(UTC)
    if column.python is date:
        return date.fromisoformat(value)
    return Decimal(str(value)) if column.python is Decimal else value
