"""The field leaf: conditions on the columns of a contact, or of its company, as they were at each instant.

A contact's time is cut into pieces in which the columns that the rule reads do not change: one for each version row,
and one for each gap without a version row, in which every value is unknown. A piece is fresh if one of these columns
differs from the piece before.
"""

from uuid import UUID

from api.funnel.lifetimes import VisibleFacts
from api.funnel.normal_form import FieldConditions, FieldConjunction, FieldDisjunction, FieldTest, FieldTree
from api.sql import Sql, join, name
from schema.clauses.rules import FieldIs
from schema.tables import SHAPES

_SIGNS = {"eq": "=", "ne": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


def field_events(number: int, leaf: FieldConditions, facts: VisibleFacts) -> Sql:
    """Select the events of one field leaf: +1 where a piece that holds begins, -1 where it ends.

    A piece that does not hold still counts where it is fresh, because another leaf may hold there.
    """
    columns = leaf.columns
    listed = ", ".join(columns)
    changed = " or ".join(f"lag({column}) over w is distinct from {column}" for column in columns)
    # Events of pieces that neither hold nor are fresh are dropped here, before the sweep sorts them: most version rows
    # are changes of columns that the rule does not read.
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
        _condition(leaf.tree),
        _pieces(leaf, facts),
        facts.as_of,
    )


def field_intervals(leaf: FieldConditions, facts: VisibleFacts) -> Sql:
    """Select the intervals in which the conditions hold, whether fresh or not."""
    columns = ", ".join(leaf.columns)
    # Conditions that unknown values never satisfy need no pieces for the gaps, which are costly to find.
    pieces = _pieces(leaf, facts) if _holds_unknown(leaf.tree) else _known_pieces(leaf, facts)
    return Sql(
        f"select contact_id, starts_at, ends_at as until from ({{}}) p (contact_id, starts_at, ends_at, {columns})"
        " where {}",
        pieces,
        _condition(leaf.tree),
    )


def _pieces(leaf: FieldConditions, facts: VisibleFacts) -> Sql:
    """Select the pieces of each contact's time, gaps included."""
    return (_contact_pieces if leaf.table == "contact" else _company_pieces)(leaf.columns, facts)


def _known_pieces(leaf: FieldConditions, facts: VisibleFacts) -> Sql:
    """Select only the pieces that have a version row."""
    if leaf.table == "contact":
        return _versions("contact", leaf.columns, facts)
    values = join("", (Sql(f", y.{column}") for column in leaf.columns))
    return Sql(
        """select c.id, greatest(c.starts_at, y.starts_at), least(c.ends_at, y.ends_at){}
from ({}) c join ({}) y on y.id = c.company_id and y.starts_at < c.ends_at and y.ends_at > c.starts_at""",
        values,
        _versions("contact", ("company_id",), facts),
        _versions("company", leaf.columns, facts),
    )


def _versions(table: str, columns: tuple[str, ...], facts: VisibleFacts) -> Sql:
    """Select the version rows of a table, except those that end before they start and therefore never held."""
    # Rows are limited by their start only; a later end does no harm, because events after `as_of` are dropped.
    listed = "".join(f", {column}" for column in columns)
    return Sql(
        f"""select {table}_id as id, coalesce(valid_from, recorded_at) as starts_at,
  coalesce(valid_to, 'infinity') as ends_at{listed}
from {table}_version
where coalesce(valid_from, recorded_at) < coalesce(valid_to, 'infinity')
  and coalesce(valid_from, recorded_at) <= {{}} and {{}}""",
        facts.as_of,
        facts.among("contact_id") if table == "contact" else facts.among_companies("company_id"),
    )


def _timeline(table: str, columns: tuple[str, ...], beginning: Sql, facts: VisibleFacts) -> Sql:
    """Select the pieces of each record's time: its version rows, the gaps behind them, and the gap before the first.

    `beginning` selects (id, starts_at, first_at): from when the time of a record counts, and its first version row.
    """
    unknown = "".join(f", null::{_sql_type(table, column)}" for column in columns)
    listed = "".join(f", {column}" for column in columns)
    # Gaps become rows with typed nulls, because `is_null` holds in them, and because a value that becomes unknown is a
    # change like any other.
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
        _versions(table, columns, facts),
        beginning,
    )


def _contact_pieces(columns: tuple[str, ...], facts: VisibleFacts) -> Sql:
    """Select a contact's pieces. The lifetime of a merged person may begin before the survivor's first version row."""
    beginning = Sql(
        "select l.contact_id as id, l.starts_at, min(h.starts_at) as first_at"
        " from funnel_lifetime l join held h on h.id = l.contact_id group by 1, 2"
    )
    return _timeline("contact", columns, beginning, facts)


def _company_pieces(columns: tuple[str, ...], facts: VisibleFacts) -> Sql:
    """Select the pieces of a contact's time in which neither its company nor the company's values change."""
    # A company has no lifetime of its own: before its first version row its values are unknown, since ever.
    beginning = Sql(
        "select id, '-infinity'::timestamptz as starts_at, min(starts_at) as first_at from held group by id"
    )
    values = join("", (Sql(f", y.{column}") for column in columns))
    # A left join: a contact without a company, or with one that has no version row, keeps its pieces with nulls.
    return Sql(
        """with person as ({}), company_time as ({})
select c.id, greatest(c.starts_at, y.starts_at), least(c.ends_at, y.ends_at){}
from person c
left join company_time y on y.id = c.company_id and y.starts_at < c.ends_at and y.ends_at > c.starts_at""",
        _contact_pieces(("company_id",), facts),
        _timeline("company", columns, beginning, facts),
        values,
    )


def _holds_unknown(tree: FieldTree) -> bool:
    """Whether the conditions hold when every value is unknown."""
    match tree:
        case FieldTest(field=test, is_negated=is_negated):
            return (test.op == "is_null" and test.value is True) != is_negated
        case FieldConjunction(parts=parts):
            return all(_holds_unknown(part) for part in parts)
        case FieldDisjunction(parts=parts):
            return any(_holds_unknown(part) for part in parts)


def _condition(tree: FieldTree) -> Sql:
    """Return one boolean over a piece, never null: a null value satisfies nothing but `is_null`."""
    if isinstance(tree, FieldTest):
        return Sql("({}) is not true" if tree.is_negated else "({}) is true", _comparison(tree.field))
    word = " and " if isinstance(tree, FieldConjunction) else " or "
    return join(word, (Sql("({})", _condition(part)) for part in tree.parts))


def _comparison(test: FieldIs) -> Sql:
    column = name(test.column)
    kind = _sql_type(test.table, test.column)
    if test.op == "is_null":
        return Sql("{} is null" if test.value else "{} is not null", column)
    if isinstance(test.value, tuple):
        return Sql(f"{{}} = any({{}}::{kind}[])", column, [_bound(value, kind) for value in test.value])
    return Sql(f"{{}} {_SIGNS[test.op]} {{}}::{kind}", column, _bound(test.value, kind))


def _bound(value: object, kind: str) -> object:
    return UUID(str(value)) if kind == "uuid" else value


def _sql_type(table: str, column: str) -> str:
    kind = SHAPES[table].column(column).python.__name__
    return {"int": "int", "Decimal": "numeric", "bool": "boolean", "UUID": "uuid"}.get(kind, "text")
