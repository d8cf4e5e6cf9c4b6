"""A filter as SQL. Values are bound. A comparison with null is not true, and `not` turns what is not true.

A filter sees what its asker sees: a record that may not be seen is linked to nothing, neither by its fields nor by the
id in a link's column.
"""

from api.access.scoped_tables import ScopedTables, of
from api.plan.selection import Comparison, Condition, Every, Linked, Listed, Operator, Scalar, Some, Without
from api.sql import Sql, join, through
from schema.base import Link
from schema.tables import SHAPES

_SIGNS: dict[Operator, str] = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_SPECIAL = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def condition(visits: ScopedTables, wanted: Condition, table: str, alias: str) -> Sql:
    """The filter on a row of `table`, known as `alias` in the statement."""
    match wanted:
        case Every(parts):
            return _joined(visits, " and ", parts, table, alias) if parts else Sql("true")
        case Some(parts):
            return _joined(visits, " or ", parts, table, alias) if parts else Sql("false")
        case Without(part):
            return _unless(condition(visits, part, table, alias))
        case Linked():
            return _linked(visits, wanted, table, alias)
        case Listed():
            return _listed(visits, wanted, alias)
        case Comparison():
            return _compared(visits, wanted, table, alias)


def _joined(visits: ScopedTables, word: str, parts: tuple[Condition, ...], table: str, alias: str) -> Sql:
    return join(word, (Sql("({})", condition(visits, part, table, alias)) for part in parts))


def _unless(found: Sql) -> Sql:
    return Sql("({}) is not true", found)


# --------------------------------------------------------------------------------------------------------- links


def _linked(visits: ScopedTables, wanted: Linked, table: str, alias: str) -> Sql:
    link = SHAPES[table].column(wanted.column).link
    if link is None:
        raise ValueError(f"{table}.{wanted.column} is no link")
    return _exists(visits, link, alias, wanted.part)


def _exists(visits: ScopedTables, link: Link, owner: str, part: Condition) -> Sql:
    """That the linked record may be seen and matches."""
    alias = visits.alias()
    named = Sql("{} = {}", of(alias, "id"), of(owner, link.column))
    return Sql("exists (select{})", visits.source(link.target, alias, named, *_tests(visits, part, link.target, alias)))


def _listed(visits: ScopedTables, wanted: Listed, owner: str) -> Sql:
    alias = visits.alias()
    naming = Sql("{} = {}", of(alias, wanted.column), of(owner, "id"))
    tests = _tests(visits, wanted.part, wanted.table, alias)
    if wanted.quantifier == "every":
        tests = [_unless(test) for test in tests] or [Sql("false")]
    source = visits.source(wanted.table, alias, naming, *tests)
    return Sql("exists (select{})" if wanted.quantifier == "some" else "not exists (select{})", source)


def _tests(visits: ScopedTables, part: Condition, table: str, alias: str) -> list[Sql]:
    return [] if part == Every(()) else [condition(visits, part, table, alias)]


# --------------------------------------------------------------------------------------------------- comparisons


def _compared(visits: ScopedTables, wanted: Comparison, table: str, alias: str) -> Sql:
    link = SHAPES[table].column(wanted.column).link
    found = tested(wanted.operator, wanted.value, of(alias, wanted.column))
    if link is None or not visits.hides_rows(link.target):
        return found
    seen = _exists(visits, link, alias, Every(()))
    if wanted.operator == "isNull":
        return Sql("not {}", seen) if wanted.value else seen
    return Sql("{} and {}", found, seen)


def tested(operator: Operator, operand: Scalar | tuple[Scalar, ...], value: Sql) -> Sql:
    """The test of a value, whatever it is the value of."""
    match operator:
        case "isNull":
            return Sql("{} is null" if operand else "{} is not null", value)
        case "in":
            return Sql("{} = any({})", value, operand)
        case "contains":
            return Sql("{} ilike {}", value, through(operand, _somewhere))
        case "startsWith":
            return Sql("{} ilike {}", value, through(operand, _at_the_start))
        case sign:
            return Sql(f"{{}} {_SIGNS[sign]} {{}}", value, operand)


def _somewhere(text: object) -> str:
    return f"%{_at_the_start(text)}"


def _at_the_start(text: object) -> str:
    return f"{str(text).translate(_SPECIAL)}%"
