"""Who counts where by each of the two versions, as the temporary tables `preview_person` and `preview_change`.

A version counts a person for a stage at the first moment, ever, at which the stage's own rule is met. `preview_person`
has a row for each person and stage that at least one version counts in the period. `preview_change` has those whom
the two versions count differently, with both first moments, inside the period or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from api.db import ScratchSession
from api.metrics.context import is_excluded
from api.metrics.kinds.stage_entries import between
from api.metrics.preview.preview_frame import PreviewFrame
from api.metrics.preview.sides import DIFFERING, Side, Sides
from api.sql import Sql, all_of
from schema.accord_vocab import PersonChange


@dataclass(frozen=True, slots=True)
class PeopleCounts:
    """How many people the two versions count for one stage, in the period or in one bucket of it."""

    before: int = 0
    after: int = 0
    gained: int = 0
    lost: int = 0
    moved: int = 0


async def find_people(session: ScratchSession, sides: Sides, frame: PreviewFrame) -> None:
    """Fill the two temporary tables."""
    await session.run(Sql("create temp table preview_person on commit drop as {}", _people(sides, frame)))
    # `at` places a person in the list and in a bucket: where the previewed version counts them, or else the other one.
    await session.run(
        Sql(
            """create temp table preview_change on commit drop as
select p.contact_id, p.stage, coalesce(p.at_after, p.at_before) as at,
  case when p.at_before is null then {} when p.at_after is null then {} else {} end as change,
  coalesce(p.at_before, ({})) as instant_before, coalesce(p.at_after, ({})) as instant_after
from preview_person p where p.at_before is distinct from p.at_after""",
            PersonChange.GAINED.value,
            PersonChange.LOST.value,
            PersonChange.MOVED.value,
            _first_moment(sides.before, frame),
            _first_moment(sides.after, frame),
        )
    )
    await session.script("create index on preview_person (contact_id); analyze preview_person; analyze preview_change")


def _people(sides: Sides, frame: PreviewFrame) -> Sql:
    """The rows of `preview_person`: contact_id, stage, at_before, at_after."""
    before, derived = sides.before.accord.reporting, sides.derived
    if derived is None or before.exclude != sides.after.accord.reporting.exclude:
        return Sql(
            "select contact_id, stage, b.at as at_before, a.at as at_after"
            " from ({}) b full join ({}) a using (contact_id, stage)",
            _counted(sides.before, frame),
            _counted(sides.after, frame),
        )
    # The entries of the first side are read once: those of people and stages that do not differ count for both.
    return Sql(
        "select contact_id, stage, b.at as at_before,"
        " case when d.contact_id is not null and stage = any({}::text[]) then a.at else b.at end as at_after"
        f" from ({{}}) b full join ({{}}) a using (contact_id, stage) left join {DIFFERING} d using (contact_id)",
        list(sides.touched),
        _counted(sides.before, frame),
        _counted(derived, frame),
    )


def _counted(side: Side, frame: PreviewFrame) -> Sql:
    """The people whom a side counts in the period: contact_id, stage, at."""
    earlier = Sql(
        "select from {} where o.contact_id = e.contact_id and {} and o.stage = e.stage"
        " and o.occurrence < e.occurrence and o.own_at is not null",
        side.entries("o"),
        side.of_side("o"),
    )
    conditions = [
        side.of_side("e"),
        *between(Sql("e.own_at"), frame.interval),
        Sql("e.own_at <= {}", frame.as_of),
        Sql("(e.occurrence = 1 or not exists ({}))", earlier),
        Sql("not exists (select from contact x where x.id = e.contact_id and ({}))", is_excluded(side.accord)),
    ]
    return Sql("select e.contact_id, e.stage, e.own_at as at from {} where {}", side.entries("e"), all_of(conditions))


def _first_moment(side: Side, frame: PreviewFrame) -> Sql:
    return Sql(
        "select min(e.own_at) from {} where e.contact_id = p.contact_id and {} and e.stage = p.stage"
        " and e.own_at <= {}",
        side.entries("e"),
        side.of_side("e"),
        frame.as_of,
    )


async def count_people(session: ScratchSession, frame: PreviewFrame) -> Mapping[str, tuple[PeopleCounts, ...]]:
    """Count the people of each stage, by bucket.

    Shapes: the temporary table -> {stage: one PeopleCounts per bucket}; a stage without people is left out.
    """
    rows = await session.rows(
        Sql(
            """select p.stage, c.bucket, sum(c.before)::int, sum(c.after)::int, sum(c.gained)::int, sum(c.lost)::int,
  sum(c.moved)::int
from preview_person p cross join lateral (values
  (width_bucket(p.at_before, {}::timestamptz[]), 1, 0, 0, (p.at_after is null)::int, 0),
  (width_bucket(p.at_after, {}::timestamptz[]), 0, 1, (p.at_before is null)::int, 0,
    coalesce(p.at_before <> p.at_after, false)::int)
) c (bucket, before, after, gained, lost, moved)
where c.bucket is not null group by 1, 2""",
            list(frame.boundaries),
            list(frame.boundaries),
        )
    )
    size = len(frame.boundaries) - 1
    found: dict[str, list[PeopleCounts]] = {}
    for stage, bucket, *counts in rows:
        found.setdefault(stage, [PeopleCounts()] * size)[bucket - 1] = PeopleCounts(*counts)
    return {stage: tuple(counts) for stage, counts in found.items()}


async def count_entered(session: ScratchSession, side: Side, frame: PreviewFrame) -> Mapping[str, int]:
    """Count the people who first entered each stage in the period, implied entries included, by stage."""
    conditions = [
        side.of_side("e"),
        Sql("e.occurrence = 1"),
        *between(Sql("e.entered_at"), frame.interval),
        Sql("e.entered_at <= {}", frame.as_of),
        Sql("not exists (select from contact x where x.id = e.contact_id and ({}))", is_excluded(side.accord)),
    ]
    rows = await session.rows(
        Sql("select e.stage, count(*)::int as n from {} where {} group by 1", side.entries("e"), all_of(conditions))
    )
    return {row["stage"]: row["n"] for row in rows}


def summed(counts: tuple[PeopleCounts, ...]) -> PeopleCounts:
    """The counts of the whole period."""
    return PeopleCounts(
        before=sum(count.before for count in counts),
        after=sum(count.after for count in counts),
        gained=sum(count.gained for count in counts),
        lost=sum(count.lost for count in counts),
        moved=sum(count.moved for count in counts),
    )
