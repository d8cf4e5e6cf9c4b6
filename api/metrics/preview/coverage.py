"""How much of the history that the evaluated rules read is really there.

Touches and handoffs have their own instants. What may be missing is the history of fields and deals: a source without
one leaves an assumed version, whose values were recorded later, or a beginning that nobody knows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from api.db import ScratchSession
from api.identity.survivors import SURVIVORS
from api.metrics.context import MetricContext
from api.metrics.dimensions import stands_on_assumption
from api.metrics.figure_table import share
from api.metrics.preview.figures import PreviewCoverageReport
from api.metrics.preview.sides import Sides
from api.sql import Sql, join
from schema.accord_vocab import PreviewCoverage
from schema.clauses.rules import DealIs, FieldIs, Reported, RuleLeaf, leaves

_PARTIAL_FROM = Fraction(4, 5)
_HOLDS = "coalesce({0}.valid_from, {0}.recorded_at) <= p.at and ({0}.valid_to is null or {0}.valid_to > p.at)"


async def find_coverage(session: ScratchSession, sides: Sides, context: MetricContext) -> PreviewCoverageReport:
    """Grade the history of the people whom one of the versions counts in the period for an evaluated stage.

    A person's values are judged at the moment at which they count, by the previewed version if it counts them.
    """
    history = _needed_history(sides, context)
    row = await session.row(
        Sql(
            """select count(*)::int as people, count(*) filter (where is_assumed)::int as assumed,
  count(*) filter (where is_undated)::int as undated,
  count(*) filter (where not is_assumed and not is_undated)::int as complete
from (
  select p.contact_id, bool_or({}) as is_assumed, bool_or({}) as is_undated
  from (
    select contact_id, coalesce(at_after, at_before) as at from preview_person where stage = any({}::text[])
  ) p
  {}
  group by 1
) person""",
            join(" or ", history.assumed),
            join(" or ", history.undated),
            sorted(sides.differing),
            join("\n  ", history.joins),
        )
    )
    if row is None:
        raise LookupError("an aggregate without groups has one row")
    return PreviewCoverageReport(
        grade=_grade(row["complete"], row["people"]),
        share=share(row["complete"], row["people"]),
        people=row["people"],
        complete=row["complete"],
        assumed=row["assumed"],
        undated=row["undated"],
    )


@dataclass(frozen=True, slots=True)
class _History:
    """Whether a row `p (contact_id, at)` stands on assumed or undated history: the conditions and their joins."""

    assumed: tuple[Sql, ...]
    undated: tuple[Sql, ...]
    joins: tuple[Sql, ...]


def _needed_history(sides: Sides, context: MetricContext) -> _History:
    """What of a person's history the evaluated rules read."""
    read = tuple(_leaves(sides))
    assumed, undated, joins = [Sql("false")], [Sql("false")], list[Sql]()
    reads_companies = any(isinstance(leaf, FieldIs) and leaf.table == "company" for leaf in read)
    if any(isinstance(leaf, FieldIs) for leaf in read):
        assumed.append(stands_on_assumption("v", Sql("p.at")))
        undated.append(Sql("v.id is null or v.valid_from is null"))
        held = _HOLDS.format("v")
        joins.append(Sql(f"left join contact_version v on v.contact_id = p.contact_id and {held}"))
    if reads_companies:
        assumed.append(stands_on_assumption("w", Sql("p.at")))
        undated.append(Sql("v.company_id is not null and (w.id is null or w.valid_from is null)"))
        held = _HOLDS.format("w")
        joins.append(Sql(f"left join company_version w on w.company_id = v.company_id and {held}"))
    if any(isinstance(leaf, DealIs) for leaf in read):
        assumed.append(Sql("coalesce(d.is_assumed, false)"))
        undated.append(Sql("coalesce(d.is_undated, false)"))
        joins.append(_deals(context))
    if any(isinstance(leaf, Reported) for leaf in read):
        undated.append(
            Sql(
                "exists (select from reported_stage r where r.contact_id = p.contact_id and r.entered_at is null"
                " and r.recorded_at <= p.at)"
            )
        )
    return _History(tuple(assumed), tuple(undated), tuple(joins))


def _grade(complete: int, people: int) -> PreviewCoverage | None:
    if not people:
        return None
    if complete == people:
        return PreviewCoverage.EXACT
    is_partial = Fraction(complete, people) >= _PARTIAL_FROM
    return PreviewCoverage.PARTIAL if is_partial else PreviewCoverage.ESTIMATED


def _leaves(sides: Sides) -> Iterator[RuleLeaf]:
    """The leaves of the evaluated rules of both versions."""
    for side in (sides.before, sides.after):
        for stage in side.accord.stages:
            if stage.key in sides.differing:
                yield from leaves(stage.rule)


def _deals(context: MetricContext) -> Sql:
    """Join what is known of a person's deals: whether one is assumed at the moment, and whether a role has no date."""
    contact, merged = Sql("r.contact_id"), Sql("")
    if context.has_merged_contacts:
        contact = Sql("coalesce(m.survivor_id, r.contact_id)")
        merged = Sql("left join ({}) m on m.contact_id = r.contact_id", SURVIVORS)
    return Sql(
        f"""left join lateral (
  select bool_or({{}}) as is_assumed, bool_or(r.since is null or v.valid_from is null) as is_undated
  from deal_contact r {{}} join deal_version v on v.deal_id = r.deal_id and {_HOLDS.format("v")}
  where {{}} = p.contact_id and r.voided_at is null and coalesce(r.since, p.at) <= p.at
) d on true""",
        stands_on_assumption("v", Sql("p.at")),
        merged,
        contact,
    )
