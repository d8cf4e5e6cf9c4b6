"""For how long qualified people have nobody who is responsible for them."""

from dataclasses import dataclass
from datetime import datetime

from api.metrics.columns import Aggregates
from api.metrics.counted_rows import CountedRows
from api.metrics.figure_table import FigureCell
from api.metrics.kinds.business_clock import working_time
from api.metrics.kinds.contact_facts import counts
from api.metrics.kinds.kind import FigureValues, KpiKind, sum_figure
from api.metrics.kinds.stage_entries import first_entry
from api.metrics.population import excluded_person
from api.metrics.resolved_request import MICROSECOND, ResolvedKpiRequest
from api.metrics.source_gaps import STAGE_ENTRIES
from api.sql import Sql, all_of

# The times at which a contact has no owner, or one who was deactivated: `contact_id, during`.
_WITHOUT_OWNER = Sql(
    "select v.contact_id, range_agg(tstzrange(v.starts_at, v.ends_at)) as during from (select v.contact_id,"
    " greatest(coalesce(v.valid_from, v.recorded_at), m.deactivated_at) as starts_at, v.valid_to as ends_at"
    " from contact_version v left join member m on m.id = v.owner_id"
    " where v.owner_id is null or m.deactivated_at is not null) v"
    " where v.ends_at is null or v.ends_at > v.starts_at group by v.contact_id"
)


@dataclass(frozen=True, slots=True)
class UnownedTime(KpiKind):
    """The working hours of the period for which people in the stages had no owner, or one who was deactivated.

    Shapes: one row per such person and part (bucket or total).
    Units:  hours.
    Source: the stage entries of the current evaluation; the history of the contacts' owners; the calendar of sales.
    """

    first: str
    last: str
    reads = (STAGE_ENTRIES, "contact")

    def stages(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """The stages from the first to the last."""
        if self.first not in known or self.last not in known:
            return (self.first, self.last)
        return known[known.index(self.first) : known.index(self.last) + 1]

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first entry into one of the stages."""
        return first_entry(request)

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The people: `contact_id, part, at` (the first such instant of the part)`, hours`."""
        return CountedRows(
            rows=_unowned(request, boundaries),
            aggregates=Aggregates(amount=Sql("sum(c.hours)")),
            value=Sql("c.hours"),
            has_parts=True,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The hours of all people together."""
        return sum_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str | None:
        """None: no such people are 0 hours."""
        return None


def _unowned(request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]) -> Sql:
    clock = working_time(request.context.accord)
    starts, ends = _parts(request, boundaries)
    hours = Sql("sum({})", clock.seconds_between(Sql("lower(r)"), Sql("upper(r)")))
    rows = Sql(
        "select o.contact_id, o.part, min(lower(r)) as at, round({} / 3600, 6) as hours from ("
        "select q.contact_id, nullif(w.part, 1) - 1 as part,"
        " q.during * u.during * tstzmultirange(tstzrange(w.starts_at, w.ends_at)) as during from ({}) q"
        " join ({}) u on u.contact_id = q.contact_id cross join unnest({}::timestamptz[], {}::timestamptz[])"
        " with ordinality w (starts_at, ends_at, part)) o cross join lateral unnest(o.during) r{}"
        " group by o.contact_id, o.part",
        hours,
        _qualified(request),
        _WITHOUT_OWNER,
        starts,
        ends,
        clock.joined,
    )
    within = clock.within(rows, first_entry(request), request.frame.until)
    return Sql("select p.* from ({}) p where p.hours > 0 and {}", within, counts(request, Sql("p.contact_id")))


def _parts(
    request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]
) -> tuple[list[datetime | None], list[datetime]]:
    """The starts and ends of the total and of every bucket; nothing ends after `asOf`, nor after now."""
    interval, last = request.frame.interval, request.horizon - MICROSECOND
    starts = [interval.start, *boundaries[:-1]]
    ends = [min(end, last) for end in (interval.end or last, *boundaries[1:])]
    return starts, [end if start is None else max(start, end) for start, end in zip(starts, ends, strict=True)]


def _qualified(request: ResolvedKpiRequest) -> Sql:
    """The times at which a person is in one of the stages: `contact_id, during`."""
    conditions = [
        Sql("e.evaluation_id = {}", request.context.evaluation),
        Sql("e.stage = any ({}::text[])", list(request.stages)),
        Sql("e.entered_at < {}", request.frame.until),
        *excluded_person(request, Sql("e.contact_id")),
    ]
    return Sql(
        "select e.contact_id, range_agg(tstzrange(e.entered_at, e.exited_at)) as during from stage_entry e"
        " where {} group by e.contact_id",
        all_of(conditions),
    )
