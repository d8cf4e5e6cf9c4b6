"""Filters over dimensions and records, compiled to SQL conditions."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias
from uuid import UUID

from api.errors import AccordError, ErrorCode
from api.metrics.dimensions import dimension_table
from api.metrics.request import RecordFilter, Where
from api.sql import Sql, all_of, join, name
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.kinds import Subject

DimensionValue: TypeAlias = Callable[[Dimension], Sql]  # the value of a dimension of the counted row
RecordCondition: TypeAlias = Callable[[RecordFilter], Sql]  # whether the record of the counted row passes a filter


def condition(where: Where, subject: Subject, value_of: DimensionValue, passes: RecordCondition) -> Sql | None:
    """The condition of a filter; None for a filter that tests nothing.

    Every part is true or false, never null, so that `none_of` is exact. `with_known_values` has checked the values.
    Errors: BAD_INPUT for an id of another table.
    """
    parts = [_test(dimension, values, subject, value_of) for dimension, values in where.tests]
    parts += [passes(records) for records in where.records]
    nested = partial(condition, subject=subject, value_of=value_of, passes=passes)
    parts += [found for part in where.all_of if (found := nested(part)) is not None]
    if where.any_of:
        # An alternative that tests nothing is true of every row.
        alternatives = (Sql("({})", nested(part) or Sql("true")) for part in where.any_of)
        parts.append(join(" or ", alternatives))
    parts += [Sql("not ({})", nested(part) or Sql("true")) for part in where.none_of]
    return all_of(parts) if parts else None


def _test(dimension: Dimension, values: tuple[str | None, ...], subject: Subject, value_of: DimensionValue) -> Sql:
    column, table = value_of(dimension), dimension_table(subject, dimension)
    given = [value for value in values if value is not None]
    alternatives = [Sql("{} is null", column)] if None in values else []
    if table is not None:
        alternatives += _test_records(dimension, given, column, table)
    elif given:
        alternatives.append(Sql("{} = any ({}::text[])", column, given))
    return Sql("({}) is true", join(" or ", alternatives)) if alternatives else Sql("false")


def _test_records(dimension: Dimension, given: list[str], column: Sql, table: str) -> list[Sql]:
    """Records are given by id or by name; several records may have the same name."""
    ids, names = [], []
    for value in given:
        record_id = record_id_of(dimension, value, table)
        if record_id is None:
            names.append(value)
        else:
            ids.append(record_id)
    alternatives = [Sql("{} = any ({}::uuid[])", column, ids)] if ids else []
    if names:
        alternatives.append(Sql("{} in (select id from {} where name = any ({}::text[]))", column, name(table), names))
    return alternatives


def record_id_of(dimension: Dimension, text: str, table: str) -> UUID | None:
    """Read an id, `campaign_0192…` or without the prefix; None for a text that is a name."""
    prefix, _, rest = text.rpartition("_")
    try:
        record_id = UUID(rest)
    except ValueError:
        return None
    if prefix not in ("", table):
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"'{text}' is no {table}, and the values of the dimension {dimension} are {table}s.",
            f"Give an id like {table}_0192…, or a name.",
        )
    return record_id
