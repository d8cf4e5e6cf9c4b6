"""Own moments, table `funnel_own_entry`: which of them count where several versions of the accord judge a stage.

A row `(contact_id, stage_no, by_accord, moment)` is the first moment in a segment at which a stage's own rule held.
`by_accord` marks a moment at which a version came into force whose rule the person fulfilled already before.
"""

from collections.abc import Sequence

from api.funnel.exits import segment_of, union_all
from api.funnel.ladder import LowerMoments, RankedStage, Span
from api.funnel.lifetimes import VisibleFacts
from api.sql import Sql, all_of, join

TICK = "interval '1 microsecond'"  # the resolution of a timestamp


def entering(own: str, lower: Sequence[LowerMoments]) -> Sql:
    """Return the condition that a row of `funnel_own_entry` enters a lower stage."""
    always = [moments.number for moments in lower if moments.spans is None]
    conditions = [Sql(f"{own}.stage_no = any({{}}::int[])", always)]
    conditions += [
        Sql(f"{own}.stage_no = {{}}::int and ({{}})", moments.number, in_spans(f"{own}.moment", moments.spans))
        for moments in lower
        if moments.spans is not None
    ]
    return Sql("({})", join(" or ", conditions))


def in_spans(moment: str, spans: Sequence[Span]) -> Sql:
    """Return the condition that a moment lies in one of the spans."""
    return Sql("({})", join(" or ", (_in_span(moment, span) for span in spans)))


def span_rows(spans: Sequence[Span]) -> Sql:
    """Select `starts_at` and `ends_at` of spans, with infinity for None."""
    return Sql(
        "select coalesce(starts_at, '-infinity') as starts_at, coalesce(ends_at, 'infinity') as ends_at"
        " from unnest({}::timestamptz[], {}::timestamptz[]) span (starts_at, ends_at)",
        [span.starts_at for span in spans],
        [span.ends_at for span in spans],
    )


def facts_of_spans(spans: Sequence[Span], facts: VisibleFacts) -> VisibleFacts:
    """Return the facts that moments in the spans may follow from: none later than the last span."""
    ends_at = [span.ends_at for span in spans]
    last = max((end for end in ends_at if end is not None), default=None)
    if last is None or None in ends_at:
        return facts
    return VisibleFacts(Sql("least({}, {}::timestamptz)", facts.as_of, last), facts.has_merged, facts.concerned)


def first_of(branches: Sequence[Sql], ranked: RankedStage) -> Sql:
    """Select the first own moment in each segment over the branches, one for each rule of a stage."""
    if len(branches) == 1:
        return branches[0]
    segment = segment_of(ranked.exit_group, "b.contact_id", "b.moment")
    # Two branches never have the same moment: one version is in force at an instant.
    return Sql(
        f"""select contact_id, {{}}::int as stage_no,
  min(moment) filter (where by_accord) is not distinct from min(moment) as by_accord, min(moment) as moment
from (select b.*, {segment.number} as segment_no from ({{}}) b {{}}) b
group by contact_id, segment_no""",
        ranked.number,
        union_all([Sql("({})", branch) for branch in branches]),
        segment.join,
    )


def without_entered(moments: Sql, ranked: RankedStage) -> Sql:
    """Leave out moments in segments that the stage was entered in before, by the rule of an earlier version."""
    segment = segment_of(ranked.exit_group, "b.contact_id", "b.moment")
    entered = segment_of(ranked.exit_group, "o.contact_id", "o.moment")
    return Sql(
        f"""select b.contact_id, b.stage_no, b.by_accord, b.moment
from (select b.*, {segment.number} as segment_no from ({{}}) b {{}}) b
left join (
  select o.contact_id, {entered.number} as segment_no from funnel_own_entry o {{}} where o.stage_no = {{}}::int
) e on e.contact_id = b.contact_id and e.segment_no is not distinct from b.segment_no
where e.contact_id is null""",
        moments,
        segment.join,
        entered.join,
        ranked.number,
    )


def _in_span(moment: str, span: Span) -> Sql:
    conditions = [] if span.starts_at is None else [Sql(f"{moment} >= {{}}::timestamptz", span.starts_at)]
    if span.ends_at is not None:
        conditions.append(Sql(f"{moment} < {{}}::timestamptz", span.ends_at))
    return all_of(conditions) if conditions else Sql("true")
