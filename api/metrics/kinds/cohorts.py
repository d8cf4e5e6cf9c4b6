"""Statements of cohorts: the people who entered a stage in the period, followed until they convert or `asOf`."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from api.metrics.columns import COUNT_ALL, Aggregates, count_where, percentiles_of
from api.metrics.compile import by_groups, by_sets, in_order_of_groups, with_names
from api.metrics.counted_rows import keyed_rows
from api.metrics.day_sums.summed_rows import SummedRows, SumsStored, SumUnit
from api.metrics.kinds.stage_entries import elapsed
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, join

SHARE = Aggregates(
    n=COUNT_ALL,
    numerator=Sql("count(c.took)"),
    implied=count_where(Sql("c.is_implied")),
    undated=count_where(Sql("c.is_undated")),
    assumed=count_where(Sql("c.is_assumed")),
)
# Rows that skipped a stage have `is_skipped` and no `took`: they are counted beside the durations, not among them.
DURATION = Aggregates(
    n=Sql("count(c.took)"),
    skipped=count_where(Sql("c.is_skipped")),
    implied=count_where(Sql("c.is_implied and c.took is not null")),
    undated=count_where(Sql("c.is_undated")),
    assumed=count_where(Sql("c.is_assumed and c.took is not null")),
    percentiles=percentiles_of(Sql("c.took")),
    # The average of whole microseconds is exact, in whatever order the rows are read.
    mean=Sql("(avg((c.took * 1000000)::bigint) / 1000000)::double precision"),
)

# Of sums, which cannot have percentiles: from the lists follow the percentiles of all of them.
_LENGTHS = Sql("array_agg((c.took * 1000000)::bigint order by c.took) filter (where c.took is not null)")
_INSTANTS = Sql("array_agg((extract(epoch from c.at) * 1000000)::bigint order by c.at)")
_WAITS = Sql("{} filter (where c.is_waiting)", _INSTANTS)
_CONVERSIONS = Sql("{} filter (where c.took is not null)", _INSTANTS)
TOOK = Sql("extract(epoch from c.target_at - c.at)")  # of a row that converted, in seconds
SECONDS = Sql("{}::double precision", TOOK)


def summed_cohort(request: ResolvedKpiRequest, aggregates: Aggregates) -> SummedRows | None:
    """What the sums of a cohort are of. Without a window of its own, how long people convert follows from them all."""
    if request.windows:
        return None
    if request.window is None or aggregates.percentiles is not None:
        return SummedRows(SumUnit.MONTH, "journey", request.stages[:1])
    return SummedRows(SumUnit.DAY, "journey", request.stages[:1], split_at=request.horizon - request.window)


def converts(request: ResolvedKpiRequest) -> Sql:
    """The condition that the cohort row `c` converted in time. The last instant of a window is part of it."""
    if request.windows:
        # A version without a window gives null, and then any later instant is in time.
        return Sql("coalesce(c.target_at <= {}, c.target_at is not null)", _window_end(request.windows))
    if request.window is None:
        return Sql("c.target_at is not null")
    return Sql("coalesce(c.target_at <= c.at + {}, false)", elapsed(request.window))


def is_window_open(request: ResolvedKpiRequest) -> Sql:
    """The condition that the window of the cohort row `c` is not over. Errors: ValueError without a window."""
    if request.windows:
        return Sql("coalesce({} >= {}, true)", _window_end(request.windows), request.horizon)
    if request.window is None:
        raise ValueError("a request without a window")
    return Sql("c.at + {} >= {}", elapsed(request.window), request.horizon)


def with_took(request: ResolvedKpiRequest) -> Sql:
    """The column `took` of the cohort row `c`: the seconds to its conversion; null if it did not convert in time."""
    return Sql("case when {} then {} end as took", converts(request), SECONDS)


def _window_end(windows: Iterable[tuple[UUID, timedelta | None]]) -> Sql:
    """The last instant of the window of the version that judged the row `c`; null without a window."""
    cases = (
        Sql(" when {}::uuid then c.at + {}", version, elapsed(window))
        for version, window in windows
        if window is not None
    )
    return Sql("case c.accord_version_id{} end", join("", cases))


def cohort_statement(
    request: ResolvedKpiRequest,
    rows: Sql,
    boundaries: tuple[datetime, ...],
    aggregates: Aggregates,
    *,
    is_always_open: bool = False,
    counts_mature: bool = False,
) -> Sql:
    """The statement of a cohort; rows are `contact_id, at, is_implied, target_at, may_convert`, of times `is_skipped`.

    `waiting` counts the rows that have not converted and still can: with a window those that are within it, without
    one those that are younger than the time within which 90 % of the converted converted, or with `is_always_open` all.
    With `counts_mature`, `mature` counts the rows that are older than that, whether or not they converted.
    Units: `took` in seconds.
    """
    # `took` is null for rows that did not convert: count(took), percentiles and averages skip nulls.
    converted = converts(request)
    is_waiting = Sql("c.may_convert and not {} as is_waiting", converted)
    followed = keyed_rows(request, rows, boundaries, (with_took(request), is_waiting))
    if isinstance(request.sums, SumsStored) or (request.sums is not None and request.sums.unit is SumUnit.MONTH):
        listed = replace(aggregates, percentiles=None, mean=None, waits=_WAITS)
        if request.sums.unit is SumUnit.MONTH:
            listed = replace(listed, lengths=_LENGTHS)
            if counts_mature:
                listed = replace(listed, entries=_INSTANTS, conversions=_CONVERSIONS)
        return with_names(request, by_groups(request, listed, Sql("({}) c", followed), boundaries))
    if request.windows or request.window is not None:
        is_open = is_window_open(request)
        judged = _judged(aggregates, is_open, counts_mature=counts_mature)
        return with_names(request, _aggregated(request, Sql("({}) c", followed), boundaries, judged))
    if is_always_open:
        judged = _judged(aggregates, Sql("true"))
        return with_names(request, _aggregated(request, Sql("({}) c", followed), boundaries, judged))
    is_open = Sql("(c.slow is null or c.at + make_interval(secs => c.slow) >= {})", request.horizon)
    paced = replace(_judged(aggregates, is_open, counts_mature=counts_mature), slow=Sql("max(c.slow)"))
    source = Sql("(select k.*, (select p.slow from pace p) as slow from cohort k) c")
    # Materialized: the pace reads the whole cohort first, once, and the rows are read again with it.
    return Sql(
        "with cohort as materialized ({}{}),"
        " pace as materialized (select percentile_cont(0.9) within group (order by took) as slow from cohort) {}",
        followed,
        in_order_of_groups(request) if request.reads_journeys and aggregates.percentiles else Sql(""),
        with_names(request, _aggregated(request, source, boundaries, paced, is_kept=True)),
    )


def _judged(aggregates: Aggregates, is_open: Sql, *, counts_mature: bool = False) -> Aggregates:
    """The measures with those that depend on whether the time in which the row `c` can convert is still open."""
    judged = replace(aggregates, waiting=count_where(Sql("c.is_waiting and {}", is_open)))
    if not counts_mature:
        return judged
    return replace(
        judged,
        mature=count_where(Sql("not {}", is_open)),
        mature_numerator=count_where(Sql("c.took is not null and not {}", is_open)),
    )


def _aggregated(
    request: ResolvedKpiRequest,
    source: Sql,
    boundaries: tuple[datetime, ...],
    aggregates: Aggregates,
    *,
    is_kept: bool = False,
) -> Sql:
    if aggregates.percentiles is None:
        return by_groups(request, aggregates, source, boundaries)
    return by_sets(request, aggregates, source, boundaries, is_kept=is_kept)
