"""The open deals that are due to close in a period, by the history of their expected close dates.

A period is the whole of the request, or one of its buckets. `part` is the number of the bucket, or null for the whole.
Only a period with a first and a last day has deals that are due in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from api.metrics.deal_kinds.deal_rows import VERSION_START
from api.metrics.dimensions import stands_on_assumption
from api.metrics.journeys.deal_journeys import open_spans
from api.metrics.population import is_deal_of
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, all_of

_STEP = Sql("interval '1 microsecond'")


@dataclass(frozen=True, slots=True)
class Spans:
    """Periods that follow each other: those of the buckets, or a single one."""

    boundaries: tuple[datetime, ...]
    days: tuple[date, ...]  # the days on which they begin, and the first one after the last
    is_whole: bool

    @property
    def instants(self) -> Sql:
        """The boundaries as an array."""
        return Sql("{}::timestamptz[]", list(self.boundaries))

    @property
    def dates(self) -> Sql:
        """The days as an array."""
        return Sql("{}::date[]", list(self.days))

    def part(self, place: Sql) -> Sql:
        """The part of the period in a place."""
        return Sql("null::int") if self.is_whole else Sql("{}::int", place)


def spans(request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]) -> Iterator[Spans]:
    """The whole period, if it has both ends; and the buckets."""
    zone, interval = request.frame.zone, request.frame.interval
    if interval.start is not None and interval.end is not None:
        ends = (interval.start, interval.end)
        yield Spans(ends, tuple(end.astimezone(zone).date() for end in ends), is_whole=True)
    if boundaries:
        yield Spans(boundaries, tuple(end.astimezone(zone).date() for end in boundaries), is_whole=False)


def has_both_ends(request: ResolvedKpiRequest) -> bool:
    """Whether the period has a first and a last day."""
    return request.frame.interval.start is not None and request.frame.interval.end is not None


def due_at_start(request: ResolvedKpiRequest, within: Spans) -> Sql:
    """The deals that were open at the first instant of a period and due to close in it, or without a close date.

    `deal_id, part, place, at, close_date, amount, currency, chance, updated_at, reads_assumed`; `at` is that instant.
    """
    if request.reads_journeys:
        return _due_spans(request, within)
    # Every version is put into the periods at whose first instant it held, and of these into that of its close date,
    # in one pass over the history. Shifted by a microsecond, a version that starts at an instant is in it, and one
    # that ends at it is not.
    starts, count = Sql("{}::timestamptz[]", list(within.boundaries[:-1])), len(within.boundaries) - 1
    at = Sql("({})[h.place]", starts)
    return Sql(
        "select h.deal_id, {} as part, h.place, {} as at, h.close_date, h.amount, h.currency,"
        " coalesce(h.probability, s.probability) as chance, d.updated_at, {} as reads_assumed"
        " from (select h.*, generate_series(greatest(h.first_place, coalesce(h.due_place, h.first_place)),"
        " least(h.last_place, coalesce(h.due_place, h.last_place))) as place from (select h.*,"
        f" width_bucket({VERSION_START} - {{}}, {{}}) + 1 as first_place,"
        " coalesce(width_bucket(h.valid_to - {}, {}), {}::int) as last_place,"
        " width_bucket(h.close_date, {}) as due_place from deal_version h where h.outcome = 'OPEN') h) h"
        " join deal d on d.id = h.deal_id left join pipeline_stage s on s.id = h.pipeline_stage_id where {}",
        *(within.part(Sql("h.place")), at, stands_on_assumption("h", at), _STEP, starts, _STEP, starts, count),
        within.dates,
        all_of([Sql("{} < {}", at, request.frame.until), *_countable(request)]),
    )


def _due_spans(request: ResolvedKpiRequest, within: Spans) -> Sql:
    """The rows of `due_at_start`, and what dimensions read: the spans at each first instant that are due by the next.

    A version of the history is one span, or several that follow each other.
    """
    place = Sql("width_bucket(e.at, {})", within.instants)
    return Sql(
        "select e.*, {} as part from (select e.*, {} as place from ({}) e) e"
        " where e.at < {} and coalesce(width_bucket(e.close_date, {}) = e.place, true)",
        within.part(Sql("e.place")),
        place,
        open_spans(request, within.boundaries[:-1]),
        request.frame.until,
        within.dates,
    )


def due_at_opening(request: ResolvedKpiRequest, within: Spans) -> Sql:
    """The deals that were opened in a period, were not open at its first instant, and were due to close in it.

    The columns are those of `due_at_start` without amounts; `at` is the opening. The close date is that of the deal's
    version at the opening, or of the first one if its history begins later.
    """
    place = Sql("width_bucket(d.opened_at, {})", within.instants)
    opened = [
        Sql("d.opened_at >= {} and d.opened_at < {}", within.boundaries[0], within.boundaries[-1]),
        Sql("d.opened_at < {}", request.frame.until),
    ]
    was_open = (
        "select from deal_version b where b.deal_id = d.id and b.outcome = 'OPEN'"
        " and coalesce(b.valid_from, b.recorded_at) <= ({})[{}] and (b.valid_to is null or b.valid_to > ({})[{}])"
    )
    return Sql(
        "select o.* from (select d.id as deal_id, {} as part, {} as place, d.opened_at as at, a.close_date,"
        " d.updated_at, {} as reads_assumed, width_bucket(a.close_date, {}) as due_place from deal d cross join lateral"
        " (select h.close_date, h.outcome, h.is_assumed, h.recorded_at from deal_version h where h.deal_id = d.id"
        f" and (h.valid_to is null or h.valid_to > greatest(d.opened_at, {VERSION_START}))"
        f" order by {VERSION_START}, h.id limit 1) a where a.outcome = 'OPEN' and not exists ({was_open}) and {{}}) o"
        " where coalesce(o.due_place = o.place, true)",
        *(within.part(place), place, stands_on_assumption("a", Sql("d.opened_at")), within.dates),
        *(within.instants, place, within.instants, place, all_of([*opened, *_countable(request)])),
    )


def _countable(request: ResolvedKpiRequest) -> list[Sql]:
    return [is_deal_of(request, "d"), *request.context.reach("deal", "d")]
