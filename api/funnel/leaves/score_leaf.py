"""The score leaf: the points of touchpoints, halved with every half-life, reach a threshold."""

from api.funnel.exits import segment_of
from api.funnel.leaves.touch_leaf import matching_touches, touch_condition
from api.funnel.lifetimes import VisibleFacts
from api.sql import Sql, join
from schema.clauses.rules import ScoreSum

# Scores are rounded to 6 places. Points have two places at most, so that no sum of them, halved however often, lies
# half way between two rounded scores: doubles round to the same score, in whichever order they are added.
_HALF_OF_LAST_PLACE = 0.5e-6
# Half-lives in a block. A double holds up to 2^1023: the weights in a block, and what is left of them two blocks later,
# stay far from its limits. Touches of blocks before the last one weigh less than 2^-256, which changes no score.
_BLOCK = 256
_ORIGIN = "timestamptz '0001-01-01 00:00+00'"  # of the blocks; nothing is dated before


def score_intervals(wanted: ScoreSum, exit_group: int | None, facts: VisibleFacts, *, only_holding: bool) -> Sql:
    """Select an interval for each matching touch: until the next one, or until the score decays below the threshold.

    The score decays in whole seconds after a touch. It ends at the first whole second after
    `half_life * log2(score / threshold)`, on which all computers agree; on the microsecond they might not.
    """
    threshold = float(wanted.at_least) - _HALF_OF_LAST_PLACE
    touches = _touches(wanted, exit_group, facts)
    total, decayed = (
        Sql("sum(points) over (partition by contact_id, segment_no order by at)"),
        Sql("'infinity'::timestamptz"),
    )
    if wanted.half_life is not None:
        half_life = wanted.half_life.total_seconds()
        touches, total = _weighted(half_life, touches), _decayed_total()
        decayed = Sql(
            "t.at + make_interval(secs => floor({}::float8 * ln(t.total / {}::float8) / ln(2::float8)) + 1)",
            half_life,
            threshold,
        )
    # `lead`: of touches at one instant, all but one have an empty interval. Their sum is the same, because the frame of
    # a window with `order by` holds the peers of a row.
    return Sql(
        """select t.contact_id, t.segment_no, t.at as starts_at,
  least(t.next_at, t.ends_at, case when t.total >= {}::float8 then {} end) as until, t.total >= {}::float8 as holds
from (
  select contact_id, segment_no, at, ends_at, {} as total,
    lead(at) over (partition by contact_id, segment_no order by at) as next_at
  from ({}) p
) t
where {}""",
        threshold,
        decayed,
        threshold,
        total,
        touches,
        Sql("t.total >= {}::float8", threshold) if only_holding else Sql("true"),
    )


def _touches(wanted: ScoreSum, exit_group: int | None, facts: VisibleFacts) -> Sql:
    """Select the touches that match a term, with their points and the segment that contains them."""
    segment = segment_of(exit_group, "p.contact_id", "p.at")
    points = join(
        " + ",
        (
            Sql("case when {} then {}::float8 else 0 end", touch_condition(term), float(term.points))
            for term in wanted.terms
        ),
    )
    return Sql(
        f"""select p.contact_id, {segment.number} as segment_no, p.at, {segment.ends_at} as ends_at, p.points
from ({{}}) p {{}}""",
        matching_touches(wanted.terms, facts, Sql(", {} as points", points)),
        segment.join,
    )


def _weighted(half_life: float, touches: Sql) -> Sql:
    """Select the touches with their block, how many half-lives after its beginning they are, and their weight.

    The weight of a touch doubles with every half-life, so that sums of weights, divided by that of the instant, are
    scores. A score of touches over more than 1,000 half-lives would exceed a double; each block begins at 1 again.
    """
    stride = _BLOCK * half_life
    return Sql(
        f"""select contact_id, segment_no, at, ends_at, block, age, points * power(2::float8, age) as weight
from (
  select *, date_part('epoch', at - ({_ORIGIN} + make_interval(secs => block * {{}}::float8))) / {{}}::float8 as age
  from (select *, floor(date_part('epoch', at - {_ORIGIN}) / {{}}::float8)::int as block from ({{}}) p) p
) p""",
        stride,
        half_life,
        stride,
        touches,
    )


def _decayed_total() -> Sql:
    """Return the score at a touch: the weights of its block so far and of the block before, over the instant's."""
    return Sql(
        f"""(
    sum(weight) over (partition by contact_id, segment_no, block order by at)
    + coalesce(sum(weight) over (partition by contact_id, segment_no order by block
      range between 1 preceding and 1 preceding), 0) * power(2::float8, -{_BLOCK})
  ) * power(2::float8, -age)"""
    )
