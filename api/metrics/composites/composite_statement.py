"""The one statement of a formula: its parts, each aggregated on its own, one below the other.

    rows of a part  ->  with dimension values and bucket  ->  aggregated by them  ->  numbered, under those before it

A part is aggregated before it meets another one, so none multiplies the rows of another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

from api.metrics.columns import Aggregates
from api.metrics.compile import UNCONVERTED, aggregates_of, by_groups, with_names
from api.metrics.counted_rows import CountedRows, keyed_rows
from api.metrics.journeys.journey_entries import journey_columns
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, join

# Percentiles, averages and largest values of the parts of a cell do not add up to those of the cell.
_NO_SUMS = ("slow", "percentiles", "mean", "most", "lengths", "waits")


@dataclass(frozen=True, slots=True)
class NumberedRows:
    """The counted rows of a part with its number, and the boundaries of the buckets that they are put into."""

    number: int
    counted: CountedRows
    boundaries: tuple[datetime, ...]


def composite_statement(request: ResolvedKpiRequest, parts: Sequence[NumberedRows]) -> Sql:
    """The statement that aggregates the counted rows of all parts.

    Shapes: one row per `part_number`, combination of keys, bucket and unconverted currency.
    """
    return with_names(request, join(" union all ", (_aggregated(request, part) for part in parts)))


def excluded_rows(request: ResolvedKpiRequest, parts: Sequence[CountedRows]) -> CountedRows:
    """The excluded deals that any part would count, each once."""
    rows = (
        Sql(
            "select c.deal_id, c.at, {} as is_negative{} from ({}) c where {}",
            Sql("false") if part.is_negative is None else part.is_negative,
            journey_columns(request, "c"),
            keyed_rows(request, part.rows, ()),
            part.is_base,
        )
        for part in parts
    )
    # Of two parts, the one that is not excluded for a negative amount alone.
    once = Sql(
        "select distinct on (p.deal_id) p.* from ({}) p order by p.deal_id, p.is_negative, p.at",
        join(" union all ", rows),
    )
    return CountedRows(rows=once, is_negative=Sql("c.is_negative"))


def _aggregated(request: ResolvedKpiRequest, numbered: NumberedRows) -> Sql:
    part = numbered.counted
    if part.has_parts:
        raise ValueError("a part of a formula names the buckets of its rows by their instants")
    source = Sql("({}) c", keyed_rows(request, part.rows, numbered.boundaries))
    aggregates = _padded(replace(aggregates_of(request, part), amount=_amount(part)))
    constants = [Sql("{}::int as part_number", numbered.number)]
    if part.is_by_currency:
        return by_groups(request, aggregates, source, numbered.boundaries, (UNCONVERTED,), tuple(constants))
    constants.append(Sql("null::text as unconverted_currency"))
    return by_groups(request, aggregates, source, numbered.boundaries, (), tuple(constants))


def _amount(part: CountedRows) -> Sql:
    """What the rows give, added up: of a duration too, so that its average is exact."""
    return part.aggregates.amount or Sql("sum(({})::numeric) filter (where {})", part.value, part.is_base)


def _padded(aggregates: Aggregates) -> Aggregates:
    """The measures that add up, all of them, so that the columns of every part are the same."""
    given = {measure.name: getattr(aggregates, measure.name) for measure in fields(aggregates)}
    empty = {name: Sql("null::timestamptz" if name == "updated_at" else "null::bigint") for name in given}
    added = {name: given[name] or empty[name] for name in given if name not in _NO_SUMS}
    return Aggregates(**added)
