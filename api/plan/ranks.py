"""The rank of values whose alphabetical order means nothing: words of a vocabulary, stages of funnels and pipelines."""

from api.access.scoped_tables import ScopedTables, qualified
from api.plan.value_checks.known_values import CLOSED_COLUMNS, STAGES
from api.sql import Sql, join
from schema.base import ColumnShape
from schema.tables import SHAPES
from schema.vocab import Currency, Vocabulary

_RANK = "rank"
# The stages of the accord in force, from the lowest. An uncorrelated subquery: PostgreSQL runs it once per statement.
_STAGES = Sql(
    "array(select step.value ->> 'key' from accord_version agreed,"
    " jsonb_array_elements(coalesce(agreed.body::jsonb -> 'stages', '[]'::jsonb)) with ordinality step (value, rank)"
    " where agreed.status = 'ACTIVE' order by step.rank)"
)


def ranked_words(column: ColumnShape) -> type[Vocabulary] | None:
    """Return the vocabulary whose order the values of a column have; None if they have another one.

    Currencies are ordered by their codes.
    """
    return None if column.note.vocab is Currency else column.note.vocab


def position_in(words: type[Vocabulary], value: Sql) -> Sql:
    """Return the position of a word in the order in which its vocabulary declares the words, from 1.

    Shapes: a vocabulary, a text expression -> an integer expression; null for a null.
    """
    declared = join(", ", (Sql(f"'{word.value}'") for word in words))
    return Sql("array_position(array[{}], {})", declared, value)


def rank_of(tables: ScopedTables, table: str, column: ColumnShape, value: Sql) -> Sql | None:
    """Return what values of a column rank by; None if they have no rank but their own order.

    Words rank as declared, stages of the funnel as in the accord in force, and linked records with a rank by the record
    that they belong to, oldest first, and by that rank.

    Shapes: a column, an expression of its values -> an expression to sort by; null for a value without a rank.
    """
    words = ranked_words(column)
    if words is not None:
        return position_in(words, value)
    if CLOSED_COLUMNS.get((table, column.name)) is STAGES:
        return Sql("array_position({}, {})", _STAGES, value)
    target = None if column.link is None else SHAPES[column.link.target]
    if target is None or all(other.name != _RANK for other in target.columns) or not target.has_id:
        return None
    alias = tables.new_alias()
    owners = (qualified(alias, link.column) for link in target.links)
    ranks = join(", ", (*owners, qualified(alias, _RANK)))
    row = tables.from_clause(target.name, alias, Sql("{} = {}", qualified(alias, "id"), value), with_merged=True)
    return Sql("(select row({}){})", ranks, row)
