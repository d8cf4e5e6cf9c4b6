"""The load that each of two versions puts on each seller, week by week."""

from collections.abc import Iterator
from uuid import UUID

from api.db import ScratchSession
from api.metrics.context import MetricContext
from api.metrics.dimensions import dimension_value, joins
from api.metrics.periods.calendar_units import day_of
from api.metrics.preview.figures import PreviewSeller, PreviewWeek
from api.metrics.preview.preview_frame import PreviewFrame
from api.metrics.preview.sides import Side, Sides
from api.sql import Sql
from schema.accord import Accord
from schema.kpis.kinds import Subject
from schema.vocab import Dimension, TeamKind


async def find_load(
    session: ScratchSession, sides: Sides, context: MetricContext, frame: PreviewFrame
) -> tuple[PreviewSeller, ...]:
    """Count the people who come to each seller, by week, under both versions.

    Shapes: the temporary table -> one PreviewSeller per owner, most people first.
    """
    # Most people come at the same instant by both versions: their owner at that instant is looked up once.
    arrivals = Sql(
        "select contact_id, at, sum(before) as before, sum(after) as after from ("
        "select *, 1 as before, 0 as after from ({}) b union all select *, 0, 1 from ({}) a) both_sides group by 1, 2",
        _arrivals(sides.before, frame, "at_before"),
        _arrivals(sides.after, frame, "at_after"),
    )
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
    owned = [rank for rank, stage in enumerate(accord.stages) if stage.owner is TeamKind.SALES]
    ranks = ({min(owned) - 1} if owned and min(owned) > 0 else set()) | set(owned)
    return tuple(accord.stages[rank].key for rank in sorted(ranks))


def _arrivals(side: Side, frame: PreviewFrame, column: str) -> Sql:
    """The people who come to sales in the period: contact_id, at. `column` has their moments of one stage."""
    # Only who counts for one of the stages in the period can come in it; whoever met such a rule before, came before.
    stages = list(sales_stages(side.accord))
    return Sql(
        f"""select p.contact_id, min(p.{column}) as at from preview_person p
where p.stage = any({{}}::text[]) and p.{column} is not null and not exists (
  select from {{}} where e.contact_id = p.contact_id and {{}} and e.stage = any({{}}::text[]) and e.own_at < {{}}
) group by 1""",
        stages,
        side.entries("e"),
        side.of_side("e"),
        stages,
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
