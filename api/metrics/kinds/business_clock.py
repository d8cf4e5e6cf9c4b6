"""Business time in SQL: how long a calendar was open between two instants, and when it has been open for a time.

`schema.clauses.business_time` states the meaning. Here the intervals in which the calendar is open are made once in a
statement, as sorted arrays with the time that was open before each of them. A binary search then finds an instant, and
the time between two instants is a difference.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from api.sql import Sql
from schema.accord import Accord
from schema.clauses.business_time import offsets
from schema.clauses.calendars import BusinessCalendar
from schema.clauses.clause_vocab import Weekday
from schema.clauses.handoff_duties import SalesDuties

_MICROSECOND = timedelta(microseconds=1)
# Before this year, an offset from UTC is taken to be that of its beginning.
_FIRST = datetime(1990, 1, 1, tzinfo=UTC)
_LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)
_TO_MICROSECONDS = "(extract(epoch from {}) * 1000000)::bigint"
_INTERVALS = f"""select coalesce(array_agg(opens order by opens), '{{{{}}}}') as opens,
  coalesce(array_agg(closes order by opens), '{{{{}}}}') as closes,
  coalesce(array_agg(before order by opens), '{{{{}}}}') as before,
  coalesce(array_agg(before + length order by opens), '{{{{}}}}') as until
from (
  select opens, closes, length, (sum(length) over (order by opens) - length)::bigint as before
  from (
    select opens, closes, {_TO_MICROSECONDS.format("closes - opens")} as length
    from (
      select greatest(z.starts_at, (d.day + make_interval(mins => o.opens) - z.ahead) at time zone 'UTC') as opens,
        least(z.ends_at, (d.day + make_interval(mins => o.closes) - z.ahead) at time zone 'UTC') as closes
      from (select z.starts_at, z.ends_at, make_interval(secs => z.seconds) as ahead
        from unnest({{}}::timestamptz[], {{}}::timestamptz[], {{}}::int[]) z (starts_at, ends_at, seconds)) z
      cross join lateral generate_series(
        ((greatest(z.starts_at, {{}}) at time zone 'UTC') + z.ahead)::date::timestamp,
        (least(z.ends_at, {{}}) at time zone 'UTC') + z.ahead, interval '1 day') d (day)
      join unnest({{}}::int[], {{}}::int[], {{}}::int[]) o (weekday, opens, closes)
        on o.weekday = extract(isodow from d.day)
      where not d.day::date = any ({{}}::date[])
    ) i
    where closes > opens
  ) i
) i"""


@dataclass(frozen=True, slots=True)
class BusinessClock:
    """The time that counts: the opening time of a calendar, or without one all time that elapses.

    Its expressions read the row `k` of the common table `clock`, which `within` adds to a select.
    """

    calendar: BusinessCalendar | None
    zone: ZoneInfo

    @classmethod
    def of(cls, accord: Accord, calendar: str | None) -> "BusinessClock":
        """The clock of a calendar of an accord; with None, that of elapsed time. Errors: KeyError."""
        found = None if calendar is None else accord.calendar(calendar)
        return cls(found, ZoneInfo((found.timezone if found else None) or accord.reporting.timezone))

    @property
    def joined(self) -> Sql:
        """The join of `k`, to put after a source of rows."""
        return Sql("") if self.calendar is None else Sql(" cross join clock k")

    def within(self, rows: Sql, since: Sql, until: datetime) -> Sql:
        """A select with the intervals that its expressions read, from the first instant of `since` up to `until`.

        `since` is a query for an instant that is not after any that the rows ask for, or null if there are none.
        """
        if self.calendar is None:
            return rows
        spans = [
            (weekday, opens, closes)
            for weekday, day in enumerate(Weekday, start=1)
            for opens, closes in self.calendar.spans(day)
        ]
        starts, ends, ahead = zip(*_offsets(self.zone.key, max(until, _FIRST).year + 1), strict=True)
        weekdays, opens, closes = zip(*spans, strict=True)
        last = Sql("{}::timestamptz", until)
        intervals = Sql(
            _INTERVALS,
            *([*starts], [*ends], [*ahead], Sql("coalesce(({}), {})", since, last), last),
            *([*weekdays], [*opens], [*closes], sorted(self.calendar.closed_days)),
        )
        return Sql("select r.* from (with clock as materialized ({}) {}) r", intervals, rows)

    def seconds_between(self, start: Sql, end: Sql) -> Sql:
        """How long the clock ran from one instant to a later one, in seconds."""
        if self.calendar is None:
            return Sql("extract(epoch from {} - {})", end, start)
        return Sql("(({}) - ({})) / 1000000.0", _run_until(end), _run_until(start))

    def after(self, start: Sql, length: timedelta) -> Sql:
        """The instant at which the clock has run for a time since the start; `infinity` if it is after `until`."""
        if self.calendar is None:
            return Sql("{} + make_interval(secs => {}::double precision)", start, length.total_seconds())
        # The first interval that ends at that time or later: a time is over when the office closes, not when it opens.
        return Sql(
            "(select case when p.place <= cardinality(k.until) then k.opens[p.place]"
            " + make_interval(secs => ((p.target - k.before[p.place]) / 1000000.0)::double precision)"
            " else 'infinity' end from (select t.target, width_bucket(t.target - 1, k.until) + 1 as place"
            " from (select ({}) + {}::bigint as target) t) p)",
            _run_until(start),
            length // _MICROSECOND,
        )


def duties_of_sales(accord: Accord) -> SalesDuties | None:
    """What sales owes marketing; None if nothing is agreed."""
    return accord.handoff.sales if accord.handoff else None


def working_time(accord: Accord) -> BusinessClock:
    """The time in which salespeople work: the calendar of their duties, or the only one of the accord.

    Without a calendar, all time counts.
    """
    sales = duties_of_sales(accord)
    attempts = sales.attempts.within if sales and sales.attempts else None
    limits = (sales.first_touch_within, sales.decide_within, attempts) if sales else ()
    named = [limit.calendar for limit in limits if limit is not None and limit.calendar is not None]
    if not named and len(accord.calendars) == 1:
        named = [accord.calendars[0].key]
    return BusinessClock.of(accord, named[0] if named else None)


def _run_until(at: Sql) -> Sql:
    """How many microseconds the calendar was open from the first interval up to an instant."""
    return Sql(
        "select case when p.place = 0 then 0 else k.before[p.place]"
        f" + {_TO_MICROSECONDS.format('least({}, k.closes[p.place]) - k.opens[p.place]')} end"
        " from (select width_bucket({}, k.opens) as place) p",
        at,
        at,
    )


@lru_cache(maxsize=64)
def _offsets(zone: str, year: int) -> tuple[tuple[datetime, datetime, int], ...]:
    """The offsets of a zone up to the end of a year, in seconds. The first one is taken to have held always before."""
    found = [
        (start, end, round(ahead.total_seconds()))
        for start, end, ahead in offsets(ZoneInfo(zone), _FIRST, datetime(year + 1, 1, 1, tzinfo=UTC))
    ]
    return ((_LONG_AGO, *found[0][1:]), *found[1:])
