"""The stage leaf: a lower stage was entered. Also `after` of other leaves: facts that are later than such an entry."""

from dataclasses import dataclass
from datetime import timedelta

from api.funnel.exits import SegmentLookup, segment_of
from api.funnel.ladder import Ladder, RankedStage
from api.funnel.own_moments import entering
from api.sql import Sql
from schema.clauses.rules import StageReached


def stage_intervals(leaf: StageReached, exit_group: int | None, ladder: Ladder, ranked: RankedStage) -> Sql:
    """Select intervals that begin with each entry of a lower stage, own or implied."""
    segment = segment_of(exit_group, "t.contact_id", "t.at")
    too_old = Sql("t.at + {}", elapsed(leaf.within)) if leaf.within else Sql("'infinity'::timestamptz")
    return Sql(
        f"""select t.contact_id, {segment.number} as segment_no, t.at as starts_at,
  least({{}}, {segment.ends_at}) as until, true as holds
from ({{}}) t {{}}""",
        too_old,
        _lower_entries(leaf.stage, ladder, ranked),
        segment.join,
    )


@dataclass(frozen=True, slots=True)
class LaterFacts:
    """The join that leaves the facts that count, and the segment that contains them. `e.at`: the entry of the stage."""

    join: Sql
    segment: SegmentLookup


def later_than_entry(
    after: str | None, exit_group: int | None, contact: str, moment: str, ladder: Ladder, ranked: RankedStage
) -> LaterFacts:
    """Return a join for facts that are later than the entry of the stage `after` in the same segment; None: any fact.

    With `after`, segments are those of the compiled stage even under `not`: `after` says itself which facts count.
    """
    segment = segment_of(exit_group if after is None else ranked.exit_group, contact, moment)
    if after is None:
        return LaterFacts(segment.join, segment)
    same = "" if ranked.exit_group is None else f" and e.segment_no is not distinct from {segment.number}"
    joined = Sql(
        f"{{}}\njoin ({{}}) e on e.contact_id = {contact}{same} and e.at < {moment}",
        segment.join,
        _first_entries(after, ladder, ranked),
    )
    return LaterFacts(joined, segment)


def elapsed(length: timedelta) -> Sql:
    """Return elapsed time in seconds: an interval of days would depend on the session's time zone."""
    return Sql("make_interval(secs => {}::double precision)", length.total_seconds())


def _first_entries(key: str, ladder: Ladder, ranked: RankedStage) -> Sql:
    """Select `contact_id`, `segment_no` and `at` of the first entry of a lower stage in each segment of the stage."""
    if ranked.exit_group in (None, ladder.stage(key).exit_group):
        # Both stages have the same segments, or all time is one: the first moment is the first entry. With two
        # aggregations on top of each other the planner would take the people to be few.
        placed = segment_of(ranked.exit_group, "o.contact_id", "o.moment")
        return Sql(
            f"""select o.contact_id, {placed.number} as segment_no, min(o.moment) as at from funnel_own_entry o {{}}
where {{}} group by 1, 2""",
            placed.join,
            entering("o", (ranked.lower or {})[key]),
        )
    entered = segment_of(ranked.exit_group, "t.contact_id", "t.at")
    return Sql(
        f"select t.contact_id, {entered.number} as segment_no, min(t.at) as at from ({{}}) t {{}} group by 1, 2",
        _lower_entries(key, ladder, ranked),
        entered.join,
    )


def _lower_entries(key: str, ladder: Ladder, ranked: RankedStage) -> Sql:
    """Select `contact_id` and `at` of the entries of a lower stage, own or implied."""
    reached = segment_of(ladder.stage(key).exit_group, "o.contact_id", "o.moment")
    # The lower stage may belong to another exit group, so its entries are found in its own segments (`reached`). The
    # caller places them in the segments of the compiled stage.
    return Sql(
        f"""select contact_id, min(moment) as at
from (
  select o.contact_id, o.moment, {reached.number} as lower_segment_no from funnel_own_entry o {{}}
  where {{}}
) o
group by contact_id, lower_segment_no""",
        reached.join,
        entering("o", (ranked.lower or {})[key]),
    )
