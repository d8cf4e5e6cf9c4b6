"""Cohorts under the switch `censoring`: which of their rows count while some of them can still convert."""

from dataclasses import replace
from datetime import datetime

from api.metrics.columns import Aggregates, count_where
from api.metrics.compile import by_groups, by_sets, with_names
from api.metrics.counted_rows import keyed_rows
from api.metrics.kinds.cohorts import DURATION, SECONDS, converts, is_window_open, with_took
from api.metrics.resolved_request import Population, ResolvedKpiRequest
from api.sql import Sql
from schema.kpis.switch_words import Censoring

IS_JUDGED = Sql("c.is_judged")
_SHARE = Aggregates(
    n=count_where(IS_JUDGED),
    numerator=Sql("count(c.took) filter (where c.is_judged)"),
    implied=count_where(Sql("c.is_judged and c.is_implied")),
    undated=count_where(Sql("c.is_judged and c.is_undated")),
    assumed=count_where(Sql("c.is_judged and c.is_assumed")),
    waiting=count_where(Sql("not c.is_judged")),
    slow=Sql("max(c.pace)"),
)


def is_censored(request: ResolvedKpiRequest) -> bool:
    """Whether rows of the cohort may be left out."""
    return request.censoring is not Censoring.ALL_OPEN


def censored_cohort(request: ResolvedKpiRequest, cohort: Sql, whole_cohort: Sql) -> Sql:
    """The rows of a cohort with `is_judged`: whether they count; and `pace`, the time to mature without a window.

    Without a window a row is mature after the time within which 90 % of the converted of the whole request converted:
    `whole_cohort` has the rows of that, so that buckets and records are judged as the whole is. Units: seconds.
    """
    if request.window is not None or request.windows:
        return Sql(
            "select c.*, {} as is_judged, null::double precision as pace from ({}) c",
            _is_judged(request, is_window_open(request)),
            cohort,
        )
    counted = replace(request, by=(), population=Population.COUNTED)
    pace = Sql(
        "select percentile_cont(0.9) within group (order by c.took) as slow from ({}) c",
        keyed_rows(counted, whole_cohort, (), (with_took(counted),)),
    )
    is_open = Sql("(pace.slow is null or c.at + make_interval(secs => pace.slow) >= {})", request.horizon)
    return Sql(
        "select c.*, {} as is_judged, pace.slow as pace from ({}) c cross join ({}) pace",
        _is_judged(request, is_open),
        cohort,
        pace,
    )


def whole_request(request: ResolvedKpiRequest) -> ResolvedKpiRequest:
    """The counted population of the whole request, of which the request may be a bucket or the excluded people."""
    frame = replace(request.frame, interval=request.whole_interval)
    return replace(request, frame=frame, population=Population.COUNTED)


def censored_statement(request: ResolvedKpiRequest, rows: Sql, boundaries: tuple[datetime, ...]) -> Sql:
    """The statement of the share of the judged rows that converted; `waiting` counts those that are left out."""
    followed = keyed_rows(request, rows, boundaries, (with_took(request),))
    return with_names(request, by_groups(request, _SHARE, Sql("({}) c", followed), boundaries))


def censored_durations(
    request: ResolvedKpiRequest, rows: Sql, boundaries: tuple[datetime, ...], more: Aggregates = DURATION
) -> Sql:
    """The statement of the durations of the judged rows; `waiting` counts those that are left out.

    `more` are the measures of the durations, which may read `is_waiting`: whether a judged row can still convert.
    """
    converted = converts(request)
    seconds = Sql("case when c.is_judged and {} then {} end as took", converted, SECONDS)
    is_waiting = Sql("c.is_judged and c.may_convert and not {} as is_waiting", converted)
    followed = keyed_rows(request, rows, boundaries, (seconds, is_waiting))
    aggregates = replace(
        more,
        skipped=count_where(Sql("c.is_judged and c.is_skipped")),
        undated=count_where(Sql("c.is_judged and c.is_undated")),
        waiting=count_where(Sql("not c.is_judged and not c.is_skipped")),
        slow=Sql("max(c.pace)"),
    )
    return with_names(request, by_sets(request, aggregates, Sql("({}) c", followed), boundaries))


def _is_judged(request: ResolvedKpiRequest, is_open: Sql) -> Sql:
    if request.censoring is Censoring.MATURE_ONLY:
        return Sql("not {}", is_open)
    return Sql("not (c.may_convert and not {} and {})", converts(request), is_open)
