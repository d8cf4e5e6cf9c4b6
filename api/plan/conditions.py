"""A filter as SQL. Values are bound. A comparison with null is not true, and `not` turns what is not true."""

from api.plan.selection import Comparison, Condition, Every, Operator, Some, Without
from api.sql import Sql, join, name, through

_SIGNS: dict[Operator, str] = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_SPECIAL = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def condition(wanted: Condition, row: Sql) -> Sql:
    """The filter on the columns of `row`."""
    match wanted:
        case Every(parts):
            return _joined(" and ", parts, row) if parts else Sql("true")
        case Some(parts):
            return _joined(" or ", parts, row) if parts else Sql("false")
        case Without(part):
            return Sql("({}) is not true", condition(part, row))
        case Comparison():
            return _comparison(wanted, Sql("{}.{}", row, name(wanted.column)))


def _joined(word: str, parts: tuple[Condition, ...], row: Sql) -> Sql:
    return join(word, (Sql("({})", condition(part, row)) for part in parts))


def _comparison(wanted: Comparison, column: Sql) -> Sql:
    match wanted.operator:
        case "isNull":
            return Sql("{} is null" if wanted.value else "{} is not null", column)
        case "in":
            return Sql("{} = any({})", column, wanted.value)
        case "contains":
            return Sql("{} ilike {}", column, through(wanted.value, _somewhere))
        case operator:
            return Sql(f"{{}} {_SIGNS[operator]} {{}}", column, wanted.value)


def _somewhere(text: object) -> str:
    return f"%{str(text).translate(_SPECIAL)}%"
