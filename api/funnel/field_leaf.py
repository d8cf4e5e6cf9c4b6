"""The field leaf: conditions on a contact, or on its company, as they were.

A contact's time is cut into pieces in which the read values stand still: version rows, and stretches without one, in
which every value is unknown. A piece whose read values differ from those of the piece before is a fresh fact.
"""

from uuid import UUID

from api.funnel.lifetimes import VisibleFacts
from api.funnel.normal_form import FieldConditions, FieldConjunction, FieldDisjunction, FieldTest, FieldTree
from api.sql import Sql, join, name
from schema.accord import FieldIs
from schema.tables import SHAPES

_SIGNS = {"eq": "=", "ne": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


def field_rows(number: int, what: FieldConditions, seen: VisibleFacts) -> Sql:
    """Rows of the stream for one field leaf."""
    columns = what.columns
    listed = ", ".join(columns)
    changed = " or ".join(f"lag({each}) over w is distinct from {each}" for each in columns)
    return Sql(
        f"""select x.contact_id, e.moment, {{}}::int as leaf, e.d, e.fresh, false as runs_out
from (
  select contact_id, starts_at, ends_at, ({{}})::int as holds,
    lag(ends_at) over w is distinct from starts_at or {changed} as fresh
  from ({{}}) p (contact_id, starts_at, ends_at, {listed})
  window w as (partition by contact_id order by starts_at, ends_at)
) x cross join lateral (values (starts_at, holds, fresh), (ends_at, -holds, false)) e (moment, d, fresh)
where (e.d <> 0 or e.fresh) and e.moment <= {{}}""",
        number,
        _condition(what.tree),
        _pieces(what, seen),
        seen.as_of,
    )


def field_intervals(what: FieldConditions, seen: VisibleFacts) -> Sql:
    """Return the stretches in which the conditions hold, fresh or not. Where unknown values never do, rows suffice."""
    columns = ", ".join(what.columns)
    pieces = _pieces(what, seen) if _holds_unknown(what.tree) else _known_pieces(what, seen)
    return Sql(
        f"select contact_id, starts_at, ends_at as until from ({{}}) p (contact_id, starts_at, ends_at, {columns})"
        " where {}",
        pieces,
        _condition(what.tree),
    )


def _pieces(what: FieldConditions, seen: VisibleFacts) -> Sql:
    """Return a contact's time, cut where a value that is read may change."""
    return (_contact_pieces if what.table == "contact" else _company_pieces)(what.columns, seen)


def _known_pieces(what: FieldConditions, seen: VisibleFacts) -> Sql:
    """Return only the pieces with version rows behind them."""
    if what.table == "contact":
        return _held("contact", what.columns, seen)
    values = join("", (Sql(f", y.{each}") for each in what.columns))
    return Sql(
        """select c.id, greatest(c.starts_at, y.starts_at), least(c.ends_at, y.ends_at){}
from ({}) c join ({}) y on y.id = c.company_id and y.starts_at < c.ends_at and y.ends_at > c.starts_at""",
        values,
        _held("contact", ("company_id",), seen),
        _held("company", what.columns, seen),
    )


def _held(table: str, columns: tuple[str, ...], seen: VisibleFacts) -> Sql:
    """Return the version rows of a table that ever held."""
    listed = "".join(f", {each}" for each in columns)
    return Sql(
        f"""select {table}_id as id, coalesce(valid_from, recorded_at) as starts_at,
  coalesce(valid_to, 'infinity') as ends_at{listed}
from {table}_version
where coalesce(valid_from, recorded_at) < coalesce(valid_to, 'infinity')
  and coalesce(valid_from, recorded_at) <= {{}}""",
        seen.as_of,
    )


def _timeline(table: str, columns: tuple[str, ...], beginning: Sql, seen: VisibleFacts) -> Sql:
    """Return the pieces of each record's time: its version rows, and the stretches between and before them."""
    unknown = "".join(f", null::{_sql_type(table, each)}" for each in columns)
    listed = "".join(f", {each}" for each in columns)
    return Sql(
        f"""with held as ({{}})
select id, starts_at, ends_at{listed} from held
union all
select id, ends_at, next_at{unknown}
from (
  select id, ends_at,
    coalesce(lead(starts_at) over (partition by id order by starts_at, ends_at), 'infinity') as next_at
  from held
) g
where ends_at < next_at
union all
select b.id, b.starts_at, b.first_at{unknown} from ({{}}) b where b.starts_at < b.first_at""",
        _held(table, columns, seen),
        beginning,
    )


def _contact_pieces(columns: tuple[str, ...], seen: VisibleFacts) -> Sql:
    """Return a contact's pieces; a merged life may begin before the survivor's own first row."""
    beginning = Sql(
        "select l.contact_id as id, l.starts_at, min(h.starts_at) as first_at"
        " from funnel_life l join held h on h.id = l.contact_id group by 1, 2"
    )
    return _timeline("contact", columns, beginning, seen)


def _company_pieces(columns: tuple[str, ...], seen: VisibleFacts) -> Sql:
    """Return the pieces of a contact's time in which its company, and the company's values, stand still."""
    beginning = Sql(
        "select id, '-infinity'::timestamptz as starts_at, min(starts_at) as first_at from held group by id"
    )
    values = join("", (Sql(f", y.{each}") for each in columns))
    return Sql(
        """with person as ({}), company_life as ({})
select c.id, greatest(c.starts_at, y.starts_at), least(c.ends_at, y.ends_at){}
from person c
left join company_life y on y.id = c.company_id and y.starts_at < c.ends_at and y.ends_at > c.starts_at""",
        _contact_pieces(("company_id",), seen),
        _timeline("company", columns, beginning, seen),
        values,
    )


def _holds_unknown(tree: FieldTree) -> bool:
    """Whether the conditions hold where every value is unknown."""
    match tree:
        case FieldTest(field=test, is_negated=is_negated):
            return (test.op == "is_null" and test.value is True) != is_negated
        case FieldConjunction(parts=parts):
            return all(_holds_unknown(part) for part in parts)
        case FieldDisjunction(parts=parts):
            return any(_holds_unknown(part) for part in parts)


def _condition(tree: FieldTree) -> Sql:
    """Return one boolean over a piece; null satisfies nothing but `is_null`."""
    if isinstance(tree, FieldTest):
        return Sql("({}) is not true" if tree.is_negated else "({}) is true", _test(tree.field))
    word = " and " if isinstance(tree, FieldConjunction) else " or "
    return join(word, (Sql("({})", _condition(part)) for part in tree.parts))


def _test(test: FieldIs) -> Sql:
    column = name(test.column)
    kind = _sql_type(test.table, test.column)
    if test.op == "is_null":
        return Sql("{} is null" if test.value else "{} is not null", column)
    if isinstance(test.value, tuple):
        return Sql(f"{{}} = any({{}}::{kind}[])", column, [_bound(each, kind) for each in test.value])
    return Sql(f"{{}} {_SIGNS[test.op]} {{}}::{kind}", column, _bound(test.value, kind))


def _bound(value: object, kind: str) -> object:
    return UUID(str(value)) if kind == "uuid" else value


def _sql_type(table: str, column: str) -> str:
    kind = SHAPES[table].column(column).python.__name__
    return {"int": "int", "Decimal": "numeric", "bool": "boolean", "UUID": "uuid"}.get(kind, "text")
