"""The load that each of two versions puts on each seller, week by week."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from api.db import ScratchSession
from api.metrics.context import MetricContext
from api.metrics.dimensions import dimension_value, joins
from api.metrics.periods.calendar_units import day_of
from api.metrics.preview.figures import PreviewSeller, PreviewWeek
from api.metrics.preview.preview_frame import PreviewFrame
from api.metrics.preview.sides import DIFFERING, Side, Sides
from api.sql import Sql
from schema.accord import Accord
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.kinds import Subject
from schema.vocab import TeamKind


async def find_load(
    session: ScratchSession, sides: Sides, context: MetricContext, frame: PreviewFrame
) -> tuple[PreviewSeller, ...]:
    """Count the people who come to each seller, by week, under both versions.

    Shapes: the temporary table -> one PreviewSeller per owner, most people first.
    """
    arrivals = _arrivals(sides, frame)
    owner = [Dimension.OWNER]
    rows = await session.rows(
        Sql(
            """select o.owner_id, m.name, o.week, sum(o.before)::int as before, sum(o.after)::int as after
from (
  select {} as owner_id, width_bucket(c.at, {}::timestamptz[]) as week, c.before, c.after from ({}) c{}
) o left join member m on m.id = o.owner_id group by 1, 2, 3""",
            dimension_value(Subject.PERSON, Dimension.OWNER),
            list(frame.weeks),
            arrivals,
            joins(Subject.PERSON, owner, context, frame.as_of),
        )
    )
    found: dict[UUID | None, tuple[str | None, dict[int, tuple[int, int]]]] = {}
    for row in rows:
        found.setdefault(row["owner_id"], (row["name"], {}))[1][row["week"]] = (row["before"], row["after"])
    sellers = [_seller(member, name, weeks, frame) for member, (name, weeks) in found.items()]
    return tuple(sorted(sellers, key=lambda seller: (-seller.count_after, -seller.count_before, str(seller.member_id))))


def sales_stages(accord: Accord) -> tuple[str, ...]:
    """The stages in which people come to sales: those of sales, and the one just below, from which they are handed."""
    below = handed_over_stage(accord)
    owned = (stage.key for stage in accord.stages if stage.owner is TeamKind.SALES)
    return (*(() if below is None else (below,)), *owned)


def handed_over_stage(accord: Accord) -> str | None:
    """The stage just below the lowest one of sales, from which marketing hands over; None if there is none."""
    lowest = next((rank for rank, stage in enumerate(accord.stages) if stage.owner is TeamKind.SALES), 0)
    return accord.stages[lowest - 1].key if lowest else None


def _arrivals(sides: Sides, frame: PreviewFrame) -> Sql:
    """The people who come to sales in the period: contact_id, at, and how often `before` and `after`: 0 or 1.

    Most people come at the same instant by both versions, and have one row.
    """
    # Only who counts for one of the stages in the period can come in it; whoever met such a rule before, came before.
    # The lookups have a limit, so that entries are read by person: the stages have ten times as many.
    before, after = (list(sales_stages(side.accord)) for side in (sides.before, sides.after))
    is_shared = sides.is_mixed and before == after
    differing = Sql(f" left join {DIFFERING} d using (contact_id)") if is_shared else Sql("")
    return Sql(
        """select * from (
  select contact_id, v.at, sum(v.before) as before, sum(v.after) as after
  from (
    select contact_id, min(at_before) filter (where stage = any({}::text[])) as at_before,
      min(at_after) filter (where stage = any({}::text[])) as at_after
    from preview_person where stage = any({}::text[]) group by 1
  ) p{}
  left join lateral ({}) b on true
  left join lateral ({}) a on true
  cross join lateral (values
    (case when b.came is null then p.at_before end, 1, 0), (case when {} is null then p.at_after end, 0, 1)
  ) v (at, before, after)
  group by 1, 2 offset 0
) arrival where at >= {} and at < {}""",
        before,
        after,
        sorted({*before, *after}),
        differing,
        _earlier(sides.before, before, frame, Sql("true")),
        _earlier(sides.after, after, frame, Sql("d.contact_id is not null" if is_shared else "true")),
        Sql("case when d.contact_id is null then b.came else a.came end" if is_shared else "a.came"),
        frame.start,
        frame.end,
    )


def _earlier(side: Side, stages: Sequence[str], frame: PreviewFrame, condition: Sql) -> Sql:
    """One row if the person `p` came to sales before the period, and the condition holds."""
    return Sql(
        "select true as came from {} where {} and e.contact_id = p.contact_id and {} and e.stage = any({}::text[])"
        " and e.own_at < {} limit 1",
        side.entries("e"),
        condition,
        side.of_side("e"),
        list(stages),
        frame.start,
    )


def _seller(
    member: UUID | None, name: str | None, counted: dict[int, tuple[int, int]], frame: PreviewFrame
) -> PreviewSeller:
    weeks = tuple(_weeks(counted, frame))
    return PreviewSeller(
        member_id=member,
        name=name,
        count_before=sum(week.count_before for week in weeks),
        count_after=sum(week.count_after for week in weeks),
        most_before=max((week.count_before for week in weeks), default=0),
        most_after=max((week.count_after for week in weeks), default=0),
        weeks=weeks,
    )


def _weeks(counted: dict[int, tuple[int, int]], frame: PreviewFrame) -> Iterator[PreviewWeek]:
    for number, starts_at in enumerate(frame.weeks[:-1], start=1):
        before, after = counted.get(number, (0, 0))
        yield PreviewWeek(starts_on=day_of(starts_at, frame.zone), count_before=before, count_after=after)
