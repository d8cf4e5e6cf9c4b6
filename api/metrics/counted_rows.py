"""The counted rows of a request: what a kind provides, and the same rows with dimension values and bucket.

A figure and the records behind it are read from the same rows, so a drill-down lists exactly what was counted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from api.metrics.columns import Aggregates
from api.metrics.dimensions import is_dated_by_version, key_name
from api.metrics.filtering.filter_conditions import condition
from api.metrics.filtering.record_filters import passes_record_filter
from api.metrics.journeys.row_dimensions import is_assumed_of, is_undated_of, joins_of, value_of
from api.metrics.resolved_request import ResolvedKpiRequest, dimensions_of
from api.sql import Sql, join
from schema.kpis.dimension_vocab import Dimension

EVERY_ROW = Sql("true")
_NO_TIE, _ONE = Sql("''"), Sql("1")


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedRows:
    """The counted rows `c` of a kind: one row per counted record, before anything is aggregated.

    - `rows` is a select with `contact_id` or `deal_id`, with `at` (the counted instant, never null, at which period,
      bucket and dimensions are judged), and with the columns that the other fields read.
    - `aggregates` are the measures over them.
    - `is_base` is true for the rows that n counts. `is_converted` is true for those that the numerator counts; None if
      the kind has no numerator, or one that counts no records.
    - `value` is what the row gives to the number, in its unit: an amount, a duration in seconds, or 1 for a count.
    - `is_negative`, in the population EXCLUDED, is true for deals that are left out for a negative amount; None if the
      kind counts these.
    - `tie` is a text that distinguishes rows of one record at one instant.
    - `is_assumed` is true for rows with values from an assumed history (`stands_on_assumption`); None if the kind reads
      no versions of its own.
    - `spread` is a number per row whose percentiles are returned.
    - `is_by_currency`: the rows have `unconverted_currency`, and figures are kept apart by it.
    - `has_parts`: buckets are not parts of the total (a state, or a person counted once in each bucket). Then the rows
      have `part`, the number of their bucket, or null for the total.
    """

    rows: Sql
    aggregates: Aggregates = field(default_factory=Aggregates)
    is_base: Sql = EVERY_ROW
    is_converted: Sql | None = None
    value: Sql = _ONE
    is_negative: Sql | None = None
    tie: Sql = _NO_TIE
    is_assumed: Sql | None = None
    spread: Sql | None = None
    is_by_currency: bool = False
    has_parts: bool = False


def reads_versions(request: ResolvedKpiRequest) -> bool:
    """Whether the filter or the breakdown of a request reads the history of its records."""
    return is_dated_by_version(request.kpi.subject, [*dimensions_of(request.where), *request.by])


def key_values(request: ResolvedKpiRequest) -> list[Sql]:
    """The values of the requested dimensions of the counted row `c`.

    With `top` they are null for a row that is in none of the kept groups, and a last one says whether it is not. Beside
    REJECT_REASON, other dimensions have their value for all rows that a kept group is a share of.
    """
    values = [value_of(request, dimension) for dimension in request.by]
    if not request.has_other:
        return values
    places = range(len(values))
    is_kept = _has_kept_values(request, values, places)
    shown = [Sql("case when {} then {} end", is_kept, value) for value in values]
    if Dimension.REJECT_REASON in request.by and len(values) > 1:
        # A reason is a share of all decisions with the same values of the other dimensions, so these keep them.
        reason = request.by.index(Dimension.REJECT_REASON)
        rest = [place for place in places if place != reason]
        is_beside_kept = _has_kept_values(request, values, rest)
        for place in rest:
            shown[place] = Sql("case when {} then {} end", is_beside_kept, values[place])
    return [*shown, Sql("not {}", is_kept)]


def _has_kept_values(request: ResolvedKpiRequest, values: Sequence[Sql], places: Sequence[int]) -> Sql:
    """Whether a kept group has the values of the row in these places of the keys."""
    kept = [[None if keys[place] is None else str(keys[place]) for keys in request.kept or ()] for place in places]
    names = [key_name(place + 1) for place in places]
    # No null is equal to anything, so that values are compared as quoted texts: that of a null is NULL without quotes.
    return Sql(
        "(({}) in (select {} from unnest({}) kept ({})))",
        join(", ", (Sql("quote_nullable(({})::text)", values[place]) for place in places)),
        join(", ", (Sql("quote_nullable(kept.{})", column) for column in names)),
        join(", ", (Sql("{}::text[]", column) for column in kept)),
        join(", ", names),
    )


def keyed_rows(
    request: ResolvedKpiRequest, rows: Sql, boundaries: tuple[datetime, ...], more: Iterable[Sql] = ()
) -> Sql:
    """The counted rows that meet the filter, with `key_1`, `key_2` (as many as requested), `bucket`, `is_undated`
    and `is_assumed`, which are about the versions that the dimensions of filter and breakdown read.

    Buckets count from 1; without boundaries they are null. `more` are further columns.
    """
    filtering = condition(
        request.row_filter, request.kpi.subject, partial(value_of, request), partial(passes_record_filter, request)
    )
    dimensions = [*dimensions_of(request.where), *request.by]
    keys = (Sql(", {} as {}", value, key_name(place)) for place, value in enumerate(key_values(request), start=1))
    # The boundaries are a bound array: finding the bucket is a binary search, and needs no join.
    bucket = Sql("width_bucket(c.at, {}::timestamptz[])", list(boundaries)) if boundaries else Sql("null::int")
    return Sql(
        "select c.*{}, {} as bucket, {} as is_undated, {} as is_assumed{} from ({}) c{}{}",
        join("", keys),
        bucket,
        is_undated_of(request, request.by),
        is_assumed_of(request, dimensions),
        join("", (Sql(", {}", column) for column in more)),
        rows,
        joins_of(request, dimensions),
        Sql(" where {}", filtering) if filtering is not None else Sql(""),
    )
