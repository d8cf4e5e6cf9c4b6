"""Compile the counted rows of a request into its one SQL statement.

    counted rows  ->  with dimension values and bucket  ->  aggregated  ->  with the names of keys that are ids

Rows are aggregated before a name is looked up. Counts and amounts add up: they are grouped once by keys and bucket, and
totals are sums of these groups. Percentiles do not add up, so a statement with percentiles has grouping sets.

The columns of every statement are those of `StatementRow`: `key_1`, `key_2` (as many as dimensions were requested, and
with `top` one more, which is true for the group Other), `bucket`, the measures, and `label_1`, `label_2` for keys that
are ids.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from api.metrics.columns import Aggregates, count_where, percentiles_of
from api.metrics.counted_rows import CountedRows, keyed_rows, reads_versions
from api.metrics.day_sums.sum_statements import computed_sums, read_sums
from api.metrics.day_sums.summed_rows import SumsStored
from api.metrics.dimensions import dimension_table, is_dated_by_version, key_name
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, join, name

UNCONVERTED = Sql("c.unconverted_currency")


def statement(request: ResolvedKpiRequest, counted: CountedRows, boundaries: tuple[datetime, ...]) -> Sql:
    """The statement that aggregates the counted rows; `boundaries` are those of the buckets, or empty.

    Shapes: one row per combination of keys and bucket; with percentiles, one per grouping set.
    """
    aggregates = aggregates_of(request, counted)
    if counted.spread is not None:
        aggregates = replace(aggregates, percentiles=percentiles_of(counted.spread))
    apart = (UNCONVERTED,) if counted.is_by_currency else ()
    if counted.has_parts:
        return with_names(request, _by_part(request, aggregates, keyed_rows(request, counted.rows, ()), apart))
    rows = keyed_rows(request, counted.rows, boundaries)
    if counted.spread is not None:
        return with_names(request, by_sets(request, aggregates, Sql("({}) c", rows), boundaries, apart))
    return with_names(request, by_groups(request, aggregates, Sql("({}) c", rows), boundaries, apart))


def aggregates_of(request: ResolvedKpiRequest, counted: CountedRows) -> Aggregates:
    """The measures of the counted rows, with those that the dimensions of the request need."""
    aggregates = counted.aggregates
    if is_dated_by_version(request.kpi.subject, request.by):
        aggregates = replace(aggregates, undated=count_where(Sql("c.is_undated")))
    if counted.is_assumed is not None or reads_versions(request):
        tests = [Sql("c.is_assumed"), *([] if counted.is_assumed is None else [counted.is_assumed])]
        is_assumed = Sql("{} and ({})", counted.is_base, join(" or ", tests))
        aggregates = replace(aggregates, assumed=count_where(is_assumed))
    return aggregates


def by_groups(
    request: ResolvedKpiRequest,
    aggregates: Aggregates,
    source: Sql,
    boundaries: tuple[datetime, ...],
    apart: tuple[Sql, ...] = (),
    constants: tuple[Sql, ...] = (),
) -> Sql:
    """Aggregate once by keys, bucket and the columns of `apart`: for measures that add up.

    `constants` are further columns, which are the same in every row. The source has the rows without day sums alone, if
    the request reads these; the two add up.
    """
    if isinstance(request.sums, SumsStored):
        return computed_sums(aggregates, request.key_count, source, apart)
    keys = key_columns(request)
    rows = Sql(
        "select {}c.bucket{} from {} group by {}c.bucket",
        keys,
        _select_list(aggregates, (*constants, *apart)),
        source,
        keys + join("", (Sql("{}, ", column) for column in apart)),
    )
    if request.sums is None:
        return rows
    summed = read_sums(
        request.sums,
        request.context.evaluation,
        aggregates,
        boundaries,
        id_keys=tuple(dimension_table(request.kpi.subject, dimension) is not None for dimension in request.by),
        is_by_currency=bool(apart),
        splits_at=None if request.window is None else request.horizon - request.window,
    )
    return summed if request.sums.is_complete else Sql("{} union all {}", summed, rows)


def by_sets(
    request: ResolvedKpiRequest,
    aggregates: Aggregates,
    source: Sql,
    boundaries: tuple[datetime, ...],
    apart: tuple[Sql, ...] = (),
    *,
    is_kept: bool = False,
) -> Sql:
    """Aggregate by several sets of columns: for measures that do not add up, such as percentiles.

    The sets are the total, every combination of keys, every bucket, and both. What is kept apart is in all of them.
    `is_kept` says that the source reads rows that the statement has computed already.
    """
    if request.reads_journeys:
        how = "not materialized" if is_kept else "materialized"  # several selects read it
        counted = Sql(f"with counted as {how} (select * from {{}})", source)
        # The caller's statement may have a WITH of its own, and one statement cannot have two.
        return Sql("select * from ({} {}) every_set", counted, _of_every_set(request, aggregates, boundaries, apart))
    # Two keys are in a set together or not at all, so grouping(key_1) is enough to recognize a total over keys.
    keys = [Sql("c.{}", key_name(place)) for place in range(1, request.key_count + 1)]
    sets = [[*apart]] if not keys else [[*apart], [*apart, *keys]]
    if boundaries:
        sets += [[*columns, Sql("c.bucket")] for columns in sets]
    return Sql(
        "select {}{}, {}{} from {} group by grouping sets ({})",
        key_columns(request),
        Sql("grouping(c.key_1) = 1 as is_all_keys" if request.by else "true as is_all_keys"),
        Sql(
            "c.bucket, grouping(c.bucket) = 1 as is_all_buckets"
            if boundaries
            else "null::int as bucket, true as is_all_buckets"
        ),
        _select_list(aggregates, apart),
        source,
        join(", ", (Sql("({})", join(", ", columns)) for columns in sets)),
    )


def in_order_of_groups(request: ResolvedKpiRequest) -> Sql:
    """The order of kept rows in which the two finest sets of `by_sets` need no sort of their own."""
    return Sql(" order by {}bucket", join("", (Sql("{}, ", key_name(n)) for n in range(1, request.key_count + 1))))


def _of_every_set(
    request: ResolvedKpiRequest, aggregates: Aggregates, boundaries: tuple[datetime, ...], apart: tuple[Sql, ...]
) -> Sql:
    """Aggregate `counted` by a select for each set: tables that are distributed over machines have no grouping sets.

    Each set is sorted by short columns alone, which also takes less time. The finest set is the first one: it gives
    the union the types of the keys.
    """
    keys = [key_name(place) for place in range(1, request.key_count + 1)]
    selects = []
    for has_keys in (True, False) if keys else (False,):
        for has_bucket in (True, False) if boundaries else (False,):
            columns = [*apart, *(Sql("c.{}", key) for key in keys if has_keys), *([Sql("c.bucket")] * has_bucket)]
            shown = (Sql("c.{}, " if has_keys else "null as {}, ", key) for key in keys)
            selects.append(
                Sql(
                    "select {}{} as is_all_keys, {}, {} as is_all_buckets{} from counted c{}",
                    join("", shown),
                    Sql("false" if has_keys else "true"),
                    Sql("c.bucket" if has_bucket else "null::int as bucket"),
                    Sql("false" if has_bucket else "true"),
                    _select_list(aggregates, apart),
                    Sql(" group by {}", join(", ", columns)) if columns else Sql(""),
                )
            )
    return join(" union all ", selects)


def _by_part(request: ResolvedKpiRequest, aggregates: Aggregates, rows: Sql, apart: tuple[Sql, ...]) -> Sql:
    """Aggregate by the part that the rows name and the columns of `apart`: buckets are not parts of the total."""
    keys = [Sql("c.{}", key_name(place)) for place in range(1, request.key_count + 1)]
    if request.reads_journeys:
        return _by_part_of_journeys(request, aggregates, rows, apart)
    return Sql(
        "select {}{} as is_all_keys, c.part as bucket, c.part is null as is_all_buckets{} from ({}) c"
        " group by grouping sets (({}){})",
        key_columns(request),
        Sql("grouping({}) = 1", keys[0]) if keys else Sql("true"),
        _select_list(aggregates, apart),
        rows,
        join(", ", (Sql("c.part"), *apart)),
        Sql(", ({})", join(", ", (Sql("c.part"), *apart, *keys))) if keys else Sql(""),
    )


def _by_part_of_journeys(request: ResolvedKpiRequest, aggregates: Aggregates, rows: Sql, apart: tuple[Sql, ...]) -> Sql:
    """The same by a select for each set. The finest set is the first one: it gives the union the types of the keys."""
    keys = [key_name(place) for place in range(1, request.key_count + 1)]
    selects = [
        Sql(
            "select {}{} as is_all_keys, c.part as bucket, c.part is null as is_all_buckets{} from counted c"
            " group by {}",
            join("", (Sql("c.{}, " if has_keys else "null as {}, ", key) for key in keys)),
            Sql("false" if has_keys else "true"),
            _select_list(aggregates, apart),
            join(", ", (Sql("c.part"), *apart, *(Sql("c.{}", key) for key in keys if has_keys))),
        )
        for has_keys in ((True, False) if keys else (False,))
    ]
    every_set = join(" union all ", selects)
    return Sql("select * from (with counted as materialized ({}) {}) every_set", rows, every_set)


def key_columns(request: ResolvedKpiRequest, row: str = "c") -> Sql:
    """The key columns of a counted row, each followed by a comma; empty if no dimension was requested."""
    places = range(1, request.key_count + 1)
    return join("", (Sql("{}.{}, ", name(row), key_name(place)) for place in places))


def with_names(request: ResolvedKpiRequest, aggregate: Sql) -> Sql:
    """Add the names of keys that are ids.

    Most of the tables they are in belong to nobody, so that every principal sees them. Keys of companies are only those
    within the principal's reach.
    """
    if isinstance(request.sums, SumsStored):
        return aggregate
    # Joined after the aggregate: a name is looked up once per group, not once per row.
    labels, sources = [], []
    for place, dimension in enumerate(request.by, start=1):
        table = dimension_table(request.kpi.subject, dimension)
        if table is not None:
            row = name(f"k{place}")
            labels.append(Sql(", {}.name as {}", row, name(f"label_{place}")))
            sources.append(Sql(" left join {} {} on {}.id = a.{}", name(table), row, row, key_name(place)))
    if not labels:
        return aggregate
    return Sql("select a.*{} from ({}) a{}", join("", labels), aggregate, join("", sources))


def _select_list(aggregates: Aggregates, apart: Iterable[Sql]) -> Sql:
    """What is kept apart and the measures, each preceded by a comma."""
    return join("", (Sql(", {}", column) for column in (*apart, *aggregates.columns())))
